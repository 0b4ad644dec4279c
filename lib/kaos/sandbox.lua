-- SPDX-License-Identifier: Apache-2.0
-- What a scenario file sees: strict globals, pure while it is loaded, no files, no programs, no
-- network. The same table serves inside roles, where time and chance exist.
local host = require "host"
local text = require "text"
local frozen = require "frozen"

local M = {}

local LOADING = "%s() while loading: the file is loaded once in the runner and once in every "
  .. "worker, "
  .. "so it must give the same result each time; call it inside a role, or use a param"
local JUDGING = "%s() while judging: a stored run is judged again, so it must give the same "
  .. "result each time"
local ABSENT = "%s is not available: scenarios reach no files, programs or network"

-- A function that works inside roles only.
local function impure(name, fn)
  return function(...)
    local phase = host.phase()
    if phase == "role" then return fn(...) end
    error((phase == "load" and LOADING or JUDGING):format(name), 2)
  end
end

local function absent(name, advice)
  return function() error((advice or ABSENT):format(name), 2) end
end

local function copy(t)
  local c = {}
  for k, v in next, t do c[k] = v end
  return c
end

-- Order of the keys of a table that does not depend on the process.
local RANK = { number = 1, string = 2, boolean = 3 }
local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return (RANK[ta] or 9) < (RANK[tb] or 9) end
  if ta == "number" or ta == "string" then return a < b end
  return ta == "boolean" and not a and b
end

-- pairs in a fixed order, except inside roles, where it is Lua's own.
local function ordered_pairs(t)
  local mt = debug.getmetatable(t)
  if host.phase() == "role" or type(t) ~= "table" or (mt and mt.__pairs) then return pairs(t) end
  local keys, n = {}, 0
  for k in next, t do
    n = n + 1
    keys[n] = k
  end
  table.sort(keys, before)
  local i = 0
  return function()
    local v
    repeat
      i = i + 1
      if i > n then return nil end
      v = t[keys[i]]
    until v ~= nil
    return keys[i], v
  end, t, nil
end

local function safe_setmetatable(t, mt)
  if frozen.raw(t) then error("a file-level table is read-only inside roles", 2) end
  if type(mt) == "table" and rawget(mt, "__gc") ~= nil then
    error("__gc is not available, use <close>", 2)
  end
  return setmetatable(t, frozen.raw(mt) or mt)
end

local function base(env)
  env.assert, env.error, env.ipairs, env.select = assert, error, ipairs, select
  env.tonumber, env.tostring, env.type = tonumber, tostring, type
  env.pcall, env.xpcall = pcall, xpcall
  env.pairs = ordered_pairs
  env.next = function(t, k)
    if frozen.raw(t) then return frozen.next(t, k) end
    return next(t, k)
  end
  env.rawget = function(t, k) if frozen.raw(t) then return t[k] end return rawget(t, k) end
  env.rawlen = function(t) return rawlen(frozen.raw(t) or t) end
  env.rawequal = rawequal
  env.setmetatable = safe_setmetatable
  env.getmetatable = function(t)
    local mt = getmetatable(frozen.raw(t) or t)
    return frozen.known(mt) or mt
  end
  env.print = impure("print", print)
  for _, name in ipairs { "dofile", "load", "loadfile", "collectgarbage" } do
    env[name] = absent(name)
  end
  env._VERSION = _VERSION
end

local function libraries(env)
  env.string, env.table, env.utf8 = copy(string), copy(table), copy(utf8)
  env.string.dump = nil
  env.math = copy(math)
  env.math.random = impure("math.random", math.random)
  env.math.randomseed = impure("math.randomseed", math.randomseed)
  env.os = { difftime = os.difftime }
  for _, name in ipairs { "time", "clock", "date" } do
    env.os[name] = impure("os." .. name, os[name])
  end
  local ENV_ADVICE = "%s() is not available, the processes of a run may differ: write "
    .. "env(\"NAME\", default)"
  env.os.getenv = function()
    if host.phase() == "load" then error(LOADING:format "os.getenv", 2) end
    error(ENV_ADVICE:format "os.getenv", 2)
  end
  for _, name in ipairs { "execute", "exit", "remove", "rename", "tmpname" } do
    env.os[name] = absent("os." .. name)
  end
  env.io = setmetatable({}, { __index = function(_, k)
    error((host.phase() == "load" and LOADING or ABSENT):format("io." .. text.name(k)), 2)
  end })
  -- The runtime replaces members of `coroutine` after loading: look them up at each call.
  env.coroutine = {}
  for name in next, coroutine do
    env.coroutine[name] = function(...) return coroutine[name](...) end
  end
end

local function strict(env)
  return setmetatable(env, {
    __index = function(_, k)
      local near = type(k) == "string" and text.nearest(k, env)
      error(("unknown name `%s`%s"):format(text.name(k),
        near and (", did you mean `" .. near .. "`?") or ""), 2)
    end,
    __newindex = function(_, k)
      error(("global `%s` assigned; write `local %s`"):format(text.name(k), text.name(k)), 2)
    end,
    __metatable = "kaos.globals",
  })
end

--- The globals of a scenario file: Lua's own, and `words`, the words of the language.
function M.new(words)
  local env = {}
  base(env)
  libraries(env)
  for name, word in next, words do env[name] = word end
  local own = {}
  for _, v in next, env do
    if type(v) == "table" then own[v] = true end
  end
  M.own = own
  debug.getmetatable("").__metatable = "string"
  return strict(env)
end

return M
