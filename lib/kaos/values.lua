-- SPDX-License-Identifier: Apache-2.0
-- Values of fields: durations, ranges, probabilities, settings. Each check returns the value in the
-- form of the plan, or nil and what is wrong with it.
local text = require "text"

local M = {}

local UNITS = { ms = 1, s = 1000, m = 60000, h = 3600000 }
M.units = UNITS
local LONGEST = 365 * 24 * 3600000

-- One duration "5s" in milliseconds.
local function one(s)
  local number, unit = s:match "^(%d+%.?%d*)(%a+)$"
  if not number then
    return nil, ("%s is not a duration (\"250ms\", \"5s\", \"5s..10s\")"):format(text.show(s))
  end
  if not UNITS[unit] then
    return nil, ("%s has the unknown unit `%s`%s, units are ms, s, m, h"):format(text.show(s),
      unit, text.hint(unit, UNITS))
  end
  local ms = tonumber(number) * UNITS[unit]
  if ms > LONGEST then return nil, ("%s is longer than a year"):format(text.show(s)) end
  if ms % 1 ~= 0 then return nil, ("%s is finer than a millisecond"):format(text.show(s)) end
  return math.tointeger(ms)
end

local function unitless(v)
  if type(v) == "number" then
    return ("a duration needs a unit, write \"%gs\" or \"%gms\""):format(v, v)
  elseif type(v) ~= "string" then
    return ("%s is not a duration (\"250ms\", \"5s\", \"5s..10s\")"):format(text.show(v))
  elseif v:match "^%s*%d+%.?%d*%s*$" then
    local n = v:match "%d+%.?%d*"
    return ("a duration needs a unit, write \"%ss\" or \"%sms\""):format(n, n)
  end
end

--- A single duration in milliseconds.
function M.duration(v)
  local wrong = unitless(v)
  if wrong then return nil, wrong end
  if v:find("..", 1, true) then
    return nil, ("%s is a range, one duration is needed here (\"5s\")"):format(text.show(v))
  end
  return one(v)
end

--- A duration or a range "5s..10s": { min, max } in milliseconds.
function M.range(v)
  local wrong = unitless(v)
  if wrong then return nil, wrong end
  local from, to = v:match "^(.-)%.%.(.*)$"
  if not from then
    local ms, why = one(v)
    if not ms then return nil, why end
    return { ms, ms }
  end
  local lo, why = one(from)
  if not lo then
    return nil, from:match "^%d+$"
      and ("%s: write the unit on both sides (\"5s..10s\")"):format(text.show(v)) or why
  end
  local hi, why_hi = one(to)
  if not hi then
    return nil, to:match "^%d+$"
      and ("%s: write the unit on both sides (\"5s..10s\")"):format(text.show(v)) or why_hi
  end
  if lo > hi then return nil, ("%s ends before it begins"):format(text.show(v)) end
  return { lo, hi }
end

function M.probability(v)
  if type(v) == "number" and v >= 0 and v <= 1 then return v + 0.0 end
  return nil, ("%s is not a probability, write 0..1 (2 %% is 0.02)"):format(type(v) == "string"
    and v or text.show(v))
end

function M.integer(v, field)
  local n = type(v) == "number" and math.tointeger(v)
  if not n then return nil, ("%s is not a whole number"):format(text.show(v)) end
  if field.min and n < field.min then
    return nil, ("%d is too small, at least %d"):format(n, field.min)
  end
  if field.max and n > field.max then
    return nil, ("%d is too large, at most %d"):format(n, field.max)
  end
  return n
end

function M.string(v)
  if type(v) ~= "string" then return nil, ("%s is not a string"):format(text.show(v)) end
  if v:find "\0" then return nil, "a string with a zero byte" end
  if #v > 4096 then return nil, "a string of more than 4096 bytes" end
  return v
end

--- A string that names something: not empty, one line.
function M.name(v)
  local s, why = M.string(v)
  if not s then return nil, why end
  if s == "" then return nil, "an empty name" end
  if #s > 200 then return nil, "a name of more than 200 bytes" end
  if s:find "%c" then return nil, ("%s has control characters"):format(text.show(s)) end
  return s
end

function M.boolean(v)
  if type(v) ~= "boolean" then return nil, ("%s is not true or false"):format(text.show(v)) end
  return v
end

M["function"] = function(v)
  if type(v) ~= "function" then return nil, ("%s is not a function"):format(text.show(v)) end
  return v
end

--- A string or a list of strings, as a list.
function M.names(v)
  if type(v) ~= "table" then
    local s, why = M.name(v)
    return s and { s }, why
  end
  local list, n = {}, 0
  for k, item in next, v do
    if math.type(k) ~= "integer" then
      return nil, ("a list of names, not a table with the field `%s`"):format(text.name(k))
    end
    local s, why = M.name(item)
    if not s then return nil, ("[%s]: %s"):format(k, why) end
    list[k], n = s, n + 1
  end
  if n == 0 then return nil, "an empty list" end
  if #list ~= n then return nil, "a list with holes" end
  return list
end

--- One of a fixed set of words.
function M.choice(v, field)
  for _, word in ipairs(field.choices) do
    if v == word then return v end
  end
  local set = {}
  for _, word in ipairs(field.choices) do set[word] = true end
  local quoted = {}
  for i, word in ipairs(field.choices) do quoted[i] = ("%q"):format(word) end
  return nil, ("%s is not one of %s%s"):format(text.show(v), table.concat(quoted, ", "),
    type(v) == "string" and text.hint(v, set) or "")
end

--- A number, string or boolean as the text that Kafka's configuration wants.
function M.setting(v)
  if type(v) == "string" then return M.string(v) end
  if type(v) == "boolean" then return tostring(v) end
  if math.type(v) == "integer" then return ("%d"):format(v) end
  if type(v) == "number" and v == v and v ~= math.huge and v ~= -math.huge then
    return math.tointeger(v) and ("%d"):format(math.tointeger(v)) or ("%.14g"):format(v)
  end
  return nil, ("%s is not a string, number or boolean"):format(text.show(v))
end

return M
