package broker

import (
	"fmt"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/auth"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/conf/value"
)

// Config is the whole broker's configuration.
type Config struct {
	_ struct{} `doc:"Node"`

	NodeName        value.NodeName `key:"nodename" default:"lunemq@127.0.0.1" reload:"restart" doc:"Name of this node: NAME@HOST. It stands in $SYS topics and labels."`
	DataDir         string         `key:"data_dir" default:"/var/lib/lunemq" reload:"restart" doc:"Folder of everything the broker keeps; made if missing."`
	ShutdownTimeout time.Duration  `key:"shutdown_timeout" default:"15" unit:"s" range:"1s..1h" reload:"live" doc:"How long a stop may take: clients are told, what is durable is stored."`

	Who struct {
		_              struct{} `doc:"Who may connect, publish and subscribe"`
		AllowAnonymous bool     `key:"allow_anonymous" default:"off" reload:"live" doc:"Accept every client without asking plugins. Publishing and subscribing need a plugin's yes all the same."`
		// Plugins by name; the composer knows how to make them.
		Plugins map[string]PluginConfig `key:"plugins.NAME" names:"acl,passwd,lua" native:"true" default:"acl=on,passwd=on" reload:"live" doc:"Plugins that decide and observe. Those with a priority come first, lower numbers before higher ones, then the others by name."`
		Passwd  auth.PasswdConfig
		ACL     auth.ACLConfig
	}

	Sessions struct {
		_ struct{} `doc:"Sessions and queues"`
		session.Config
		SharePolicy string `key:"shared_subscription_policy" default:"prefer_local" enum:"prefer_local,random,local_only,prefer_online_before_local" reload:"live" doc:"Which member of a share group gets a message: members that are online come first, turn by turn; random = at random among them."`
		Overlapping string `key:"overlapping_subscriptions" default:"merge" enum:"merge,each" reload:"restart" doc:"A message that matches several subscriptions of one session: merge = one copy at the highest QoS with all identifiers, each = one copy per subscription."`
	}

	Listeners listener.Config

	Pressure pressure.Config

	Admin AdminConfig
	Log   LogConfig
}

// CheckConfig implements conf.Checker: it reports what no single key shows.
func (c *Config) CheckConfig(report func(key, text, remedy string)) {
	c.Listeners.CheckConfig(report)
	if c.DataDir == "" {
		report("data_dir", "data_dir is empty", "name the folder that keeps sessions and messages, such as /var/lib/lunemq")
	}
	if c.Admin.Socket == "" {
		report("admin.socket", "admin.socket is empty", "name the socket of lunemq-admin, such as /run/lunemq/admin.sock")
	}
	for _, d := range c.Listeners.Declared() {
		if d.Client == nil {
			continue
		}
		key := "listener." + d.Spec.Name
		c.checkList(key+".auth_plugins", d.Client.AuthPlugins, report)
		c.checkList(key+".authz_plugins", d.Client.AuthzPlugins, report)
	}
}

// checkList reports plugins of a listener's list that are named twice or are
// not enabled.
//
// Reference 1.4.
func (c *Config) checkList(key string, names []string, report func(key, text, remedy string)) {
	for i, n := range names {
		switch {
		case slices.Contains(names[:i], n):
			report(key, fmt.Sprintf("%s names %q twice", key, n), "name each plugin once")
		case !c.Who.Plugins[n].On:
			report(key, fmt.Sprintf("%s names %q, which is not an enabled plugin", key, n), "set plugins."+n+" = on or take it from the list")
		}
	}
}

// PluginConfig is one plugin of the configuration.
type PluginConfig struct {
	On       bool `key:"" reload:"live" doc:"Use the plugin."`
	Priority int  `key:"priority" default:"0" range:"0..1000000" reload:"live" doc:"Place in the order of plugins: lower first. 0 = behind all that have one, by name."`
}

// AdminConfig is the administration's part.
type AdminConfig struct {
	_         struct{} `doc:"Administration"`
	Socket    string   `key:"admin.socket" default:"/run/lunemq/admin.sock" reload:"restart" doc:"Unix socket of lunemq-admin; whoever may open it may do everything. Its folder is made if missing."`
	MinKey    int      `key:"min_apikey_length" default:"0" range:"0..4096" unit:"characters" reload:"live" doc:"Shortest API key that api-key add accepts."`
	MaxExpiry int      `key:"max_apikey_expiry_days" default:"0" range:"0..36500" unit:"days" words:"unlimited=0" reload:"live" doc:"Longest life of a new API key. 0 = unlimited."`
}

// LogConfig says what is logged where.
type LogConfig struct {
	_       struct{} `doc:"Logging"`
	Console string   `key:"log.console" default:"console" enum:"off,file,console,both" reload:"restart" doc:"Where the log goes: console = standard error (under systemd the journal), file = log.console.file."`
	File    string   `key:"log.console.file" default:"/var/log/lunemq/console.log" reload:"restart" doc:"Log file for log.console = file or both; opened anew on SIGHUP."`
	Level   string   `key:"log.console.level" default:"info" enum:"debug,info,notice,warning,error,critical,alert,emergency" reload:"live" doc:"Least severity that is logged."`
	Format  string   `key:"log.console.console.format" default:"text" enum:"text,json" reload:"restart" doc:"Form of log lines."`
}
