package luaconv

import "strings"

// Field is one field of a hook's argument table as documents and editor stubs
// show it.
type Field struct {
	Name string
	Type string // LuaLS notation; a trailing ? = may be absent
	Doc  string
}

// fieldTypes says of each field of the shapes what it is.
var fieldTypes = map[string]Field{
	"addr":          {"addr", "string", "IP address of the client"},
	"port":          {"port", "integer", "port of the client"},
	"mountpoint":    {"mountpoint", "string", "mountpoint, usually empty"},
	"client_id":     {"client_id", "string", "client identifier"},
	"username":      {"username", "string?", "user name"},
	"password":      {"password", "string?", "obfuscated password, see obf.decrypt"},
	"clean_session": {"clean_session", "boolean", "clean session flag"},
	"clean_start":   {"clean_start", "boolean", "clean start flag"},
	"client_cert":   {"client_cert", "string?", "certificate of the client in DER, with forward_connection_opts"},
	"listener_addr": {"listener_addr", "string?", "address of the listener, with forward_connection_opts"},
	"listener_port": {"listener_port", "integer?", "port of the listener, with forward_connection_opts"},
	"listener_type": {"listener_type", "string?", "mqtt, mqtts, mqttws or mqttwss, with forward_connection_opts"},
	"qos":           {"qos", "integer", "0, 1 or 2"},
	"topic":         {"topic", "string", "topic name"},
	"payload":       {"payload", "string", "payload, any bytes"},
	"retain":        {"retain", "boolean", "retain flag"},
	"topics":        {"topics", "table", "of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }"},
	"properties":    {"properties", "table<string, any>", "properties of MQTT 5.0 by name, such as p_user_property"},
}

// Fields returns the fields of a hook's argument table, nil if the name is not
// a hook of scripts. Names of 5.0 end in _m5.
func Fields(hook string) (list []Field) {
	point, v5 := strings.CutSuffix(hook, "_m5")
	var keys []string
	switch point {
	case "auth_on_register":
		if keys = registerShape.Keys; v5 {
			keys = registerShape5.Keys
		}
	case "on_register":
		if keys = clientShape.Keys; v5 {
			keys = clientShape5.Keys
		}
	case "auth_on_publish", "on_publish":
		if keys = publishShape.Keys; v5 {
			keys = publishShape5.Keys
		}
	case "on_deliver":
		keys = publishShape5.Keys
	case "auth_on_subscribe", "on_subscribe", "on_unsubscribe":
		if keys = subscribeShape.Keys; v5 {
			keys = subscribeShape5.Keys
		}
	case "on_auth":
		keys = authShape.Keys
	case "on_offline_message":
		keys = offlineShape.Keys
	case "on_client_wakeup", "on_client_offline", "on_client_gone", "on_session_expired":
		keys = offlineShape.Keys[:2]
	}
	for _, k := range keys {
		list = append(list, fieldTypes[k])
	}
	return list
}
