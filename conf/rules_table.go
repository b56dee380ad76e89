package conf

const (
	noCluster   = "this node is alone; it takes effect with the cluster"
	linkBounds  = "links between nodes are bounded by cluster.spill_limit and need no such bound"
	oneStore    = "there is one store, below data_dir, which needs no tuning"
	goRuntime   = "Go's scheduler and collector need no such setting; memory_limit bounds the memory"
	ownMeta     = "sessions, subscriptions and retained messages are kept in the one store below data_dir"
	dataDir     = "everything lies below data_dir"
	noDatabases = "the library of this database has no such option"
	noWebhooks  = "webhooks are not built yet, plugins.webhooks is off"
	noBridge    = "bridges are not built yet, plugins.bridge is off"
	noHTTPPub   = "publishing over HTTP is not built yet"
	noWebUI     = "the web page is not built yet"
	noSystree   = "$SYS topics are not built yet"
	noGraphite  = "Graphite is not built yet, graphite_enabled is off"
	oneLog      = "there is one log, see log.console"
	logRotate   = "the log file is not rotated by the broker; logrotate may move it away"
	noSyslog    = "syslog is not built yet, log.syslog is off"
	noPSK       = "Go's TLS has no pre-shared keys"
	useCerts    = "remove the line and use client certificates (require_certificate = on) or passwords"
)

// rules holds the keys that this broker will never have, or does not have
// before later work. The first row that matches counts.
var rules = []rule{
	// Sessions.
	{"coordinate_registrations", "*", "registrations of one client identifier are always serialised", ""},
	{"logging.obfuscation_secret", "*", "passwords are never logged, and not kept once checked", ""},
	{"logging.keepalive_as_warning", "*", "a connection whose keep alive ran out is logged like any other that ends", ""},
	{"subscriber_retain_mode", "*", "SUBACK always waits until the retained messages are loaded", ""},

	// Queues.
	{"queue_deliver_mode", "*", "a client has one session, so there is nothing to balance; see shared subscriptions", ""},
	{"max_drain_time", "*", "a queue moves to another node without a time limit", ""},
	{"max_msgs_per_drain_step", "*", "a queue that moves to another node is bounded in bytes", ""},
	{"queue_sup_sup_children", "*", goRuntime, ""},
	{"fanout.*", "*", "fan-out needs no shards", ""},
	{"shared_subscription_timeout_action", "*", "a message goes to another member when its member's session ends", ""},
	{"expire_retain_cache", "*", "expired retained messages are never sent, and removed within five minutes", ""},

	// Cluster.
	{"allow_register_during_netsplit", "*", noCluster, ""},
	{"allow_publish_during_netsplit", "*", noCluster, ""},
	{"allow_subscribe_during_netsplit", "*", noCluster, ""},
	{"allow_unsubscribe_during_netsplit", "*", noCluster, ""},
	{"metadata_plugin", "*", ownMeta, ""},
	{"outgoing_clustering_buffer_size", "*", linkBounds, ""},
	{"incoming_clustering_buffer_size", "*", linkBounds, ""},
	{"outgoing_clustering_flush_threshold", "*", linkBounds, ""},
	{"outgoing_cluster_handshake_ack_timeout", "*", "nodes tell each other their version", ""},
	{"remote_enqueue_timeout", "*", "nothing waits for a slow node, see cluster.spill_after", ""},
	{"cluster_ready_rpc_timeout", "*", "nothing waits for a slow node", ""},
	{"outgoing_connect_options", "*", linkBounds, ""},
	{"reg_views", "*", "there is one routing table", ""},
	{"default_reg_view", "*", "there is one routing table", ""},
	{"plumtree.*", "*", ownMeta, ""},
	{"vmq_swc.*", "*", ownMeta, ""},
	{"distributed_cookie", "*", noCluster + ", as cluster.secret", ""},

	// Listeners.
	{"listener.vmq.*", "*", noCluster + ", as listener.link", ""},
	{"listener.vmqs.*", "*", noCluster + ", as listener.linktls", ""},
	{"listener.**.nr_of_acceptors", "*", "one acceptor per listener is enough", ""},
	{"listener.**.active_n", "*", "sockets are read as fast as their clients' messages are routed", ""},
	{"listener.**.psk_support", "off", noPSK, useCerts},
	{"listener.**.psk_identity_hint", "*", noPSK + "; psk_support is off", ""},
	{"listener.**.pskfile", "*", noPSK + "; psk_support is off", ""},
	{"listener.**.pskfile_separator", "*", noPSK + "; psk_support is off", ""},
	{"listener.**.high_watermark", "*", linkBounds, ""},
	{"listener.**.low_watermark", "*", linkBounds, ""},
	{"listener.**.high_msgq_watermark", "*", linkBounds, ""},
	{"listener.**.low_msgq_watermark", "*", linkBounds, ""},
	{"listener.**.http_modules.vmq_http_pub.*", "*", noHTTPPub, ""},
	{"tcp_listen_options", "*", "sockets have no delay, and a slow client is bounded by max_output_bytes", ""},

	// Storage.
	{"message_store_plugin", "vmq_generic_msg_store", oneStore, "remove the line; messages are kept below data_dir"},
	{"vmq_generic_msg_store.store_dir", "*", dataDir, ""},
	{"vmq_generic_msg_store.db_backend", "leveldb|rocksdb|leveled", oneStore, "remove the line; messages of durable sessions are kept on disk, below data_dir"},
	{"vmq_generic_msg_store.*", "*", oneStore, ""},
	{"leveldb.*", "*", oneStore, ""},

	// Plugins.
	{"plugins.vmq_webhooks", "off", noWebhooks, "remove the line or set it to off; a hook that is not asked lets nobody in"},
	{"plugins.vmq_bridge", "off", noBridge, ""},
	{"plugins.NAME", "off", "plugins written in Erlang cannot be loaded", "remove the line; a Lua script or a webhook can take the plugin's place"},
	{"plugins.NAME.path", "*", "plugins written in Erlang cannot be loaded", ""},
	{"plugins.NAME.priority", "*", "the plugin is off", ""},
	{"default_schema_dir", "*", "keys are declared by the broker itself", ""},
	{"wait_for_proc", "*", "plugins start after the broker", ""},

	// Metrics exporters.
	{"systree_enabled", "*", noSystree, ""},
	{"systree_interval", "*", noSystree, ""},
	{"systree_mountpoint", "*", noSystree, ""},
	{"systree_qos", "*", noSystree, ""},
	{"systree_retain", "*", noSystree, ""},
	{"systree_reg_view", "*", "there is one routing table", ""},
	{"prometheus_namespace", "*", "/metrics is not built yet", ""},
	{"graphite_enabled", "off", noGraphite, "remove the line or set it to off; no values would arrive"},
	{"graphite_host", "*", noGraphite, ""},
	{"graphite_port", "*", noGraphite, ""},
	{"graphite_interval", "*", noGraphite, ""},
	{"graphite_prefix", "*", noGraphite, ""},
	{"graphite_api_key", "*", noGraphite, ""},
	{"graphite_connect_timeout", "*", noGraphite, ""},
	{"graphite_reconnect_timeout", "*", noGraphite, ""},
	{"graphite_include_labels", "*", noGraphite, ""},

	// Plugins that are not built yet: their own keys mean nothing while the key
	// that switches them on is off, and that key is refused at on.
	{"vmq_bridge.*", "*", noBridge, ""},
	{"vmq_webhooks.*", "*", noWebhooks, ""},
	{"vmq_diversity.auth_postgres.enabled", "off", noDatabases, "remove the line or set it to off; without it the script lets nobody in"},
	{"vmq_diversity.auth_cockroachdb.enabled", "off", noDatabases, "remove the line or set it to off; without it the script lets nobody in"},
	{"vmq_diversity.auth_mysql.enabled", "off", noDatabases, "remove the line or set it to off; without it the script lets nobody in"},
	{"vmq_diversity.auth_mysql2.enabled", "off", noDatabases, "remove the line or set it to off; without it the script lets nobody in"},
	{"vmq_diversity.auth_mongodb.enabled", "off", noDatabases, "remove the line or set it to off; without it the script lets nobody in"},
	{"vmq_diversity.auth_redis.enabled", "off", noDatabases, "remove the line or set it to off; without it the script lets nobody in"},
	{"vmq_diversity.*", "*", noDatabases, ""},
	{"vmq_bcrypt.*", "*", "hashing runs in the broker's own workers", ""},
	{"vmq_http_pub.*", "*", noHTTPPub, ""},
	{"vmq_web_ui.*", "*", noWebUI, ""},

	// Node and virtual machine.
	{"erlang.distribution.*", "*", "nodes speak over listener.link", ""},
	{"erlang.*", "*", goRuntime, ""},
	{"process_limit", "*", goRuntime, ""},
	{"platform_bin_dir", "*", dataDir, ""},
	{"platform_data_dir", "*", dataDir, ""},
	{"platform_etc_dir", "*", dataDir, ""},
	{"platform_lib_dir", "*", dataDir, ""},
	{"platform_log_dir", "*", "log.console.file says where the log goes", ""},
	{"setup.data_dir", "*", dataDir, ""},
	{"setup.log_dir", "*", "log.console.file says where the log goes", ""},

	// Logging.
	{"log.console.rotation.*", "*", logRotate, ""},
	{"log.error", "*", oneLog, ""},
	{"log.error.*", "*", oneLog, ""},
	{"log.crash", "*", oneLog, ""},
	{"log.crash.*", "*", oneLog, ""},
	{"log.sasl", "*", oneLog, ""},
	{"log.sasl.*", "*", oneLog, ""},
	{"log.template", "*", "log.console.console.format says how lines look", ""},
	{"log.level", "*", "log.console.level is the one level", ""},
	{"log.syslog", "off", noSyslog, "remove the line or set it to off; standard error reaches the journal"},
	{"log.syslog.*", "*", noSyslog, ""},
}

const notYet = "this build does not have it yet"

// pendingRules holds the keys that are to work. A build in which no Config
// struct has one accepts VerneMQ's default, which is what it does, and refuses
// the rest.
var pendingRules = []rule{
	{"allow_anonymous", "off", notYet, ""},
	{"max_client_id_size", "100", notYet, ""},
	{"persistent_client_expiration", "never", notYet, ""},
	{"max_subscriptions_per_client", "0", notYet, ""},
	{"retry_interval", "20|0", notYet, ""},
	{"max_inflight_messages", "20", notYet, ""},
	{"max_message_size", "0", notYet, ""},
	{"max_message_rate", "0", notYet, ""},
	{"upgrade_outgoing_qos", "off", notYet, ""},
	{"max_last_will_delay", "client", notYet, ""},
	{"receive_max_client", "65535", notYet, ""},
	{"receive_max_broker", "65535", notYet, ""},
	{"topic_alias_max_client", "0", notYet, ""},
	{"topic_alias_max_broker", "0", notYet, ""},
	{"topic_max_depth", "10", notYet, ""},
	{"mqtt_connect_timeout", "5000", notYet, ""},
	{"suppress_lwt_on_session_takeover", "off", notYet, ""},
	{"disconnect_on_unauthorized_publish_v3", "off", notYet, ""},
	{"max_online_messages", "1000", notYet, ""},
	{"max_offline_messages", "1000", notYet, ""},
	{"override_max_online_messages", "off", notYet, ""},
	{"queue_type", "fifo", notYet, ""},
	{"shared_subscription_policy", "prefer_local", notYet, ""},
	{"max_ws_frame_size", "268435456", notYet, ""},
	{"crl_refresh_interval", "*", notYet, ""},
	{"min_apikey_length", "0", notYet, ""},
	{"max_apikey_expiry_days", "0|unlimited", notYet, ""},
	{"http_modules", "[vmq_metrics_http,vmq_http_mgmt_api,vmq_status_http,vmq_health_http,vmq_http_v2_api]", notYet, ""},
	{"http_module.MODULE.auth.mode", "", notYet, ""},
	{"nodename", "*", "names matter with the cluster", ""},
	{"log.console", "*", "the log goes to standard error", ""},
	{"log.console.level", "info", notYet, ""},
	{"log.console.file", "*", "the log goes to standard error", ""},
	{"log.console.console.format", "text", notYet, ""},
	{"log.console.file.format", "text", notYet, ""},
	{"vmq_passwd.password_file", "", notYet, ""},
	{"vmq_passwd.password_reload_interval", "*", notYet, ""},
	{"vmq_acl.acl_file", "", notYet, ""},
	{"vmq_acl.acl_reload_interval", "*", notYet, ""},

	{"listener.**.max_connections", "10000|infinity", notYet, ""},
	{"listener.**.max_connection_lifetime", "0", notYet, ""},
	{"listener.**.mountpoint", "off|", notYet, ""},
	{"listener.**.allowed_protocol_versions", "3,4,5,131", notYet, ""},
	{"listener.**.allow_anonymous_override", "off", notYet, ""},
	{"listener.**.auth_plugins", "", notYet, ""},
	{"listener.**.authz_plugins", "", notYet, ""},
	{"listener.**.forward_connection_opts", "off", notYet, ""},
	{"listener.**.buffer_sizes", "*", "the system chooses the size of socket buffers", ""},
	{"listener.**.proxy_protocol", "off", notYet, ""},
	{"listener.**.proxy_protocol_use_cn_as_username", "*", "proxy_protocol is off", ""},
	{"listener.**.proxy_xff_support", "off", notYet, ""},
	{"listener.**.proxy_xff_trusted_intermediate", "*", "proxy_xff_support is off", ""},
	{"listener.**.proxy_xff_use_cn_as_username", "off", notYet, ""},
	{"listener.**.proxy_xff_cn_header", "*", "proxy_xff_use_cn_as_username is off", ""},
	{"listener.**.max_request_line_length", "8000", notYet, ""},
	{"listener.**.max_header_value_length", "4096", notYet, ""},
	{"listener.**.cafile", "", notYet, ""},
	{"listener.**.certfile", "", notYet, ""},
	{"listener.**.keyfile", "", notYet, ""},
	{"listener.**.keypasswd", "", notYet, ""},
	{"listener.**.depth", "1", notYet, ""},
	{"listener.**.ciphers", "", notYet, ""},
	{"listener.**.eccs", "", notYet, ""},
	{"listener.**.crlfile", "", notYet, ""},
	{"listener.**.require_certificate", "off", notYet, ""},
	{"listener.**.use_identity_as_username", "off", notYet, ""},
	{"listener.**.tls_version", "tlsv1.2", notYet, ""},
	{"listener.**.tls_handshake_timeout", "*", notYet, ""},
	{"listener.**.http_module.MODULE.auth.mode", "", notYet, ""},
	{"listener.**.http_modules", "", notYet, ""},
	{"listener.tcp.NAME", "", "listeners of this kind are not built yet", ""},
	{"listener.ssl.NAME", "", "listeners of this kind are not built yet", ""},
	{"listener.ws.NAME", "127.0.0.1:8080", "listeners of this kind are not built yet", ""},
	{"listener.wss.NAME", "", "listeners of this kind are not built yet", ""},
	{"listener.http.NAME", "127.0.0.1:8888", "listeners of this kind are not built yet", ""},
	{"listener.https.NAME", "", "listeners of this kind are not built yet", ""},
}
