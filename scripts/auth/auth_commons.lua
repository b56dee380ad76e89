-- What the authenticators of this folder share.
--
-- A client must give a user name and a password. Its row is found by
-- (mountpoint, client_id, username), where a row with the client identifier "*"
-- stands for all that have none of their own. If the password is right, its
-- access rules go into auth_cache, which decides about messages and
-- subscriptions from then on without Lua. A client without rules may do nothing.

num_states = 10
keep_state = false

local M = {}

-- given reports whether a client gave a user name and a password.
function M.given(reg)
  return reg.username ~= nil and reg.password ~= nil
end

-- pick returns the row for the client: its own before the one for all. Some
-- databases do not tell upper case from lower, so names are compared again.
function M.pick(rows, reg)
  local for_all
  for _, row in ipairs(rows) do
    if row.mountpoint == reg.mountpoint and row.username == reg.username then
      if row.client_id == reg.client_id then
        return row
      elseif row.client_id == "*" then
        for_all = row
      end
    end
  end
  return for_all
end

-- hash_matches compares the client's password with a bcrypt hash.
function M.hash_matches(reg, hash)
  if type(hash) ~= "string" or not hash:find("^%$2[aby]%$%d%d%$") or #hash ~= 60 then
    return false
  end
  return crypto.equal(bcrypt.hashpw(obf.decrypt(reg.password), hash), hash)
end

-- rules returns access rules that may be JSON; nil permits nothing.
local function rules(acl)
  if type(acl) == "string" then
    return json.decode(acl)
  end
  return acl
end

-- accept lets the client in with its rules.
function M.accept(reg, row)
  auth_cache.insert(reg.mountpoint, reg.client_id, reg.username, rules(row.publish_acl), rules(row.subscribe_acl))
  return true
end

-- by_database decides by rows with a column "matches", made by the database.
function M.by_database(rows, reg)
  local row = M.pick(rows, reg)
  if row == nil or (row.matches ~= true and row.matches ~= 1) then
    return false
  end
  return M.accept(reg, row)
end

-- by_hash decides by rows with a bcrypt hash in the given column.
function M.by_hash(rows, reg, column)
  local row = M.pick(rows, reg)
  if row == nil or not M.hash_matches(reg, row[column]) then
    return false
  end
  return M.accept(reg, row)
end

local function refuse()
  return false
end

local function nothing() end

-- What follows is global for scripts that were made from VerneMQ's own.

function type_assert(v, expected, what)
  for _, t in ipairs(type(expected) == "table" and expected or {expected}) do
    if type(v) == t then
      return
    end
  end
  error(what .. ": unexpected " .. type(v), 2)
end

function cache_insert(mountpoint, client_id, username, publish_acl, subscribe_acl)
  auth_cache.insert(mountpoint, client_id, username, publish_acl, subscribe_acl)
end

function auth_on_register_m5(reg)
  return auth_on_register(reg)
end

auth_on_publish, auth_on_publish_m5 = refuse, refuse
auth_on_subscribe, auth_on_subscribe_m5 = refuse, refuse
on_unsubscribe = nothing
on_client_gone, on_client_offline, on_session_expired = nothing, nothing, nothing

-- hooks returns the hooks of an authenticator. The cache forgets a client when
-- it goes; VerneMQ asks for the hooks that say so.
function M.hooks(auth_on_register)
  return {
    auth_on_register = auth_on_register,
    auth_on_publish = refuse,
    auth_on_subscribe = refuse,
    auth_on_register_m5 = auth_on_register,
    auth_on_publish_m5 = refuse,
    auth_on_subscribe_m5 = refuse,
    on_client_offline = nothing,
    on_client_gone = nothing,
    on_session_expired = nothing,
  }
end

return M
