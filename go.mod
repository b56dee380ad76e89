module github.com/lunemq/lunemq

go 1.26.0

require (
	github.com/bradfitz/gomemcache v0.0.0-20260422231931-4d751bb6e37c // memcached for Lua scripts, by the author of memcached
	github.com/cockroachdb/pebble/v2 v2.1.7 // the store of sessions and messages: synced group commits, range deletion, snapshots, all in Go
	github.com/fsnotify/fsnotify v1.10.1 // tells when script files change, on every system
	github.com/go-sql-driver/mysql v1.10.1 // MySQL and MariaDB for Lua scripts, in Go
	github.com/gobwas/ws v1.5.0 // WebSocket: handshake, frame rules and fast unmasking, without a buffer per connection
	github.com/jackc/pgx/v5 v5.12.0 // PostgreSQL and CockroachDB for Lua scripts: statements with values beside them, pools
	github.com/pires/go-proxyproto v0.15.0 // parses PROXY headers of both versions and the values behind them
	github.com/rcrowley/go-metrics v0.0.0-20250401214520-65e299d6c5c9 // what readers of instruments know: registry and interfaces; the instruments are our own
	github.com/redis/go-redis/v9 v9.23.0 // Redis for Lua scripts: pools that notice dead connections
	github.com/yuin/gopher-lua v1.1.2 // the Lua engine of hook scripts, in Go and not forked
	go.mongodb.org/mongo-driver/v2 v2.10.0 // MongoDB for Lua scripts: its maker's driver
	golang.org/x/crypto v0.58.0 // Blowfish, of which bcrypt is made; its own bcrypt in tests
	golang.org/x/term v0.47.0 // asks for passwords without echo: switching a terminal differs by system
)

require github.com/cockroachdb/errors v1.11.3 // indirect

require (
	github.com/eclipse/paho.golang v0.23.0 // tests only: Eclipse's client of MQTT 5.0
	github.com/eclipse/paho.mqtt.golang v1.5.1 // tests only: Eclipse's client of MQTT 3.1.1
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/DataDog/zstd v1.5.7 // indirect
	github.com/RaduBerinde/axisds v0.1.0 // indirect
	github.com/RaduBerinde/btreemap v0.0.0-20250419174037-3d62b7205d54 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/cockroachdb/crlib v0.0.0-20241112164430-1264a2edc35b // indirect
	github.com/cockroachdb/logtags v0.0.0-20230118201751-21c54148d20b // indirect
	github.com/cockroachdb/redact v1.1.5 // indirect
	github.com/cockroachdb/swiss v0.0.0-20260820225851-333444432258 // indirect
	github.com/cockroachdb/tokenbucket v0.0.0-20230807174530-cc333fc44b06 // indirect
	github.com/getsentry/sentry-go v0.27.0 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/golang/protobuf v1.5.3 // indirect
	github.com/golang/snappy v0.0.5-0.20231225225746-43d5d4cd4e0e // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/matttproud/golang_protobuf_extensions v1.0.4 // indirect
	github.com/minio/minlz v1.0.1-0.20250507153514-87eb42fe8882 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/prometheus/client_golang v1.16.0 // indirect
	github.com/prometheus/client_model v0.3.0 // indirect
	github.com/prometheus/common v0.42.0 // indirect
	github.com/prometheus/procfs v0.10.1 // indirect
	github.com/rogpeppe/go-internal v1.9.0 // indirect
	github.com/xdg-go/scram v1.4.0 // indirect
	github.com/xdg-go/stringprep v1.0.4 // indirect
	github.com/youmark/pkcs8 v0.0.0-20240726163527-a2c0da244d78 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/exp v0.0.0-20230626212559-97b1e661b5df // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/protobuf v1.33.0 // indirect
)
