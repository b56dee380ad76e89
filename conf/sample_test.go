package conf

import (
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// The structs below resemble those of the full broker, so that all classes and
// shapes of keys are met. They are no source of truth for real keys.

type sessionConfig struct {
	_ struct{} `doc:"Sessions"`

	AllowAnonymous      bool           `key:"allow_anonymous" default:"off" reload:"live" doc:"Lets clients in without asking any plugin. Publishing and subscribing still need a plugin's yes."`
	MaxClientIDSize     int            `key:"max_client_id_size" default:"100" range:"1..65535" reload:"new sessions" doc:"Longest client identifier."`
	PersistentExpiry    value.Expiry   `key:"persistent_client_expiration" default:"never" reload:"live" doc:"Removes sessions that are offline longer, unless the client said otherwise."`
	MaxSubscriptions    int            `key:"max_subscriptions_per_client" default:"0" range:"0.." reload:"new sessions" doc:"0 is unlimited."`
	RetryInterval       time.Duration  `key:"retry_interval" default:"0" unit:"s" range:"0..3600" words:"off=0" reload:"new sessions" doc:"Repeats unacknowledged packets to 3.x clients. 0 is never."`
	MaxInflight         uint16         `key:"max_inflight_messages" default:"20" range:"0..65535" reload:"new sessions" doc:"Window of QoS 1 and 2 messages to a 3.x client. 0 is unlimited."`
	MaxOnline           int            `key:"max_online_messages" default:"1000" range:"-1.." reload:"new sessions" doc:"-1 is unlimited."`
	MaxOffline          int            `key:"max_offline_messages" default:"1000" range:"-1.." reload:"new sessions" doc:"-1 is unlimited."`
	OverrideOnline      bool           `key:"override_max_online_messages" reload:"new sessions" doc:"Ignores the online limit for a backlog."`
	QueueType           string         `key:"queue_type" default:"fifo" enum:"fifo,lifo" reload:"new sessions" doc:"What a full queue drops." hidden:"true"`
	MaxMessageSize      value.ByteSize `key:"max_message_size" default:"0" range:"0..268435455" reload:"new sessions" doc:"0 is the limit of the protocol."`
	MaxMessageRate      int            `key:"max_message_rate" default:"0" range:"0.." reload:"new sessions" hidden:"true" doc:"Messages per second."`
	UpgradeQoS          bool           `key:"upgrade_outgoing_qos" reload:"new sessions" doc:"Delivers with the QoS of the subscription."`
	MaxWillDelay        value.Cap      `key:"max_last_will_delay" default:"client" reload:"new sessions" doc:"Cap of the will delay interval."`
	ReceiveMaxClient    uint16         `key:"receive_max_client" default:"65535" range:"1..65535" hidden:"true" reload:"new sessions" doc:"Flow control towards the client."`
	ReceiveMaxBroker    uint16         `key:"receive_max_broker" default:"65535" range:"1..65535" hidden:"true" reload:"new sessions" doc:"Flow control from the client."`
	TopicAliasClient    uint16         `key:"topic_alias_max_client" default:"0" hidden:"true" reload:"new sessions" doc:"Aliases a client may use."`
	TopicAliasBroker    uint16         `key:"topic_alias_max_broker" default:"0" hidden:"true" reload:"new sessions" doc:"Aliases the broker may use."`
	TopicMaxDepth       int            `key:"topic_max_depth" default:"10" range:"1.." reload:"live" doc:"Levels of a topic."`
	ConnectTimeout      time.Duration  `key:"mqtt_connect_timeout" default:"5000" unit:"ms" range:"1.." reload:"live" hidden:"true" doc:"Time for CONNECT to arrive."`
	SuppressWill        bool           `key:"suppress_lwt_on_session_takeover" hidden:"true" reload:"live" doc:"No will at a takeover."`
	DisconnectForbidden bool           `key:"disconnect_on_unauthorized_publish_v3" hidden:"true" reload:"live" doc:"Closes 3.x connections."`
	SharedPolicy        string         `key:"shared_subscription_policy" default:"prefer_local" enum:"prefer_local,random,local_only,prefer_online_before_local" reload:"live" doc:"Chooses the member."`
	MaxWSFrame          value.ByteSize `key:"max_ws_frame_size" default:"268435456" reload:"live" doc:"Bytes."`
}

type houseConfig struct {
	_ struct{} `doc:"The house"`

	DataDir  string `key:"data_dir" default:"/var/lib/lunemq" reload:"restart" doc:"Store, locks and runtime.conf lie below."`
	NodeName string `key:"nodename" default:"lunemq@127.0.0.1" reload:"restart" doc:"Name of this node."`
	Passwd   struct {
		File   string        `key:"password_file" default:"/etc/lunemq/lunemq.passwd" reload:"live" doc:"Users."`
		Reload time.Duration `key:"password_reload_interval" default:"10" unit:"s" reload:"live" doc:"0 is never."`
	} `key:"passwd"`
	ACL struct {
		File   string        `key:"acl_file" alias:"acl.file" default:"/etc/lunemq/lunemq.acl" reload:"live" doc:"Rules."`
		Reload time.Duration `key:"acl_reload_interval" default:"10" unit:"s" reload:"live" doc:"0 is never."`
	} `key:"acl"`
	Plugins     map[string]pluginConfig `key:"plugins.NAME" names:"acl,passwd" native:"true" default:"acl=on,passwd=on" reload:"restart"`
	HTTPModules map[string]moduleConfig `key:"http_module.MODULE" native:"true" reload:"restart"`
	Modules     []string                `key:"http_modules" native:"true" default:"[metrics_http,http_mgmt_api,status_http,health_http,http_v2_api]" enum:"metrics_http,http_mgmt_api,status_http,health_http,http_v2_api" reload:"restart" doc:"What HTTP listeners serve."`
	MinAPIKey   int                     `key:"min_apikey_length" default:"0" reload:"live" doc:"Bytes."`
	MaxAPIDays  int                     `key:"max_apikey_expiry_days" default:"0" words:"unlimited=0" reload:"live" doc:"Days."`
	CRLRefresh  time.Duration           `key:"crl_refresh_interval" default:"60000" unit:"ms" reload:"live" doc:"How often lists of revoked certificates are read."`
	Log         struct {
		Console string `key:"console" default:"console" enum:"off,file,console,both" reload:"restart" doc:"Where the log goes."`
		Level   string `key:"console.level" default:"info" enum:"debug,info,notice,warning,error,critical,alert,emergency" reload:"live" doc:"Least level."`
		File    string `key:"console.file" default:"/var/log/lunemq/console.log" reload:"restart" doc:"File."`
		CFormat string `key:"console.console.format" default:"text" enum:"text,json" reload:"restart" doc:"Form."`
		FFormat string `key:"console.file.format" default:"text" enum:"text,json" reload:"restart" doc:"Form."`
	} `key:"log"`
	Community map[string]value.Secret `key:"snmp.community.NAME" reload:"live" doc:"A community and its secret."`
	Memory    value.Share             `key:"memory_limit" default:"70%" reload:"restart" doc:"Of all queues."`
}

type pluginConfig struct {
	On       bool `key:"" default:"off" doc:"Whether the plugin is asked."`
	Priority int  `key:"priority" default:"0" doc:"Lower ones are asked first."`
}

type moduleConfig struct {
	Auth string `key:"auth.mode" default:"noauth" enum:"noauth,apikey" doc:"Who may call."`
}

type listenersConfig struct {
	_ struct{} `doc:"Listeners"`

	TCP   map[string]clientListener `key:"listener.tcp.NAME" inherit:"true" port:"1883" reload:"restart" example:"default=127.0.0.1:1883"`
	SSL   map[string]tlsListener    `key:"listener.ssl.NAME" inherit:"true" port:"8883" reload:"restart"`
	WS    map[string]wsListener     `key:"listener.ws.NAME" inherit:"true" port:"8080" reload:"restart"`
	WSS   map[string]wsListener     `key:"listener.wss.NAME" inherit:"true" port:"8443" reload:"restart"`
	HTTP  map[string]httpListener   `key:"listener.http.NAME" inherit:"true" port:"8888" reload:"restart"`
	HTTPS map[string]httpListener   `key:"listener.https.NAME" inherit:"true" port:"8889" reload:"restart"`
}

type clientListener struct {
	Addr           value.Address `key:"" doc:"Address."`
	MaxConnections int           `key:"max_connections" default:"10000" range:"0.." words:"infinity=0" reload:"live" doc:"Connections at a time."`
	Lifetime       time.Duration `key:"max_connection_lifetime" default:"0" unit:"s" doc:"0 is unlimited."`
	Mountpoint     string        `key:"mountpoint" default:"off" doc:"Prefix of topics."`
	Versions       []int         `key:"allowed_protocol_versions" default:"3,4,5,131" doc:"Of MQTT."`
	Anonymous      bool          `key:"allow_anonymous_override" doc:"For this listener."`
	AuthPlugins    []string      `key:"auth_plugins" native:"true" doc:"In this order."`
	AuthzPlugins   []string      `key:"authz_plugins" native:"true" doc:"In this order."`
	Proxy          bool          `key:"proxy_protocol" doc:"PROXY protocol."`
	ProxyCN        bool          `key:"proxy_protocol_use_cn_as_username" default:"on" doc:"From the TLV."`
	ForwardOpts    bool          `key:"forward_connection_opts" doc:"To hooks."`
	Buffers        string        `key:"buffer_sizes" doc:"Of sockets."`
}

type tlsOptions struct {
	CAFile       string        `key:"cafile" doc:"File."`
	CertFile     string        `key:"certfile" doc:"File."`
	KeyFile      string        `key:"keyfile" doc:"File."`
	KeyPasswd    value.Secret  `key:"keypasswd" doc:"Of the key."`
	Depth        int           `key:"depth" default:"1" doc:"Of chains."`
	Ciphers      string        `key:"ciphers" doc:"List."`
	ECCs         string        `key:"eccs" doc:"List."`
	CRLFile      string        `key:"crlfile" doc:"File."`
	RequireCert  bool          `key:"require_certificate" doc:"Mutual TLS."`
	Versions     []string      `key:"tls_version" default:"tlsv1.2" enum:"tlsv1,tlsv1.1,tlsv1.2,tlsv1.3" doc:"Versions."`
	Handshake    time.Duration `key:"tls_handshake_timeout" default:"5000" unit:"ms" doc:"Time."`
	IdentityUser bool          `key:"use_identity_as_username" doc:"CN."`
}

type tlsListener struct {
	Client clientListener
	TLS    tlsOptions
}

type wsListener struct {
	Client  clientListener
	TLS     tlsOptions
	XFF     bool     `key:"proxy_xff_support" doc:"Header."`
	XFFFrom []string `key:"proxy_xff_trusted_intermediate" sep:";" doc:"Proxies."`
	XFFCN   bool     `key:"proxy_xff_use_cn_as_username" doc:"Header."`
	XFFName string   `key:"proxy_xff_cn_header" default:"x-ssl-client-cn" doc:"Header."`
	Limits  httpLimits
}

type httpLimits struct {
	MaxLine   int `key:"max_request_line_length" default:"8000" doc:"Bytes."`
	MaxHeader int `key:"max_header_value_length" default:"4096" doc:"Bytes."`
}

type httpListener struct {
	Addr           value.Address           `key:"" doc:"Address."`
	MaxConnections int                     `key:"max_connections" default:"10000" words:"infinity=0" reload:"live" doc:"Connections at a time."`
	Proxy          bool                    `key:"proxy_protocol" doc:"PROXY protocol."`
	ProxyCN        bool                    `key:"proxy_protocol_use_cn_as_username" default:"on" doc:"From the TLV."`
	Modules        map[string]moduleConfig `key:"http_module.MODULE" native:"true"`
	Serves         []string                `key:"http_modules" native:"true" doc:"Modules."`
	TLS            tlsOptions
	Limits         httpLimits
}

func sampleSections() []any {
	return []any{&sessionConfig{}, &houseConfig{}, &listenersConfig{}}
}
