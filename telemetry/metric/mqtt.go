package metric

// Reason codes that the standard permits per packet.
//
// Spec: MQTT 5.0 §2.4, §3.2.2.2, §3.4.2.1, §3.6.2.1, §3.14.2.1, §3.15.2.1.
var (
	connackCodes = []uint8{
		0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90,
		0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
	}
	publishCodes  = []uint8{0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99} // PUBACK, PUBREC
	releaseCodes  = []uint8{0x00, 0x92}                                           // PUBREL, PUBCOMP
	disconnectIn  = []uint8{0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}
	disconnectOut = []uint8{
		0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95,
		0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
	}
	authCodes = []uint8{0x00, 0x18, 0x19}
)

// returnNames are the return codes of CONNACK before 5.0.
//
// Spec: MQTT 3.1.1 §3.2.2.3.
var returnNames = [...]string{
	"success", "unsupported_protocol_version", "client_identifier_not_valid",
	"server_unavailable", "bad_username_or_password", "not_authorized",
}

// reasonNames are label values by reason code. 0x00 of DISCONNECT is
// "normal_disconnect".
//
// Spec: MQTT 5.0 §2.4.
var reasonNames = map[uint8]string{
	0x00: "success", 0x04: "disconnect_with_will_msg", 0x10: "no_matching_subscribers",
	0x18: "continue_authentication", 0x19: "reauthenticate", 0x80: "unspecified_error",
	0x81: "malformed_packet", 0x82: "protocol_error", 0x83: "impl_specific_error",
	0x84: "unsupported_protocol_version", 0x85: "client_identifier_not_valid",
	0x86: "bad_username_or_password", 0x87: "not_authorized", 0x88: "server_unavailable",
	0x89: "server_busy", 0x8A: "banned", 0x8B: "server_shutting_down",
	0x8C: "bad_authentication_method", 0x8D: "keep_alive_timeout", 0x8E: "session_taken_over",
	0x8F: "topic_filter_invalid", 0x90: "topic_name_invalid", 0x91: "packet_id_in_use",
	0x92: "packet_id_not_found", 0x93: "receive_max_exceeded", 0x94: "topic_alias_invalid",
	0x95: "packet_too_large", 0x96: "message_rate_too_high", 0x97: "quota_exceeded",
	0x98: "administrative_action", 0x99: "payload_format_invalid", 0x9A: "retain_not_supported",
	0x9B: "qos_not_supported", 0x9C: "use_another_server", 0x9D: "server_moved",
	0x9E: "shared_subs_not_supported", 0x9F: "connection_rate_exceeded", 0xA0: "max_connect_time",
	0xA1: "subscription_ids_not_supported", 0xA2: "wildcard_subs_not_supported",
}

const packets = "packets"

var mqttEntries = []Entry{
	{Name: "mqtt_connect_received", Field: "MQTTConnectReceived", Unit: packets, Labels: byVersion, OID: "2.1", Help: "CONNECT packets received."},
	{Name: "mqtt_connack_sent", Field: "MQTTConnackSent", Unit: packets, Labels: byReturn, codes: connackCodes, OID: "2.2", Help: "CONNACK packets sent."},
	{Name: "mqtt_publish_received", Field: "MQTTPublishReceived", Unit: packets, Labels: byVersion, OID: "2.3", Help: "PUBLISH packets received."},
	{Name: "mqtt_publish_sent", Field: "MQTTPublishSent", Unit: packets, Labels: byVersion, OID: "2.4", Help: "PUBLISH packets sent."},
	{Name: "mqtt_puback_received", Field: "MQTTPubackReceived", Unit: packets, Labels: byReason, codes: publishCodes, OID: "2.5", Help: "PUBACK packets received."},
	{Name: "mqtt_puback_sent", Field: "MQTTPubackSent", Unit: packets, Labels: byReason, codes: publishCodes, OID: "2.6", Help: "PUBACK packets sent."},
	{Name: "mqtt_pubrec_received", Field: "MQTTPubrecReceived", Unit: packets, Labels: byReason, codes: publishCodes, OID: "2.7", Help: "PUBREC packets received."},
	{Name: "mqtt_pubrec_sent", Field: "MQTTPubrecSent", Unit: packets, Labels: byReason, codes: publishCodes, OID: "2.8", Help: "PUBREC packets sent."},
	{Name: "mqtt_pubrel_received", Field: "MQTTPubrelReceived", Unit: packets, Labels: byReason, codes: releaseCodes, OID: "2.9", Help: "PUBREL packets received."},
	{Name: "mqtt_pubrel_sent", Field: "MQTTPubrelSent", Unit: packets, Labels: byReason, codes: releaseCodes, OID: "2.10", Help: "PUBREL packets sent."},
	{Name: "mqtt_pubcomp_received", Field: "MQTTPubcompReceived", Unit: packets, Labels: byReason, codes: releaseCodes, OID: "2.11", Help: "PUBCOMP packets received."},
	{Name: "mqtt_pubcomp_sent", Field: "MQTTPubcompSent", Unit: packets, Labels: byReason, codes: releaseCodes, OID: "2.12", Help: "PUBCOMP packets sent."},
	{Name: "mqtt_subscribe_received", Field: "MQTTSubscribeReceived", Unit: packets, Labels: byVersion, OID: "2.13", Help: "SUBSCRIBE packets received."},
	{Name: "mqtt_suback_sent", Field: "MQTTSubackSent", Unit: packets, Labels: byVersion, OID: "2.14", Help: "SUBACK packets sent."},
	{Name: "mqtt_unsubscribe_received", Field: "MQTTUnsubscribeReceived", Unit: packets, Labels: byVersion, OID: "2.15", Help: "UNSUBSCRIBE packets received."},
	{Name: "mqtt_unsuback_sent", Field: "MQTTUnsubackSent", Unit: packets, Labels: byVersion, OID: "2.16", Help: "UNSUBACK packets sent."},
	{Name: "mqtt_pingreq_received", Field: "MQTTPingreqReceived", Unit: packets, Labels: byVersion, OID: "2.17", Help: "PINGREQ packets received."},
	{Name: "mqtt_pingresp_sent", Field: "MQTTPingrespSent", Unit: packets, Labels: byVersion, OID: "2.18", Help: "PINGRESP packets sent."},
	{Name: "mqtt_disconnect_received", Field: "MQTTDisconnectReceived", Unit: packets, Labels: byReason, codes: disconnectIn, OID: "2.19", Help: "DISCONNECT packets received."},
	{Name: "mqtt_disconnect_sent", Field: "MQTTDisconnectSent", Unit: packets, Labels: byReason, codes: disconnectOut, OID: "2.20", Help: "DISCONNECT packets sent."},
	{Name: "mqtt_auth_received", Field: "MQTTAuthReceived", Unit: packets, Labels: byReason, codes: authCodes, OID: "2.21", Help: "AUTH packets received."},
	{Name: "mqtt_auth_sent", Field: "MQTTAuthSent", Unit: packets, Labels: byReason, codes: authCodes, OID: "2.22", Help: "AUTH packets sent."},
	{Name: "mqtt_publish_auth_error", Field: "MQTTPublishAuthError", Unit: packets, Labels: byVersion, OID: "2.23", Help: "PUBLISH packets refused for lack of permission."},
	{Name: "mqtt_subscribe_auth_error", Field: "MQTTSubscribeAuthError", Unit: packets, Labels: byVersion, OID: "2.24", Help: "SUBSCRIBE packets refused for lack of permission."},
	{Name: "mqtt_invalid_msg_size_error", Field: "MQTTInvalidMsgSizeError", Unit: packets, Labels: byVersion, OID: "2.25", Help: "PUBLISH packets refused for their size."},
	{Name: "mqtt_publish_error", Field: "MQTTPublishError", Unit: packets, Labels: byVersion, OID: "2.26", Help: "PUBLISH packets that failed."},
	{Name: "mqtt_subscribe_error", Field: "MQTTSubscribeError", Unit: packets, Labels: byVersion, OID: "2.27", Help: "SUBSCRIBE packets that failed."},
	{Name: "mqtt_unsubscribe_error", Field: "MQTTUnsubscribeError", Unit: packets, Labels: byVersion, OID: "2.28", Help: "UNSUBSCRIBE packets that failed."},
	{Name: "mqtt_puback_invalid_error", Field: "MQTTPubackInvalidError", Unit: packets, Labels: byVersion, OID: "2.29", Help: "PUBACK packets with an unknown packet identifier."},
	{Name: "mqtt_pubrec_invalid_error", Field: "MQTTPubrecInvalidError", Unit: packets, Labels: byVersion, OID: "2.30", Help: "PUBREC packets with an unknown packet identifier."},
	{Name: "mqtt_pubcomp_invalid_error", Field: "MQTTPubcompInvalidError", Unit: packets, Labels: byVersion, OID: "2.31", Help: "PUBCOMP packets with an unknown packet identifier."},
	{Name: "client_keepalive_expired", Field: "ClientKeepaliveExpired", Unit: "clients", Labels: byVersion, OID: "2.32", Help: "Clients disconnected because their keep alive ran out."},
}
