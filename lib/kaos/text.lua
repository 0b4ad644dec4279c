-- SPDX-License-Identifier: Apache-2.0
-- Words for messages: the nearest known name, places in scenario files, errors that carry a place.
local M = {}

-- Edit distance of two byte strings; neighbours that changed places count once.
local function distance(a, b)
  local before, prev = {}, {}
  for j = 0, #b do prev[j] = j end
  for i = 1, #a do
    local cur = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      cur[j] = math.min(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        cur[j] = math.min(cur[j], before[j - 2] + 1)
      end
    end
    before, prev = prev, cur
  end
  return prev[#b]
end

--- The key of `set` nearest to `word`, or nil if none is near.
---@param word string
---@param set table<string, any>
---@return string?
function M.nearest(word, set)
  local best, best_distance
  if #word > 64 then return nil end
  for known in next, set do
    if type(known) == "string" and #known <= 64 then
      local d = distance(word, known)
      if not best or d < best_distance or (d == best_distance and known < best) then
        best, best_distance = known, d
      end
    end
  end
  if best and best_distance <= math.max(2, #word // 3) then return best end
end

--- " (did you mean `x`?)" or "".
function M.hint(word, set)
  local known = M.nearest(tostring(word), set)
  return known and (" (did you mean `%s`?)"):format(known) or ""
end

--- A value as it may stand in a message: short, printable.
function M.show(v)
  if type(v) == "string" then
    local text = #v > 60 and v:sub(1, 57) .. "..." or v
    return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("[\0-\31\127]", "?"))
  elseif type(v) == "number" then
    return math.type(v) == "integer" and ("%d"):format(v) or ("%.14g"):format(v)
  elseif type(v) == "boolean" or v == nil then
    return tostring(v)
  end
  return "a " .. type(v)
end

--- A name as it may stand in a message.
function M.name(v)
  return (tostring(v):sub(1, 80):gsub("[\0-\31\127]", "?"))
end

--- Is this the source of a file of the scenario's author (not of a library module)?
function M.is_file(source)
  return source:sub(1, 1) == "@"
end

--- File and line of the innermost call that stands in a scenario file.
function M.place()
  for level = 2, 200 do
    local info = debug.getinfo(level, "Sl")
    if not info then break end
    if M.is_file(info.source) and info.currentline > 0 then
      return { file = info.source:sub(2), line = info.currentline }
    end
  end
  return { file = "?", line = 0 }
end

local Fault = {
  __tostring = function(e) return ("%s:%d: %s"):format(e.file, e.line, e.message) end,
  __metatable = "kaos.load_error",
  __name = "kaos.load_error",
}

--- Raises an error about a place of a scenario file.
---@param place { file: string, line: integer }
function M.fail(place, fmt, ...)
  local e = { file = place.file, line = place.line, message = fmt:format(...) }
  error(setmetatable(e, Fault), 0)
end

--- Is this an error made by `fail`?
function M.is_failure(e)
  return type(e) == "table" and debug.getmetatable(e) == Fault
end

--- Names of a table's string keys, sorted.
function M.names(t)
  local list = {}
  for k in next, t do
    if type(k) == "string" then list[#list + 1] = k end
  end
  table.sort(list)
  return list
end

return M
