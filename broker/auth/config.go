package auth

import (
	"log/slog"
	"time"

	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// ACLConfig says where the rules of the plugin acl are. Immutable.
type ACLConfig struct {
	_ struct{} `doc:"Access control file"`

	File   string        `key:"acl.acl_file" default:"/etc/lunemq/lunemq.acl" reload:"live" doc:"Who may publish and subscribe to what, for the plugin acl."`
	Reload time.Duration `key:"acl.acl_reload_interval" default:"10" unit:"s" range:"0..86400" reload:"live" doc:"How often acl.acl_file is looked at for a change. 0 = only when the configuration is reloaded."`
}

// PasswdConfig says where the users of the plugin passwd are. Immutable.
type PasswdConfig struct {
	_ struct{} `doc:"Password file"`

	File   string        `key:"passwd.password_file" default:"/etc/lunemq/lunemq.passwd" reload:"live" doc:"Users with their hashed passwords, for the plugin passwd; written by lunemq passwd."`
	Reload time.Duration `key:"passwd.password_reload_interval" default:"10" unit:"s" range:"0..86400" reload:"live" doc:"How often passwd.password_file is looked at for a change. 0 = only when the configuration is reloaded."`
}

// Deps are what a plugin needs from the broker. All fields but Alarms are
// required.
type Deps struct {
	Log     *slog.Logger
	Reloads *metric.Counter // reloads that took effect, the one at start not counted
	Errors  *metric.Counter // reloads that failed; what was in force stays
	Alarms  *alarm.List     // where a file that cannot be used is raised
}
