package mongodb

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	mongooptions "go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib"
)

// Config is the configuration of the library mongodb. Immutable.
type Config struct {
	_ struct{} `doc:"MongoDB for Lua scripts"`

	Server Server `key:"script.mongodb"`
}

// Server is where the database is and who asks it.
type Server struct {
	Host           string       `key:"host" default:"localhost" reload:"restart" doc:"Host of the server, or several with commas between them, each with a port of its own or not."`
	Port           int          `key:"port" default:"27017" range:"1..65535" reload:"restart" doc:"Port of hosts without one."`
	SRV            string       `key:"srv" default:"" reload:"restart" doc:"Domain whose SRV records name the servers, in place of host."`
	Login          string       `key:"login" default:"" reload:"restart" doc:"User name there; empty is none."`
	Password       value.Secret `key:"password" reload:"restart" doc:"Password of that user."`
	AuthSource     string       `key:"auth_source" default:"admin" reload:"restart" doc:"Database that knows the user."`
	Database       string       `key:"database" default:"" reload:"restart" doc:"Name of the database."`
	PoolSize       int          `key:"pool_size" default:"5" range:"1..10000" reload:"restart" doc:"Connections of a pool."`
	WMode          string       `key:"w_mode" default:"safe" enum:"safe,unsafe" reload:"restart" doc:"Whether writes are confirmed by the server."`
	ReadPreference string       `key:"read_preference" default:"primaryPreferred" enum:"primary,primaryPreferred,secondary,secondaryPreferred,nearest" reload:"restart" doc:"Which members of a replica set are asked."`
	SSL            bool         `key:"ssl" default:"off" reload:"restart" doc:"Uses TLS."`
	SNI            string       `key:"ssl.sni" default:"" reload:"restart" doc:"Name of the server in TLS; empty is its host."`
	lualib.TLS
}

type options struct {
	host, srv, login, password, authSource, database, wMode, readPreference string
	port, size                                                              int
	ssl                                                                     bool
	sni                                                                     string
	tls                                                                     lualib.TLS
}

// Patience with servers that are not there.
const (
	selectTimeout  = 2 * time.Second
	connectTimeout = 5 * time.Second
)

// open makes a client, which connects by itself.
func open(o options) (client, error) {
	if o.database == "" {
		return client{}, errors.New("database is missing; see script.mongodb.database")
	}
	c := mongooptions.Client()
	if o.srv != "" {
		c.ApplyURI("mongodb+srv://" + o.srv + "/")
	} else {
		var hosts []string
		for h := range strings.SplitSeq(o.host, ",") {
			if _, _, err := net.SplitHostPort(h); err != nil {
				h = net.JoinHostPort(strings.TrimSpace(h), strconv.Itoa(o.port))
			}
			hosts = append(hosts, h)
		}
		c.SetHosts(hosts)
	}
	if o.login != "" {
		c.SetAuth(mongooptions.Credential{Username: o.login, Password: o.password, AuthSource: o.authSource, PasswordSet: true})
	}
	if o.ssl {
		t, err := o.tls.Config(o.sni)
		if err != nil {
			return client{}, err
		}
		c.SetTLSConfig(t)
	}
	mode, err := readpref.ModeFromString(o.readPreference)
	if err != nil {
		return client{}, fmt.Errorf("read_preference: %w", err)
	}
	pref, err := readpref.New(mode)
	if err != nil {
		return client{}, err
	}
	w := writeconcern.Unacknowledged()
	if o.wMode == "safe" {
		w = writeconcern.W1()
	}
	c.SetReadPreference(pref).SetWriteConcern(w).SetMaxPoolSize(uint64(o.size)).SetAppName("lunemq").SetRetryWrites(false).
		SetServerSelectionTimeout(selectTimeout).SetConnectTimeout(connectTimeout).SetDialer(new(lualib.Dialers))
	m, err := mongo.Connect(c)
	if err != nil {
		return client{}, err
	}
	return client{m, m.Database(o.database)}, nil
}
