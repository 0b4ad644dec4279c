-- SPDX-License-Identifier: Apache-2.0
-- Values as text for a person at the prompt: one line where it fits, a box for lists of records,
-- cut at a depth and a number of rows. Runs no metamethod of the person's.
local M = {}

local DEPTH, ROWS, WIDE = 3, 20, 60

--- Names of the columns of lists that this library made, in order.
M.order = setmetatable({}, { __mode = "k" })

local Printer = {}
Printer.__index = Printer

--- columns: of the terminal; utf8: whether boxes may have lines.
function M.new(columns, utf8_ok)
  return setmetatable({ columns = columns or 80, utf8 = utf8_ok }, Printer)
end

local function is_name(k) return type(k) == "string" and k:match "^[%a_][%w_]*$" end

local function quoted(s, width)
  local text = s
  if width and #text > width then text = text:sub(1, width - 1) .. "..." end
  return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("[\0-\31\127]", function(c)
    return ("\\x%02x"):format(c:byte())
  end))
end

-- The type that C or this library gave a value, without calling anything.
local function class_of(v)
  local mt = debug.getmetatable(v)
  local name = type(mt) == "table" and rawget(mt, "__name")
  return type(name) == "string" and name or nil
end

local function bytes(v, width)
  if v == nil then return "null" end
  if type(v) == "string" then return quoted(v, width) end
  return M.plain(v)
end

--- input[2]@518 key=... value=...
function M.record(m)
  local ok, value = pcall(function() return m.value end)
  return ("%s[%d]@%d key=%s value=%s"):format(m.topic, m.partition, m.offset, bytes(m.key, WIDE),
    ok and bytes(value, WIDE) or "?")
end

local function order(t)
  local keys = {}
  for k in next, t do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    local ta, tb = type(a), type(b)
    if ta ~= tb then return ta == "number" or (tb ~= "number" and ta < tb) end
    if ta == "number" or ta == "string" then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local inline

local function opaque(v)
  local class = class_of(v)
  if class == "kaos.message" then return M.record(v) end
  if class and class:match "^kaos%." then
    local text = tostring(v)
    return text
  end
  return type(v) == "function" and "function" or class or type(v)
end

local function inline_table(t, depth, seen)
  local class = class_of(t)
  if class == "kaos.error" then return "error: " .. tostring(rawget(t, "message")) end
  if class and class:match "^kaos%." then return rawget(t, "text") or class end
  if seen[t] then return "<cycle>" end
  if next(t) == nil then return "{}" end
  if depth >= DEPTH then return "{...}" end
  seen[t] = true
  local out, n = {}, 0
  for i = 1, #t do
    if n == ROWS then break end
    n = n + 1
    out[n] = inline(rawget(t, i), depth + 1, seen)
  end
  local length = #t
  for _, k in ipairs(order(t)) do
    local listed = math.type(k) == "integer" and k >= 1 and k <= length
    if not listed and n <= ROWS then
      n = n + 1
      out[n] = n > ROWS and "..." or
        (is_name(k) and k or "[" .. inline(k, depth + 1, seen) .. "]") .. " = "
          .. inline(rawget(t, k), depth + 1, seen)
    end
  end
  if length > ROWS and out[n] ~= "..." then out[n + 1] = "..." end
  seen[t] = nil
  return "{ " .. table.concat(out, ", ") .. " }"
end

function inline(v, depth, seen)
  local kind = type(v)
  if kind == "string" then return quoted(v, depth > 0 and WIDE or nil) end
  if kind == "table" then return inline_table(v, depth, seen) end
  if kind == "userdata" or kind == "thread" or kind == "function" then return opaque(v) end
  return tostring(v)
end

--- The text of an error value.
function M.error(e)
  local class = class_of(e)
  if class == "kaos.error" or class == "kaos.load_error" then
    return tostring(rawget(e, "message"))
  end
  if type(e) ~= "string" then return M.plain(e) end
  return (e:gsub("^kaos/[%w_]+:%d+: ", "")) -- a place of the library says nothing to a person
end

--- One line.
function M.plain(v) return inline(v, 0, {}) end

-- A list of tables with names: what a box can show.
local function is_rows(t)
  if class_of(t) or #t == 0 then return false end
  for i = 1, #t do
    local row = rawget(t, i)
    if type(row) ~= "table" or class_of(row) or #row > 0 or next(row) == nil then return false end
  end
  return true
end

local function columns_of(t)
  local names, seen = {}, {}
  if M.order[t] then return M.order[t] end
  for i = 1, #t do
    for _, k in ipairs(order(t[i])) do
      if type(k) == "string" and not seen[k] then
        seen[k] = true
        names[#names + 1] = k
      end
    end
  end
  return names
end

local function width(s) return utf8.len(s) or #s end

local function cell(v)
  if v == nil then return "" end
  if type(v) == "string" then return (v:gsub("[\0-\31\127]", "?")) end
  return inline(v, 1, {})
end

local LINES = {
  [true] = { "┌", "┬", "┐", "├", "┼", "┤", "└", "┴", "┘", "─", "│" },
  [false] = { "+", "+", "+", "+", "+", "+", "+", "+", "+", "-", "|" },
}

local function rule(widths, left, middle, right, dash)
  local parts = {}
  for i, w in ipairs(widths) do parts[i] = dash:rep(w + 2) end
  return left .. table.concat(parts, middle) .. right
end

local function box_line(cells, widths, bar, numbers)
  local parts, cut = {}, bar == "|" and "." or "…"
  for i, w in ipairs(widths) do
    local s = cells[i]
    if width(s) > w then s = s:sub(1, (utf8.offset(s, w) or w) - 1) .. cut end
    local pad = (" "):rep(w - width(s))
    parts[i] = " " .. (numbers[i] and pad .. s or s .. pad) .. " "
  end
  return bar .. table.concat(parts, bar) .. bar
end

-- The widest columns give way until the box fits.
local function fit(widths, columns)
  local total = 1
  for _, w in ipairs(widths) do total = total + w + 3 end
  while total > columns do
    local widest = 1
    for i, w in ipairs(widths) do
      if w > widths[widest] then widest = i end
    end
    if widths[widest] <= 8 then return end
    widths[widest] = widths[widest] - 1
    total = total - 1
  end
end

-- The rows from `first` on as lines of a box.
function Printer:box(t, first)
  local l, names = LINES[self.utf8 and true or false], columns_of(t)
  local last = math.min(#t, first + ROWS - 1)
  local widths, numbers, rows = {}, {}, {}
  for i, name in ipairs(names) do widths[i], numbers[i] = width(name), true end
  for r = first, last do
    local cells = {}
    for i, name in ipairs(names) do
      local v = rawget(t[r], name)
      cells[i] = cell(v)
      numbers[i] = numbers[i] and (v == nil or type(v) == "number")
      widths[i] = math.max(widths[i], math.min(width(cells[i]), WIDE))
    end
    rows[#rows + 1] = cells
  end
  fit(widths, self.columns)
  local out = { rule(widths, l[1], l[2], l[3], l[10]), box_line(names, widths, l[11], {}),
    rule(widths, l[4], l[5], l[6], l[10]) }
  for _, cells in ipairs(rows) do out[#out + 1] = box_line(cells, widths, l[11], numbers) end
  out[#out + 1] = rule(widths, l[7], l[8], l[9], l[10])
  return out, last
end

-- Entries of a table that has no rows, one a line.
local function entries(t)
  local list, length = {}, #t
  for i = 1, length do list[i] = inline(rawget(t, i), 1, {}) end
  for _, k in ipairs(order(t)) do
    if not (math.type(k) == "integer" and k >= 1 and k <= length) then
      list[#list + 1] = ("%s = %s"):format(is_name(k) and k or "[" .. inline(k, 1, {}) .. "]",
        inline(rawget(t, k), 1, {}))
    end
  end
  return list
end

--- Lines of a value; the second result continues it (a function like this one), if it was cut.
function Printer:lines(v, first)
  first = first or 1
  local class = class_of(v)
  if type(v) ~= "table" or (class and class:match "^kaos%.") then return { M.plain(v) } end
  local out, last, total
  if is_rows(v) then
    out, last = self:box(v, first)
    total = #v
  else
    local line = M.plain(v)
    if first == 1 and width(line) <= self.columns and #v <= ROWS then return { line } end
    local list = entries(v)
    total, last, out = #list, math.min(#list, first + ROWS - 1), {}
    for i = first, last do out[#out + 1] = "  " .. list[i] end
  end
  if last >= total then return out end
  out[#out + 1] = ("%s %d more (.more)"):format(self.utf8 and "…" or "...", total - last)
  return out, function() return self:lines(v, last + 1) end
end

return M
