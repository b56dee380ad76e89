package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// reasons says which packets each reason code occurs in; 0 = no such code.
// The directions are not told apart.
//
// Spec: MQTT 5.0 §2.4, table 2-6.
var reasons = [256]place{
	mqtt.Success: in(TypeConnack, TypePuback, TypePubrec, TypePubrel, TypePubcomp, TypeSuback, TypeUnsuback,
		TypeDisconnect, TypeAuth),
	mqtt.GrantedQoS1:            in(TypeSuback),
	mqtt.GrantedQoS2:            in(TypeSuback),
	mqtt.DisconnectWithWill:     in(TypeDisconnect),
	mqtt.NoMatchingSubscribers:  in(TypePuback, TypePubrec),
	mqtt.NoSubscriptionExisted:  in(TypeUnsuback),
	mqtt.ContinueAuthentication: in(TypeAuth),
	mqtt.Reauthenticate:         in(TypeAuth),
	mqtt.UnspecifiedError: in(TypeConnack, TypePuback, TypePubrec, TypeSuback, TypeUnsuback,
		TypeDisconnect),
	mqtt.MalformedPacket: in(TypeConnack, TypeDisconnect),
	mqtt.ProtocolError:   in(TypeConnack, TypeDisconnect),
	mqtt.ImplementationSpecificError: in(TypeConnack, TypePuback, TypePubrec, TypeSuback, TypeUnsuback,
		TypeDisconnect),
	mqtt.UnsupportedProtocolVersion: in(TypeConnack),
	mqtt.ClientIdentifierNotValid:   in(TypeConnack),
	mqtt.BadUserNameOrPassword:      in(TypeConnack),
	mqtt.NotAuthorized: in(TypeConnack, TypePuback, TypePubrec, TypeSuback, TypeUnsuback,
		TypeDisconnect),
	mqtt.ServerUnavailable:           in(TypeConnack),
	mqtt.ServerBusy:                  in(TypeConnack, TypeDisconnect),
	mqtt.Banned:                      in(TypeConnack),
	mqtt.ServerShuttingDown:          in(TypeDisconnect),
	mqtt.BadAuthenticationMethod:     in(TypeConnack, TypeDisconnect),
	mqtt.KeepAliveTimeout:            in(TypeDisconnect),
	mqtt.SessionTakenOver:            in(TypeDisconnect),
	mqtt.TopicFilterInvalid:          in(TypeSuback, TypeUnsuback, TypeDisconnect),
	mqtt.TopicNameInvalid:            in(TypeConnack, TypePuback, TypePubrec, TypeDisconnect),
	mqtt.PacketIDInUse:               in(TypePuback, TypePubrec, TypeSuback, TypeUnsuback),
	mqtt.PacketIDNotFound:            in(TypePubrel, TypePubcomp),
	mqtt.ReceiveMaximumExceeded:      in(TypeDisconnect),
	mqtt.TopicAliasInvalid:           in(TypeDisconnect),
	mqtt.PacketTooLarge:              in(TypeConnack, TypeDisconnect),
	mqtt.MessageRateTooHigh:          in(TypeDisconnect),
	mqtt.QuotaExceeded:               in(TypeConnack, TypePuback, TypePubrec, TypeSuback, TypeDisconnect),
	mqtt.AdministrativeAction:        in(TypeDisconnect),
	mqtt.PayloadFormatInvalid:        in(TypeConnack, TypePuback, TypePubrec, TypeDisconnect),
	mqtt.RetainNotSupported:          in(TypeConnack, TypeDisconnect),
	mqtt.QoSNotSupported:             in(TypeConnack, TypeDisconnect),
	mqtt.UseAnotherServer:            in(TypeConnack, TypeDisconnect),
	mqtt.ServerMoved:                 in(TypeConnack, TypeDisconnect),
	mqtt.SharedSubsNotSupported:      in(TypeSuback, TypeDisconnect),
	mqtt.ConnectionRateExceeded:      in(TypeConnack, TypeDisconnect),
	mqtt.MaximumConnectTime:          in(TypeDisconnect),
	mqtt.SubscriptionIDsNotSupported: in(TypeSuback, TypeDisconnect),
	mqtt.WildcardSubsNotSupported:    in(TypeSuback, TypeDisconnect),
}

// reasonCode reads a reason code that the packet may carry. [MQTT-3.2.2-8]
// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.9.3-2]
// [MQTT-3.11.3-2] [MQTT-3.14.2-1] [MQTT-3.15.2-1]
func (r *reader) reasonCode() mqtt.ReasonCode {
	c := mqtt.ReasonCode(r.u8())
	if reasons[c]&in(r.t) == 0 {
		r.fail(mqtt.ProtocolError, "reason code %v", c)
	}
	return c
}

// reasonCodes reads the codes of a SUBACK or UNSUBACK to the end.
func (r *reader) reasonCodes() []mqtt.ReasonCode {
	if len(r.p) == 0 {
		r.fail(mqtt.ProtocolError, "no reason code")
		return nil
	}
	codes := make([]mqtt.ReasonCode, len(r.p))
	for i := range codes {
		codes[i] = r.reasonCode()
	}
	return codes
}

// reasonAndUser reads the properties of SUBACK and UNSUBACK.
func (r *reader) reasonAndUser() (reason string, user []mqtt.UserProperty) {
	r.openProperties(in(r.t))
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		switch id {
		case propReasonString:
			reason = r.owned()
		case propUserProperty:
			user = r.userProperty(user)
		}
	}
	return reason, user
}

// reasonAndUser writes the two properties that all answers share.
func (w *writer) reasonAndUser(reason string, user []mqtt.UserProperty) {
	w.propText(propReasonString, reason, reason != "")
	w.userProperties(user)
}

// reasonSection writes them with their length.
func (w *writer) reasonSection(reason string, user []mqtt.UserProperty) {
	section := writer{count: true}
	section.reasonAndUser(reason, user)
	w.varint(uint32(section.n))
	w.reasonAndUser(reason, user)
}
