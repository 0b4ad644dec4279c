-- SPDX-License-Identifier: Apache-2.0
-- Parameters of a scenario: their declarations, and values given as text.
local schema = require "schema"
local text = require "text"
local values = require "values"

local M = {}

local function type_of(v)
  if math.type(v) == "integer" then return "integer" end
  local t = type(v)
  return (t == "number" or t == "string" or t == "boolean") and t or nil
end

--- A value as text, the shortest that gives the same value when it is read back.
function M.print(v)
  if math.type(v) ~= "float" then return tostring(v) end
  for digits = 15, 16 do
    local s = ("%." .. digits .. "g"):format(v)
    if tonumber(s) == v then return s end
  end
  return ("%.17g"):format(v)
end

local function check_limits(p, v)
  if p.min and v < p.min then
    return ("%s is too small, at least %s"):format(text.show(v), text.show(p.min))
  end
  if p.max and v > p.max then
    return ("%s is too large, at most %s"):format(text.show(v), text.show(p.max))
  end
end

-- The long form { default, "doc", min =, max = }.
local function long_form(name, t, fail)
  local fields = schema.fields(schema.records.param)
  for k in next, t do
    if k ~= 1 and k ~= 2 and not (type(k) == "string" and fields[k]) then
      fail(("unknown field `%s`%s"):format(text.name(k), text.hint(k, fields)))
    end
  end
  local p = { name = name, preset = rawget(t, 1), doc = t.doc or t[2], min = t.min, max = t.max }
  if p.doc ~= nil and type(p.doc) ~= "string" then
    fail(("doc: %s is not a string"):format(text.show(p.doc)))
  end
  for _, limit in ipairs { "min", "max" } do
    if p[limit] ~= nil and type(p[limit]) ~= "number" then
      fail(("%s: %s is not a number"):format(limit, text.show(p[limit])))
    end
    if p[limit] and type(p.preset) ~= "number" then fail(limit .. ": only numbers have limits") end
  end
  return p
end

--- One declaration; fail(message) raises.
function M.declare(name, v, fail)
  if type(name) ~= "string" or not name:match "^[%a_][%w_]*$" then
    fail(("%s is not a name (letters, digits and _)"):format(text.show(name)))
  end
  if schema.builtin_params[name] then fail "this name is filled in by kaos, take another" end
  local plain = type(v) == "table" and not debug.getmetatable(v)
  local p = plain and long_form(name, v, fail) or { name = name, preset = v }
  p.type = type_of(p.preset)
  if not p.type then
    fail(("%s is not a number, string or boolean"):format(p.preset == nil and "nothing"
      or text.show(p.preset)))
  end
  if p.type == "number" and (p.preset ~= p.preset or math.abs(p.preset) == math.huge) then
    fail "not a finite number"
  end
  if p.type == "string" then
    local _, why = values.string(p.preset)
    if why then fail(why) end
  end
  local wrong = check_limits(p, p.preset)
  if wrong then fail(wrong) end
  p.value = p.preset
  return p
end

local CONVERT = {
  string = function(s) return s end,
  boolean = function(s)
    if s == "true" then return true elseif s == "false" then return false end
  end,
  integer = function(s) return s:match "^[+-]?%w+$" and math.tointeger(tonumber(s)) end,
  number = function(s)
    local n = s:match "^[+-]?[%w.]+[+-]?%w*$" and tonumber(s)
    return n and n == n and math.abs(n) ~= math.huge and n + 0.0 or nil
  end,
}
local NOUN = { string = "a string", boolean = "true or false", integer = "a whole number",
  number = "a number" }

--- What is declared, for messages: "workers = 3 (integer: number of copiers), ...".
function M.describe(list)
  local parts = {}
  for i, p in ipairs(list) do
    parts[i] = ("%s = %s (%s%s)"):format(p.name, M.print(p.preset), p.type,
      p.doc and ": " .. p.doc or "")
  end
  return #parts > 0 and table.concat(parts, ", ") or "none"
end

--- The values after the overrides (name -> text), or nil and what is wrong.
function M.apply(list, overrides)
  local by_name = {}
  for _, p in ipairs(list) do
    by_name[p.name] = p
    p.value = p.preset
  end
  for _, name in ipairs(text.names(overrides)) do
    local p = by_name[name]
    if not p then
      return nil, ("no param `%s`%s; declared: %s"):format(text.name(name), text.hint(name,
        by_name), M.describe(list))
    end
    local v = CONVERT[p.type](overrides[name])
    if v == nil then
      return nil, ("param `%s`: %s is not %s; declared: %s"):format(name,
        text.show(overrides[name]), NOUN[p.type], M.describe(list))
    end
    local wrong = check_limits(p, v)
    if wrong then
      return nil, ("param `%s`: %s; declared: %s"):format(name, wrong, M.describe(list))
    end
    p.value = v
  end
  return by_name
end

return M
