package scripttest

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"
	"unicode"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// modifiers shows the modifiers of an answer by the names that scripts give
// them; nil for none.
func modifiers(result any) map[string]any {
	v := reflect.ValueOf(result)
	if v.Kind() == reflect.Slice && !v.IsNil() { // of on_unsubscribe
		return map[string]any{"topics": plain(v)}
	}
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	out := map[string]any{}
	v = v.Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		name := snake(v.Type().Field(i).Name)
		if raw, ok := f.Interface().(*[]byte); ok && name == "properties" {
			out[name] = properties(*raw)
			continue
		}
		out[name] = plain(f)
		if n, ok := out[name].(float64); ok && (name == "throttle" || name == "retry_interval") {
			out[name] = 1000 * n // scripts give these in milliseconds
		}
	}
	return out
}

// names of fields that scripts call otherwise.
var names = map[string]string{"key": "subscriber_id", "max_inflight": "max_inflight_messages", "upgrade_qo_s": "upgrade_qos",
	"qo_s": "qos", "expiry": "p_message_expiry_interval", "session_expiry": "p_session_expiry_interval", "will_delay": "p_will_delay_interval"}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	if n, ok := names[b.String()]; ok {
		return n
	}
	return b.String()
}

// plain makes a value of those that JSON knows.
func plain(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case mqtt.SessionKey:
		return map[string]any{"mountpoint": x.Mountpoint, "client_id": x.ClientID}
	case mqtt.UserProperty:
		return map[string]any{x.Key: x.Value}
	case hook.Topic:
		if x.Code.IsError() {
			return []any{x.Filter, float64(x.Code)}
		}
		return []any{x.Filter, float64(x.Subscription.QoS)}
	case time.Duration:
		return x.Seconds()
	case []byte:
		return string(x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem())
	case reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	case reflect.Int, reflect.Int64, reflect.Int32:
		return float64(v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return float64(v.Uint())
	}
	return v.Interface()
}

// properties shows the properties of a message.
func properties(raw []byte) any {
	p, err := packet.DecodeProperties(raw)
	if err != nil {
		return err.Error()
	}
	out := map[string]any{}
	set := func(has bool, name string, v any) {
		if has {
			out[name] = v
		}
	}
	set(p.HasContentType, "p_content_type", p.ContentType)
	set(p.HasResponseTopic, "p_response_topic", p.ResponseTopic)
	set(p.HasCorrelationData, "p_correlation_data", string(p.CorrelationData))
	set(p.HasPayloadFormat, "p_payload_format_indicator", [...]string{"unspecified", "utf8"}[p.PayloadFormat&1])
	set(len(p.UserProperties) > 0, "p_user_property", plain(reflect.ValueOf(p.UserProperties)))
	return out
}

// show writes a value in one line, keys sorted.
func show(v any) string {
	switch x := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = k + "=" + show(x[k])
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = show(x[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case string:
		return fmt.Sprintf("%q", x)
	}
	return fmt.Sprint(v)
}
