---@meta
-- Hooks and libraries of LuneMQ for the Lua language server. Written by
-- `lunemq script stubs`; point workspace.library at this file's folder.

---@class lunemq.auth_on_publish
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag

---@class lunemq.auth_on_publish_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.auth_on_register
---@field addr string IP address of the client
---@field port integer port of the client
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field username? string user name
---@field password? string obfuscated password, see obf.decrypt
---@field clean_session boolean clean session flag
---@field client_cert? string certificate of the client in DER, with forward_connection_opts
---@field listener_addr? string address of the listener, with forward_connection_opts
---@field listener_port? integer port of the listener, with forward_connection_opts
---@field listener_type? string mqtt, mqtts, mqttws or mqttwss, with forward_connection_opts

---@class lunemq.auth_on_register_m5
---@field addr string IP address of the client
---@field port integer port of the client
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field username? string user name
---@field password? string obfuscated password, see obf.decrypt
---@field clean_start boolean clean start flag
---@field client_cert? string certificate of the client in DER, with forward_connection_opts
---@field listener_addr? string address of the listener, with forward_connection_opts
---@field listener_port? integer port of the listener, with forward_connection_opts
---@field listener_type? string mqtt, mqtts, mqttws or mqttwss, with forward_connection_opts
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.auth_on_subscribe
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field topics table of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }

---@class lunemq.auth_on_subscribe_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field topics table of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_auth_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_client_gone
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier

---@class lunemq.on_client_offline
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier

---@class lunemq.on_client_wakeup
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier

---@class lunemq.on_deliver
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_deliver_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_offline_message
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag

---@class lunemq.on_publish
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag

---@class lunemq.on_publish_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field qos integer 0, 1 or 2
---@field topic string topic name
---@field payload string payload, any bytes
---@field retain boolean retain flag
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_register
---@field addr string IP address of the client
---@field port integer port of the client
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field username? string user name

---@class lunemq.on_register_m5
---@field addr string IP address of the client
---@field port integer port of the client
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field username? string user name
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_session_expired
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier

---@class lunemq.on_subscribe
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field topics table of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }

---@class lunemq.on_subscribe_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field topics table of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---@class lunemq.on_unsubscribe
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field topics table of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }

---@class lunemq.on_unsubscribe_m5
---@field username? string user name
---@field mountpoint string mountpoint, usually empty
---@field client_id string client identifier
---@field topics table of subscribe: { {filter, qos}, ... }, in 5.0 { {filter, {qos, options}}, ... }; of unsubscribe: { filter, ... }
---@field properties table<string, any> properties of MQTT 5.0 by name, such as p_user_property

---What the broker calls, by the names of the hooks. A deciding hook returns true
---(yes), false (no), a table of modifiers (yes, changed) or nothing (the next
---script or plugin is asked).
---@class lunemq.hooks
---@field auth_on_publish? fun(m: lunemq.auth_on_publish): boolean|table|nil may this client publish this message, and how
---@field auth_on_publish_m5? fun(m: lunemq.auth_on_publish_m5): boolean|table|nil may this client publish this message, and how
---@field auth_on_register? fun(m: lunemq.auth_on_register): boolean|table|nil may this client connect
---@field auth_on_register_m5? fun(m: lunemq.auth_on_register_m5): boolean|table|nil may this client connect
---@field auth_on_subscribe? fun(m: lunemq.auth_on_subscribe): boolean|table|nil may this client subscribe to these filters, and how
---@field auth_on_subscribe_m5? fun(m: lunemq.auth_on_subscribe_m5): boolean|table|nil may this client subscribe to these filters, and how
---@field on_auth_m5? fun(m: lunemq.on_auth_m5): boolean|table|nil one step of enhanced authentication (5.0 only, on_auth_m5)
---@field on_client_gone? fun(m: lunemq.on_client_gone) a session ended with its connection
---@field on_client_offline? fun(m: lunemq.on_client_offline) a session lost its connection and stays
---@field on_client_wakeup? fun(m: lunemq.on_client_wakeup) a connection was attached to a session
---@field on_deliver? fun(m: lunemq.on_deliver): boolean|table|nil a message is about to be sent to a client; may be rewritten or dropped
---@field on_deliver_m5? fun(m: lunemq.on_deliver_m5): boolean|table|nil a message is about to be sent to a client; may be rewritten or dropped
---@field on_offline_message? fun(m: lunemq.on_offline_message) a message was put into an offline queue
---@field on_publish? fun(m: lunemq.on_publish) a message was routed
---@field on_publish_m5? fun(m: lunemq.on_publish_m5) a message was routed
---@field on_register? fun(m: lunemq.on_register) a client has connected
---@field on_register_m5? fun(m: lunemq.on_register_m5) a client has connected
---@field on_session_expired? fun(m: lunemq.on_session_expired) an offline session was removed after its expiry
---@field on_subscribe? fun(m: lunemq.on_subscribe) subscriptions were made
---@field on_subscribe_m5? fun(m: lunemq.on_subscribe_m5) subscriptions were made
---@field on_unsubscribe? fun(m: lunemq.on_unsubscribe): boolean|table|nil filters are about to be unsubscribed; cannot be vetoed
---@field on_unsubscribe_m5? fun(m: lunemq.on_unsubscribe_m5): boolean|table|nil filters are about to be unsubscribed; cannot be vetoed

---@type lunemq.hooks
hooks = {}

---How many Lua states a script that keeps its state has.
---@type integer?
num_states = nil

---Whether what a call changes stays for the next one.
---@type boolean?
keep_state = nil

---Number of this Lua state, from 1.
---@type integer
__SCRIPT_INSTANCE_ID__ = 1

---Writes to the broker's log, with the script's name.
---@class lunemq.lib.log
log = {}

---Logs at level info.
---@param message string the line
function log.info(message) end

---Logs at level warning.
---@param message string the line
function log.warning(message) end

---Logs at level error.
---@param message string the line
function log.error(message) end

---Logs at level debug.
---@param message string the line
function log.debug(message) end

---Hides passwords from logs: auth_on_register gets them obfuscated.
---@class lunemq.lib.obf
obf = {}

---Returns the obfuscated value.
---@param value string clear text
---@return string
function obf.encrypt(value) end

---Returns the clear text; a value that is not obfuscated comes back unchanged. nil is an error.
---@param value string obfuscated value
---@return string
function obf.decrypt(value) end

---Reads and writes JSON (RFC 8259).
---@class lunemq.lib.json
json = {}

---Returns the JSON text of a table, without blanks, names sorted. An empty table is {}.
---@param value any a table; anything else gives nil
---@return string?
function json.encode(value) end

---Returns the object or array, nil for anything else. Members that are null are absent; [] is an empty table.
---@param text any a JSON text; what is no string gives nil
---@return table?
function json.decode(text) end

---Tables in memory that all scripts of this node share. They survive reloads and end with the process.
---@class lunemq.lib.kv
kv = {}

---Makes a table unless there is one of that name.
---@param options table name, and type: set (default), ordered_set, bag or duplicate_bag
---@return boolean
function kv.ensure_table(options) end

---Stores each entry: in a set in place of what was there, in a bag beside it.
---@param name string name of the table
---@param entries table values by key
---@return boolean
function kv.insert(name, entries) end

---Stores all entries, or none and returns false if one of the keys is there.
---@param name string name of the table
---@param entries table values by key
---@return boolean
function kv.insert_new(name, entries) end

---Returns the array of values of a key, empty if there are none.
---@param name string name of the table
---@param key string|number|boolean what the value is found by
---@return table
function kv.lookup(name, key) end

---Removes a key with its values.
---@param name string name of the table
---@param key string|number|boolean what the value is found by
---@return boolean
function kv.delete(name, key) end

---Empties a table.
---@param name string name of the table
---@return boolean
function kv.delete_all(name) end

---Adds to the number of a key in a set, from 0 if there is none, in one step that no other call comes between, and returns the sum.
---@param name string name of the table
---@param key string|number|boolean what the value is found by
---@param by? number how much, 1 if left out
---@return number
function kv.incr(name, key, by) end

---Digests and encodings. Results of hash and hmac are raw bytes.
---@class lunemq.lib.crypto
crypto = {}

---Returns the digest of data as raw bytes.
---@param algorithm string md5, sha, sha224, sha256, sha384, sha512, sha3_224, sha3_256, sha3_384 or sha3_512
---@param data string bytes
---@return string
function crypto.hash(algorithm, data) end

---Returns the HMAC (RFC 2104) of data as raw bytes.
---@param algorithm string md5, sha, sha224, sha256, sha384, sha512, sha3_224, sha3_256, sha3_384 or sha3_512
---@param key string secret bytes
---@param data string bytes
---@return string
function crypto.hmac(algorithm, key, data) end

---Compares two strings in a time that does not depend on where they differ.
---@param a string bytes
---@param b string bytes
---@return boolean
function crypto.equal(a, b) end

---Returns random bytes fit for secrets.
---@param n integer how many bytes, 1 to 1024
---@return string
function crypto.random(n) end

---Returns data as lower-case hexadecimal digits.
---@param data string bytes
---@return string
function crypto.hex(data) end

---Returns data in base64 (RFC 4648 section 4) with padding.
---@param data string bytes
---@return string
function crypto.base64_encode(data) end

---Returns the bytes, nil if the text is no base64.
---@param text string base64, padded or not
---@return string?
function crypto.base64_decode(text) end

---Returns data in base64url (RFC 4648 section 5) without padding.
---@param data string bytes
---@return string
function crypto.base64url_encode(data) end

---Returns the bytes, nil if the text is no base64url.
---@param text string base64url, padded or not
---@return string?
function crypto.base64url_decode(text) end

---Hashes passwords slowly. As many at a time as bcrypt.pool_size says; others wait. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.bcrypt
bcrypt = {}

---Returns a new salt with the cost of bcrypt.default_log_rounds.
---@return string
function bcrypt.gen_salt() end

---Returns the hash. It equals an earlier hash given as salt if the password is the same.
---@param password string clear text, of which the first 72 bytes count
---@param salt string from gen_salt, or an earlier hash ($2a$, $2b$ or $2y$)
---@return string
function bcrypt.hashpw(password, salt) end

---Remembers what a client may do, so that its messages and subscriptions are decided without Lua.
---@class lunemq.lib.auth_cache
auth_cache = {}

---Sets the rules of a client that is about to connect; called by auth_on_register they are valid for that connection only. A rule has pattern, max_qos, max_payload_size, allowed_retain and modifiers.
---@param mountpoint string the client's mountpoint
---@param client_id string its client identifier
---@param username? string its user name
---@param publish_acl? table array of rules; nil = nothing is allowed
---@param subscribe_acl? table array of rules; nil = nothing is allowed
---@return boolean
function auth_cache.insert(mountpoint, client_id, username, publish_acl, subscribe_acl) end

---Says what the rules make of a message: true, false or modifiers.
---@param mountpoint string the client's mountpoint
---@param client_id string its client identifier
---@param topic string 
---@param qos integer 0 to 2
---@param payload string 
---@param retain boolean 
---@return boolean|table
function auth_cache.match_publish(mountpoint, client_id, topic, qos, payload, retain) end

---Says what the rules make of a subscription: true, false or topics.
---@param mountpoint string the client's mountpoint
---@param client_id string its client identifier
---@param topic string a topic filter
---@param qos integer 0 to 2
---@return boolean|table
function auth_cache.match_subscribe(mountpoint, client_id, topic, qos) end

---Acts on the broker. Also known as lunemq.
---@class lunemq.lib.vmq_api
vmq_api = {}

---Ends a client's connection and returns "ok", or "not_found".
---@param subscriber_id table mountpoint and client_id
---@param options? table do_cleanup = true ends the session too
---@return string
function vmq_api.disconnect_by_subscriber_id(subscriber_id, options) end

---Asks auth_on_subscribe again about each subscription of a client, removes those that are refused, and returns "ok".
---@param username? string what auth_on_subscribe is asked with
---@param subscriber_id table mountpoint and client_id
---@param options? table nothing so far
---@return string
function vmq_api.reauthorize_subscriptions(username, subscriber_id, options) end

---Publishes a message without asking hooks.
---@param message table topic and payload; qos, retain, mountpoint and properties as in modifiers
---@return boolean
function vmq_api.publish(message) end

---Returns what a client is subscribed to as an array of {topic, qos}, or false if there is no such client.
---@param subscriber_id table mountpoint and client_id
---@return table|boolean
function vmq_api.subscriptions(subscriber_id) end

---Talks to HTTP servers. Certificates are verified; redirects are followed as far as script.http_max_redirects permits. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.http
http = {}

---Makes a pool of connections.
---@param options table pool_id (pool_http) and size (10): connections per server
---@return boolean
function http.ensure_pool(options) end

---Sends a GET request and returns {status, headers, ref}, or false if the server could not be reached. A body longer than script.http_max_response is an error.
---@param pool_id string a pool
---@param url string http://... or https://...
---@param body? string|table what is sent; a table is sent as a form
---@param headers? table values by name
---@return table|boolean
function http.get(pool_id, url, body, headers) end

---Sends a PUT request and returns {status, headers, ref}, or false if the server could not be reached. A body longer than script.http_max_response is an error.
---@param pool_id string a pool
---@param url string http://... or https://...
---@param body? string|table what is sent; a table is sent as a form
---@param headers? table values by name
---@return table|boolean
function http.put(pool_id, url, body, headers) end

---Sends a POST request and returns {status, headers, ref}, or false if the server could not be reached. A body longer than script.http_max_response is an error.
---@param pool_id string a pool
---@param url string http://... or https://...
---@param body? string|table what is sent; a table is sent as a form
---@param headers? table values by name
---@return table|boolean
function http.post(pool_id, url, body, headers) end

---Sends a DELETE request and returns {status, headers, ref}, or false if the server could not be reached. A body longer than script.http_max_response is an error.
---@param pool_id string a pool
---@param url string http://... or https://...
---@param body? string|table what is sent; a table is sent as a form
---@param headers? table values by name
---@return table|boolean
function http.delete(pool_id, url, body, headers) end

---Returns the body of an answer.
---@param ref string ref of an answer
---@return string
function http.body(ref) end

---PostgreSQL. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.postgres
postgres = {}

---Makes a pool of connections unless there is one with these options. It does not wait for the server.
---@param options table pool_id (pool_postgres), size, host, port, user, password, database, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas; what is missing comes from the configuration
---@return boolean
function postgres.ensure_pool(options) end

---Runs a statement. Rows come as an array of tables by column; a statement without rows gives true, or false if PostgreSQL says that it changed nothing.
---@param pool_id string a pool
---@param sql string one statement, with $1, $2, ... for values
---@param ... any the values
---@return table|boolean
function postgres.execute(pool_id, sql, ...) end

---Returns what password_hash_method stands for: crypt or bcrypt.
---@return string
function postgres.hash_method() end

---CockroachDB. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.cockroachdb
cockroachdb = {}

---Makes a pool of connections unless there is one with these options. It does not wait for the server.
---@param options table pool_id (pool_cockroachdb), size, host, port, user, password, database, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas; what is missing comes from the configuration
---@return boolean
function cockroachdb.ensure_pool(options) end

---Runs a statement. Rows come as an array of tables by column; a statement without rows gives true, or false if PostgreSQL says that it changed nothing.
---@param pool_id string a pool
---@param sql string one statement, with $1, $2, ... for values
---@param ... any the values
---@return table|boolean
function cockroachdb.execute(pool_id, sql, ...) end

---Returns what password_hash_method stands for: sha256 or bcrypt.
---@return string
function cockroachdb.hash_method() end

---MySQL and MariaDB. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.mysql
mysql = {}

---Makes a pool of connections unless there is one with these options. It does not wait for the server.
---@param options table pool_id (pool_mysql), size, host, port, user, password, database, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas; what is missing comes from the configuration
---@return boolean
function mysql.ensure_pool(options) end

---Runs a statement. Rows come as an array of tables by column; a statement without rows gives true, or false if PostgreSQL says that it changed nothing.
---@param pool_id string a pool
---@param sql string one statement, with ? for values
---@param ... any the values
---@return table|boolean
function mysql.execute(pool_id, sql, ...) end

---Returns what password_hash_method stands for: an SQL expression of one value.
---@return string
function mysql.hash_method() end

---MySQL and MariaDB, with keys of its own. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.mysql2
mysql2 = {}

---Makes a pool of connections unless there is one with these options. It does not wait for the server.
---@param options table pool_id (pool_mysql2), size, host, port, user, password, database, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas; what is missing comes from the configuration
---@return boolean
function mysql2.ensure_pool(options) end

---Runs a statement. Rows come as an array of tables by column; a statement without rows gives true, or false if PostgreSQL says that it changed nothing.
---@param pool_id string a pool
---@param sql string one statement, with ? for values
---@param ... any the values
---@return table|boolean
function mysql2.execute(pool_id, sql, ...) end

---Returns what password_hash_method stands for: an SQL expression of one value.
---@return string
function mysql2.hash_method() end

---MongoDB. Object identifiers are strings that can be used in selectors; dates are Unix milliseconds. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.mongodb
mongodb = {}

---Makes a pool of connections unless there is one with these options. It does not wait for the server.
---@param options table pool_id (pool_mongodb), size, host, port, srv, login, password, auth_source, database, w_mode, read_preference, ssl, cafile, certfile, keyfile, depth, verify, use_system_cas, sni; what is missing comes from the configuration
---@return boolean
function mongodb.ensure_pool(options) end

---Stores documents and returns them with their _id.
---@param pool_id string a pool
---@param collection string name of the collection
---@param documents table a document or an array of them
---@return table
function mongodb.insert(pool_id, collection, documents) end

---Sets fields of all documents that match.
---@param pool_id string a pool
---@param collection string name of the collection
---@param selector table what documents must match
---@param changes table fields to set
---@return boolean
function mongodb.update(pool_id, collection, selector, changes) end

---Removes all documents that match.
---@param pool_id string a pool
---@param collection string name of the collection
---@param selector table what documents must match
---@return boolean
function mongodb.delete(pool_id, collection, selector) end

---Returns the first document that matches, or false.
---@param pool_id string a pool
---@param collection string name of the collection
---@param selector table what documents must match
---@param options? table projector: fields to return; skip; batchsize
---@return table|boolean
function mongodb.find_one(pool_id, collection, selector, options) end

---Starts a search and returns its cursor, which ends when nobody asks it for a minute.
---@param pool_id string a pool
---@param collection string name of the collection
---@param selector table what documents must match
---@param options? table projector: fields to return; skip; batchsize
---@return string
function mongodb.find(pool_id, collection, selector, options) end

---Returns the next document, or false if there is none.
---@param cursor string from find
---@return table|boolean
function mongodb.next(cursor) end

---Returns an array of the next documents, or false if there is none.
---@param cursor string from find
---@param n integer how many at most
---@return table|boolean
function mongodb.take(cursor, n) end

---Ends a search.
---@param cursor string from find
---@return boolean
function mongodb.close(cursor) end

---Redis. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.redis
redis = {}

---Makes a pool of connections unless there is one with these options. It does not wait for the server.
---@param options table pool_id (pool_redis), size, host, port, user, password, database; what is missing comes from the configuration
---@return boolean
function redis.ensure_pool(options) end

---Sends a command. OK gives true, no value nil, an array a table, an error false, anything else a string. What comes from clients belongs into further arguments.
---@param pool_id string a pool
---@param command string a command with fixed arguments, such as GET; a command put together at run time has one argument
---@param ... any further arguments; tables are flattened
---@return string|table|boolean|nil
function redis.cmd(pool_id, command, ...) end

---Memcached. Its functions may wait: a script that mentions it has its hooks called on workers.
---@class lunemq.lib.memcached
memcached = {}

---Makes a pool of connections; it is an error if none comes up within a second.
---@param options table pool_id (pool_memcached), size, host, port; what is missing comes from the configuration
---@return boolean
function memcached.ensure_pool(options) end

---Removes all values.
---@param pool_id string a pool
---@return boolean
function memcached.flush_all(pool_id) end

---Returns a value, or false if there is none.
---@param pool_id string a pool
---@param key string up to 250 bytes without blanks
---@return string|boolean
function memcached.get(pool_id, key) end

---Stores a value and returns it.
---@param pool_id string a pool
---@param key string up to 250 bytes without blanks
---@param value string up to 1 MB
---@param expiry? integer seconds; 0 or nothing = never
---@return string|boolean
function memcached.set(pool_id, key, value, expiry) end

---Stores a value unless there is one, and returns it or false.
---@param pool_id string a pool
---@param key string up to 250 bytes without blanks
---@param value string up to 1 MB
---@param expiry? integer seconds; 0 or nothing = never
---@return string|boolean
function memcached.add(pool_id, key, value, expiry) end

---Stores a value if there is one, and returns it or false.
---@param pool_id string a pool
---@param key string up to 250 bytes without blanks
---@param value string up to 1 MB
---@param expiry? integer seconds; 0 or nothing = never
---@return string|boolean
function memcached.replace(pool_id, key, value, expiry) end

---Removes a value; false if there is none.
---@param pool_id string a pool
---@param key string up to 250 bytes without blanks
---@return boolean
function memcached.delete(pool_id, key) end

---The same as vmq_api.
lunemq = vmq_api
