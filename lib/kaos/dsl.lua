-- SPDX-License-Identifier: Apache-2.0
-- The words of a scenario file. They only take down what was written and where; build.lua judges.
local schema = require "schema"
local text = require "text"
local values = require "values"

local M = {}

-- Metatables of what the words return.
local Param = { __name = "kaos.param", __metatable = "kaos.param" }
local Fault = { __name = "kaos.fault", __metatable = "kaos.fault" }
local Property = { __name = "kaos.property", __metatable = "kaos.property" }
local Predicate = { __name = "kaos.predicate", __metatable = "kaos.predicate" }
local Violation = { __name = "kaos.violation", __metatable = "kaos.violation" }

local function is(mt)
  return function(v) return type(v) == "table" and debug.getmetatable(v) == mt end
end
M.is_param, M.is_fault, M.is_property = is(Param), is(Fault), is(Property)
M.is_predicate, M.is_violation = is(Predicate), is(Violation)

local function promise(self)
  text.fail(text.place(),
    "param %q is a promise that is kept when the run starts: it can stand for a value, "
    .. "but not be computed with; inside a role write w.params.%s", self.name, self.name)
end
for _, event in ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "unm", "concat", "len",
  "lt", "le", "index", "newindex", "call" } do
  Param["__" .. event] = function(a, b)
    promise(M.is_param(a) and a or b)
  end
end

local function check_name(v, what)
  local name, why = values.name(v)
  if not name then text.fail(text.place(), "%s: %s, write %s \"name\"", what, why, what) end
  return name
end

local function check_table(v, what)
  if type(v) ~= "table" then
    text.fail(text.place(), "%s: needs a table, write %s { ... }", what, what)
  end
  if debug.getmetatable(v) then text.fail(text.place(), "%s: needs a plain table { ... }", what) end
  return v
end

local function check_fields(t, record, place, path)
  local fields = schema.fields(record)
  for _, k in ipairs(text.names(t)) do
    if not fields[k] then
      text.fail(place, "%s: unknown field `%s`%s", path, text.name(k), text.hint(k, fields))
    end
  end
end

--- Takes a constructor like kill { ... }: durations that are no promise are judged at once.
local function fault(kind)
  local record = schema.faults[kind]
  return function(t)
    local place = text.place()
    check_table(t, kind)
    check_fields(t, record, place, kind)
    for _, f in ipairs(record) do
      local v = rawget(t, f.name)
      if v ~= nil and not M.is_param(v) and (f.type == "range" or f.type == "duration") then
        local ok, why = values[f.type](v)
        if not ok then text.fail(place, "%s.%s: %s", kind, f.name, why) end
      end
    end
    return setmetatable({ kind = kind, place = place, spec = t }, Fault)
  end
end

local function predicate(kind)
  local record = schema.predicates[kind]
  return function(t)
    local place = text.place()
    if t == nil then t = {} end
    if record.subject and (type(t) == "string" or M.is_param(t)) then
      t = { [record.subject] = t }
    end
    check_table(t, kind)
    check_fields(t, record, place, kind)
    return setmetatable({ kind = kind, place = place, spec = t }, Predicate)
  end
end

local function property(mode)
  return function(name)
    check_name(name, mode)
    return setmetatable({ mode = mode, name = name, place = text.place() }, Property)
  end
end
Property.__call = function(self, spec)
  local path = ("%s %s"):format(self.mode, text.show(self.name))
  check_table(spec, path)
  check_fields(spec, schema.records.property, self.place, path)
  return setmetatable({ mode = self.mode, name = self.name, place = self.place, spec = spec },
    Property)
end

local function invariant(name)
  local place = text.place()
  check_name(name, "invariant")
  return function(spec)
    local path = "invariant " .. text.show(name)
    check_table(spec, path)
    check_fields(spec, schema.records.invariant, place, path)
    return setmetatable({ kind = "invariant", name = name, place = place, spec = spec }, Predicate)
  end
end

local function violation(fmt, ...)
  local n = select("#", ...)
  local events = n > 0 and select(n, ...) or nil
  if type(events) ~= "table" then events = nil end
  local ok, message = pcall(string.format, fmt, ...)
  if not ok then text.fail(text.place(), "violation: %s", message) end
  return setmetatable({ message = message, events = events or {} }, Violation)
end

-- What scenario "name" { ... } declares.
local function scenario(state)
  return function(name)
    local place = text.place()
    check_name(name, "scenario")
    return function(spec)
      check_table(spec, ("scenario %s"):format(text.show(name)))
      for _, other in ipairs(state.scenarios) do
        if other.name == name then
          text.fail(place, "scenario %s: there is one of this name at %s:%d", text.show(name),
            other.place.file, other.place.line)
        end
      end
      local sc = { name = name, place = place, spec = spec }
      state.scenarios[#state.scenarios + 1] = sc
      return setmetatable({}, { __name = "kaos.scenario", __metatable = "kaos.scenario" })
    end
  end
end

--- The words of the language. state.scenarios collects; read_env(name) answers env().
function M.words(state, read_env)
  local words = {
    scenario = scenario(state), invariant = invariant, violation = violation,
    param = function(name) return setmetatable({ name = check_name(name, "param") }, Param) end,
    env = function(name, default)
      check_name(name, "env")
      local v = read_env(name)
      if v ~= nil then return v end
      if default == nil then
        text.fail(text.place(), "env %q is not set and has no default", name)
      end
      local s, why = values.string(default)
      if not s then text.fail(text.place(), "env %q, default: %s", name, why) end
      return s
    end,
  }
  for _, mode in ipairs { "always", "eventually", "sometimes", "never" } do
    words[mode] = property(mode)
  end
  for kind in next, schema.faults do words[kind] = fault(kind) end
  for kind in next, schema.predicates do words[kind] = predicate(kind) end
  return words
end

return M
