test.script("jwt.lua")

local function token(secret, header, claims)
  local text = crypto.base64url_encode(json.encode(header)) .. "." .. crypto.base64url_encode(json.encode(claims))
  return text .. "." .. crypto.base64url_encode(crypto.hmac("sha256", secret, text))
end

local function register(password, user)
  return test.call("auth_on_register", { client_id = "c1", username = user or "bob", password = password }).verdict
end

local secret = "change me: at least 32 random bytes"
local good = { sub = "bob", exp = os.time() + 3600, pub = { "a/%c/#" }, sub_to = { "b/+" } }
test.equal(register(token("guess", { alg = "HS256" }, good)), "deny")
test.equal(register(token(secret, { alg = "none" }, good)), "deny")
test.equal(register("no token"), "deny")
test.equal(register(token(secret, { alg = "HS256" }, good), "eve"), "deny")
test.equal(register(token(secret, { alg = "HS256" }, good)), "ok")

local function publish(topic)
  return test.call("auth_on_publish", { client_id = "c1", username = "bob", topic = topic }).verdict
end
test.equal(publish("a/c1/x"), "ok")
test.equal(publish("a/c2/x"), "deny")
test.equal(test.call("auth_on_subscribe", { client_id = "c1", topics = { { "b/x", 0 } } }).verdict, "ok")
test.equal(test.call("auth_on_subscribe", { client_id = "other", topics = { { "b/x", 0 } } }).verdict, "deny")

test.advance(3600)
test.equal(register(token(secret, { alg = "HS256" }, good)), "deny", "a token that is too old")
