package mqtt

import "fmt"

// ReasonCode is the one byte result of an operation.
//
// Spec: MQTT 5.0 §2.4.
type ReasonCode uint8

// Reason codes. Success, NormalDisconnection and GrantedQoS0 share a value;
// their use tells them apart.
const (
	Success                     ReasonCode = 0x00
	NormalDisconnection         ReasonCode = 0x00
	GrantedQoS0                 ReasonCode = 0x00
	GrantedQoS1                 ReasonCode = 0x01
	GrantedQoS2                 ReasonCode = 0x02
	DisconnectWithWill          ReasonCode = 0x04
	NoMatchingSubscribers       ReasonCode = 0x10
	NoSubscriptionExisted       ReasonCode = 0x11
	ContinueAuthentication      ReasonCode = 0x18
	Reauthenticate              ReasonCode = 0x19
	UnspecifiedError            ReasonCode = 0x80
	MalformedPacket             ReasonCode = 0x81
	ProtocolError               ReasonCode = 0x82
	ImplementationSpecificError ReasonCode = 0x83
	UnsupportedProtocolVersion  ReasonCode = 0x84
	ClientIdentifierNotValid    ReasonCode = 0x85
	BadUserNameOrPassword       ReasonCode = 0x86
	NotAuthorized               ReasonCode = 0x87
	ServerUnavailable           ReasonCode = 0x88
	ServerBusy                  ReasonCode = 0x89
	Banned                      ReasonCode = 0x8A
	ServerShuttingDown          ReasonCode = 0x8B
	BadAuthenticationMethod     ReasonCode = 0x8C
	KeepAliveTimeout            ReasonCode = 0x8D
	SessionTakenOver            ReasonCode = 0x8E
	TopicFilterInvalid          ReasonCode = 0x8F
	TopicNameInvalid            ReasonCode = 0x90
	PacketIDInUse               ReasonCode = 0x91
	PacketIDNotFound            ReasonCode = 0x92
	ReceiveMaximumExceeded      ReasonCode = 0x93
	TopicAliasInvalid           ReasonCode = 0x94
	PacketTooLarge              ReasonCode = 0x95
	MessageRateTooHigh          ReasonCode = 0x96
	QuotaExceeded               ReasonCode = 0x97
	AdministrativeAction        ReasonCode = 0x98
	PayloadFormatInvalid        ReasonCode = 0x99
	RetainNotSupported          ReasonCode = 0x9A
	QoSNotSupported             ReasonCode = 0x9B
	UseAnotherServer            ReasonCode = 0x9C
	ServerMoved                 ReasonCode = 0x9D
	SharedSubsNotSupported      ReasonCode = 0x9E
	ConnectionRateExceeded      ReasonCode = 0x9F
	MaximumConnectTime          ReasonCode = 0xA0
	SubscriptionIDsNotSupported ReasonCode = 0xA1
	WildcardSubsNotSupported    ReasonCode = 0xA2
)

// names are those that plugins answer with and metrics carry as labels.
var names = map[ReasonCode]string{
	Success: "success", GrantedQoS1: "granted_qos1", GrantedQoS2: "granted_qos2",
	DisconnectWithWill: "disconnect_with_will_msg", NoMatchingSubscribers: "no_matching_subscribers",
	NoSubscriptionExisted: "no_subscription_existed", ContinueAuthentication: "continue_authentication",
	Reauthenticate: "reauthenticate", UnspecifiedError: "unspecified_error", MalformedPacket: "malformed_packet",
	ProtocolError: "protocol_error", ImplementationSpecificError: "impl_specific_error",
	UnsupportedProtocolVersion: "unsupported_protocol_version", ClientIdentifierNotValid: "client_identifier_not_valid",
	BadUserNameOrPassword: "bad_username_or_password", NotAuthorized: "not_authorized",
	ServerUnavailable: "server_unavailable", ServerBusy: "server_busy", Banned: "banned",
	ServerShuttingDown: "server_shutting_down", BadAuthenticationMethod: "bad_authentication_method",
	KeepAliveTimeout: "keep_alive_timeout", SessionTakenOver: "session_taken_over",
	TopicFilterInvalid: "topic_filter_invalid", TopicNameInvalid: "topic_name_invalid",
	PacketIDInUse: "packet_id_in_use", PacketIDNotFound: "packet_id_not_found",
	ReceiveMaximumExceeded: "receive_max_exceeded", TopicAliasInvalid: "topic_alias_invalid",
	PacketTooLarge: "packet_too_large", MessageRateTooHigh: "message_rate_too_high", QuotaExceeded: "quota_exceeded",
	AdministrativeAction: "administrative_action", PayloadFormatInvalid: "payload_format_invalid",
	RetainNotSupported: "retain_not_supported", QoSNotSupported: "qos_not_supported",
	UseAnotherServer: "use_another_server", ServerMoved: "server_moved",
	SharedSubsNotSupported: "shared_subs_not_supported", ConnectionRateExceeded: "connection_rate_exceeded",
	MaximumConnectTime: "max_connect_time", SubscriptionIDsNotSupported: "subscription_ids_not_supported",
	WildcardSubsNotSupported: "wildcard_subs_not_supported",
}

// String returns the name used in plugin answers and metric labels, such as
// "not_authorized"; an unknown code prints as "0x7f".
func (c ReasonCode) String() string {
	if s, ok := names[c]; ok {
		return s
	}
	return fmt.Sprintf("0x%02x", uint8(c))
}

// IsError reports whether the code says that the operation failed (0x80 and
// above).
func (c ReasonCode) IsError() bool { return c >= 0x80 }

// ParseReasonCode returns the code with the given name. "normal_disconnect"
// and "granted_qos0" are names of 0x00 as well.
func ParseReasonCode(name string) (ReasonCode, bool) {
	if name == "normal_disconnect" || name == "granted_qos0" {
		return Success, true
	}
	for c, n := range names {
		if n == name {
			return c, true
		}
	}
	return 0, false
}
