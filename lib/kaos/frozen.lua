-- SPDX-License-Identifier: Apache-2.0
-- Read-only views of file-level tables. One proxy for each table, however it is reached
-- (t.a == t.a); what pairs, next and indexing hand out is wrapped as well.
local text = require "text"

local M = {}

local proxies = setmetatable({}, { __mode = "k" }) -- raw table -> its proxy
local raws = setmetatable({}, { __mode = "k" }) -- proxy -> raw table
local exempt = {} -- tables of the library, never wrapped

local WRITE = "`%s` is a file-level table seen by %s; every process has its own copy, "
  .. "so writing `%s` here would not be seen elsewhere.\n"
  .. "  use w:table(%q) for state of this process, w:emit(...) for facts the checker should see"

-- Metamethods that the view answers itself; all others are taken over from the table.
local OWN = { __index = true, __newindex = true, __len = true, __pairs = true, __name = true,
  __metatable = true, __mode = true, __gc = true, __close = true }

--- The table behind a view, or nil.
function M.raw(t) return type(t) == "table" and raws[t] or nil end

--- The view of a table if it has one.
function M.known(t) return t ~= nil and proxies[t] or nil end

--- Tables of the library that are handed through as they are.
function M.set_exempt(set) exempt = set end

local function path(name, k)
  if type(k) == "string" and k:match "^[%a_][%w_]*$" then return name .. "." .. k end
  return ("%s[%s]"):format(name, text.show(k))
end

local function wrap(v, name, who, k)
  if type(v) ~= "table" or raws[v] or exempt[v] then return v end
  return proxies[v] or M.view(v, path(name, k), who)
end

local function meta(t, name, who)
  local mt = { __name = "kaos.frozen", __metatable = "kaos.frozen", __frozen = t }
  function mt.__index(_, k) return wrap(t[k], name, who, k) end
  function mt.__newindex(_, k)
    local at = text.place()
    error(("%s:%d: "):format(at.file, at.line) .. WRITE:format(name, who, text.name(k), name), 0)
  end
  function mt.__len() return #t end
  function mt.__pairs(proxy)
    local step, state, first = pairs(t)
    return function(_, k)
      local key, v = step(state, k)
      return key, wrap(v, name, who, key)
    end, proxy, first
  end
  for event, fn in next, debug.getmetatable(t) or {} do
    if type(event) == "string" and event:sub(1, 2) == "__" and not OWN[event] then
      mt[event] = fn
    end
  end
  return mt
end

--- The read-only view of a table; name and who go into the message of a write.
function M.view(t, name, who)
  if raws[t] or exempt[t] then return t end
  local proxy = proxies[t]
  if not proxy then
    proxy = setmetatable({}, meta(t, name, who))
    proxies[t], raws[proxy] = proxy, t
  end
  return proxy
end

--- next() of a view.
function M.next(proxy, k)
  local key, v = next(raws[proxy], k)
  local mt = debug.getmetatable(proxy)
  if key == nil then return nil end
  return key, type(v) == "table" and mt.__index(proxy, key) or v
end

return M
