package lualib

import (
	lua "github.com/yuin/gopher-lua"
)

// database is a library whose functions are those of a driver.
func database(name, doc string, functions ...Function) Module {
	return Module{Name: name, Waits: true, Doc: doc, Functions: functions, open: func(b *binding) map[string]lua.LGFunction {
		if d := b.Databases[name]; d != nil {
			return d.Functions(b.state)
		}
		missing := map[string]lua.LGFunction{}
		for _, f := range functions {
			missing[f.Name] = func(L *lua.LState) int {
				L.RaiseError("%s.%s: this program has no driver for %s", name, f.Name, name)
				return 0
			}
		}
		return missing
	}}
}

var (
	dbPool = Param{"pool_id", "string", "a pool"}
	dbColl = Param{"collection", "string", "name of the collection"}
	dbKey  = Param{"key", "string", "up to 250 bytes without blanks"}
)

func ensurePool(options string) Function {
	return Function{Name: "ensure_pool", Params: []Param{{"options", "table", options + "; what is missing comes from the configuration"}}, Returns: "boolean",
		Doc: "Makes a pool of connections unless there is one with these options. It does not wait for the server."}
}

// sqlFunctions are those of an SQL database.
func sqlFunctions(name, placeholders, methods string) []Function {
	return []Function{
		ensurePool("pool_id (pool_" + name + "), size, host, port, user, password, database, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas"),
		{Name: "execute", Params: []Param{dbPool, {"sql", "string", "one statement, with " + placeholders + " for values"}, {"...", "any", "the values"}}, Returns: "table|boolean",
			Doc: "Runs a statement. Rows come as an array of tables by column; a statement without rows gives true, or false if PostgreSQL says that it changed nothing."},
		{Name: "hash_method", Returns: "string", Doc: "Returns what password_hash_method stands for: " + methods + "."},
	}
}

var (
	postgresModule  = database("postgres", "PostgreSQL.", sqlFunctions("postgres", "$1, $2, ...", "crypt or bcrypt")...)
	cockroachModule = database("cockroachdb", "CockroachDB.", sqlFunctions("cockroachdb", "$1, $2, ...", "sha256 or bcrypt")...)
	mysqlModule     = database("mysql", "MySQL and MariaDB.", sqlFunctions("mysql", "?", "an SQL expression of one value")...)
	mysql2Module    = database("mysql2", "MySQL and MariaDB, with keys of its own.", sqlFunctions("mysql2", "?", "an SQL expression of one value")...)

	redisModule = database("redis", "Redis.",
		ensurePool("pool_id (pool_redis), size, host, port, user, password, database"),
		Function{Name: "cmd", Params: []Param{dbPool, {"command", "string", "a command with fixed arguments, such as GET; a command put together at run time has one argument"},
			{"...", "any", "further arguments; tables are flattened"}}, Returns: "string|table|boolean|nil",
			Doc: "Sends a command. OK gives true, no value nil, an array a table, an error false, anything else a string. What comes from clients belongs into further arguments."})

	memcachedModule = database("memcached", "Memcached.",
		Function{Name: "ensure_pool", Params: []Param{{"options", "table", "pool_id (pool_memcached), size, host, port; what is missing comes from the configuration"}}, Returns: "boolean",
			Doc: "Makes a pool of connections; it is an error if none comes up within a second."},
		Function{Name: "flush_all", Params: []Param{dbPool}, Returns: "boolean", Doc: "Removes all values."},
		Function{Name: "get", Params: []Param{dbPool, dbKey}, Returns: "string|boolean", Doc: "Returns a value, or false if there is none."},
		memcachedStore("set", "Stores a value and returns it."), memcachedStore("add", "Stores a value unless there is one, and returns it or false."),
		memcachedStore("replace", "Stores a value if there is one, and returns it or false."),
		Function{Name: "delete", Params: []Param{dbPool, dbKey}, Returns: "boolean", Doc: "Removes a value; false if there is none."})

	mongoModule = database("mongodb", "MongoDB. Object identifiers are strings that can be used in selectors; dates are Unix milliseconds.",
		ensurePool("pool_id (pool_mongodb), size, host, port, srv, login, password, auth_source, database, w_mode, read_preference, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas, sni"),
		Function{Name: "insert", Params: []Param{dbPool, dbColl, {"documents", "table", "a document or an array of them"}}, Returns: "table", Doc: "Stores documents and returns them with their _id."},
		Function{Name: "update", Params: []Param{dbPool, dbColl, mongoSelector, {"changes", "table", "fields to set"}}, Returns: "boolean", Doc: "Sets fields of all documents that match."},
		Function{Name: "delete", Params: []Param{dbPool, dbColl, mongoSelector}, Returns: "boolean", Doc: "Removes all documents that match."},
		Function{Name: "find_one", Params: []Param{dbPool, dbColl, mongoSelector, mongoOptions}, Returns: "table|boolean", Doc: "Returns the first document that matches, or false."},
		Function{Name: "find", Params: []Param{dbPool, dbColl, mongoSelector, mongoOptions}, Returns: "string", Doc: "Starts a search and returns its cursor, which ends when nobody asks it for a minute."},
		Function{Name: "next", Params: []Param{mongoCursor}, Returns: "table|boolean", Doc: "Returns the next document, or false if there is none."},
		Function{Name: "take", Params: []Param{mongoCursor, {"n", "integer", "how many at most"}}, Returns: "table|boolean", Doc: "Returns an array of the next documents, or false if there is none."},
		Function{Name: "close", Params: []Param{mongoCursor}, Returns: "boolean", Doc: "Ends a search."})

	mongoSelector = Param{"selector", "table", "what documents must match"}
	mongoOptions  = Param{"options", "table?", "projector: fields to return; skip; batchsize"}
	mongoCursor   = Param{"cursor", "string", "from find"}
)

func memcachedStore(name, doc string) Function {
	return Function{Name: name, Params: []Param{dbPool, dbKey, {"value", "string", "up to 1 MB"}, {"expiry", "integer?", "seconds; 0 or nothing = never"}}, Returns: "string|boolean", Doc: doc}
}
