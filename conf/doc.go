// Package conf turns configuration sources into filled Config structs, and
// says everything that is wrong with them at once.
//
// It reads VerneMQ's file format, the environment, DATA_DIR/runtime.conf and
// --set, in that order of precedence. It must not know what a key means: that
// is for the package that owns the struct. It imports only conf/value of this
// project and is used by cmd/lunemq, which hands it the structs:
//
//	schema, err := conf.New(&session.Config{}, &listener.Config{}) // reads tags only
//	res, err := schema.Load(conf.Sources{File: path, Env: os.Environ(), Set: flags})
//	conf.Report(os.Stderr, res.Problems)   // FILE:LINE: error: unknown key "x"; did you mean "y"?
//	if res.Failed() { return res.Err() }
//	cfg := conf.Section[session.Config](res) // *session.Config, filled
//	res.Values()                           // every key: value, origin, default, doc, reload
//	res.Get("vmq_acl.acl_file")            // one of them, by any spelling
//	next, changes, err := res.Set("max_inflight_messages=5") // run time; err if invalid
//	conf.Persist(filepath.Join(dataDir, conf.RuntimeFile), "max_inflight_messages=5")
//	again, err := schema.Load(res.Sources()); conf.Changes(res, again)   // reload
//	schema.Keys()                          // all patterns, for the manual page
//	conf.WriteExample(w, sections...)      // conf/lunemq.conf
//
// # Tags
//
// A field with a key tag holds a value; a struct field without one is walked,
// a struct field with one puts its key before those within. Types: bool
// (on/off), string, integers, time.Duration (with unit), anything with
// UnmarshalText, and slices of these (written a,b or [a,b]).
//
//	key:"max_inflight_messages"   relative to the structs around it
//	alias:"a,b"                   other spellings, whole (within a table: after NAME)
//	default:"20"                  as it would be written; absent is the zero value
//	unit:"s"                      ms, s, min, h or d; a value may bring its own (5min)
//	range:"0..65535"              either end may be absent; written like a value
//	enum:"fifo,lifo"              all values, of a list: of each item
//	words:"infinity=0"            words that stand for a value
//	reload:"live"                 live, new sessions or restart; passed on to fields within
//	doc:"..."                     what it does; required. On a field _ : the section's title
//	example:"..."                 a line of the example file that is not commented out
//	hidden:"true"                 valid, but not in the example file
//	sep:";"                       between items of a list, instead of a comma
//	port:"1883"                   default port of addresses; passed on
//	native:"true"                 values (or a table's names) are plugin names: vmq_acl is acl
//
// # Tables
//
// A map with string keys holds wildcard keys: Listeners map[string]Listener
// with key:"listener.tcp.NAME". Fields of Listener have keys relative to
// listener.tcp.NAME; the one with key:"" is the bare key, listener.tcp.NAME
// itself. If that has no default an entry exists only when a line gives it,
// and options without it are errors. A map of scalars has only bare keys.
//
//	inherit:"true"                listener.tcp.OPTION and listener.OPTION are used for
//	                              listeners without that option; names may not be options
//	names:"acl,passwd"            the only names; other keys are left to the rules
//	default:"acl=on,passwd=on"    entries that exist without a line
//	alias:"listener.vmq.NAME"     other spelling of the whole pattern
//	example:"default=127.0.0.1:1883"  entry shown in the example file
//
// # Classes
//
// A key of VerneMQ that no struct has is classed by the rules in
// rules_table.go: moot (a warning) or refused (an error). A key that a struct
// has works, whatever the rules say. Anything else is unknown.
//
// Spec: no standard; the file format and the keys are VerneMQ's.
// Read first: load.go.
package conf
