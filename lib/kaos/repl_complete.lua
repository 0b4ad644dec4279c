-- SPDX-License-Identifier: Apache-2.0
-- What the word in front of the cursor may become: names of globals and fields of live values (no
-- code of the person's runs: only tables and the methods that C classes have), fields inside the
-- table of a known function, and inside quotes what the place asks for.
local schema = require "schema"
local schema_prompt = require "schema_prompt"

local M = {}

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function",
  "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until",
  "while" }

local function matching(set, prefix, suffix)
  local out = {}
  for name in next, set do
    if type(name) == "string" and name:sub(1, #prefix) == prefix then
      out[#out + 1] = name .. (suffix or "")
    end
  end
  table.sort(out)
  return out
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

-- ---- values ----

-- The fields of a value: of tables, and through `__index` as long as it is a table.
local function fields_of(v)
  local set = {}
  for _ = 1, 10 do
    if type(v) == "table" then
      for k in next, v do
        if type(k) == "string" then set[k] = true end
      end
    end
    local mt = debug.getmetatable(v)
    v = type(mt) == "table" and rawget(mt, "__index") or nil
    if v == nil then break end
  end
  return set
end

-- Methods and fields of a C class, from the table of the API.
local function class_fields(self, v)
  local mt = debug.getmetatable(v)
  local class = type(mt) == "table" and rawget(mt, "__name")
  local module = type(class) == "string" and class:match "^kaos%.(%w+)$"
  local set = {}
  for _, row in ipairs(self.host.rows) do
    if row.module == module then set[row.name] = true end
  end
  return set
end

local function members(self, v)
  local set = fields_of(v)
  for name in next, class_fields(self, v) do set[name] = true end
  return set
end

local function value_of(self, path)
  local v = self.env
  for part in path:gmatch "[^.:]+" do
    if type(v) ~= "table" then return nil end
    v = rawget(v, part)
  end
  return v
end

-- ---- where the cursor is ----

-- The innermost open quote: its place and the text behind it; and the brackets that are open.
local function scan(line)
  local quote, at, stack, i = nil, nil, {}, 1
  while i <= #line do
    local c = line:sub(i, i)
    if quote then
      if c == "\\" then
        i = i + 1
      elseif c == quote then
        quote = nil
      end
    elseif c == "'" or c == '"' then
      quote, at = c, i
    elseif c == "{" or c == "(" then
      stack[#stack + 1] = { c, i }
    elseif (c == "}" or c == ")") and #stack > 0 then
      stack[#stack] = nil
    end
    i = i + 1
  end
  return quote and at, stack
end

-- The function that an open bracket belongs to: its name.
local function called(line, stack)
  for i = #stack, 1, -1 do
    local name = line:sub(1, stack[i][2] - 1):match "([%a_][%w_.:]*)%s*%(?%s*$"
    if name then return name:match "[%w_]+$", stack[i] end
  end
end

-- ---- inside quotes ----

local function names(self, what)
  if what == "topic" then return matching(self.codecs, "") end
  return self.host.names()[what] or {}
end

local QUOTED = {
  send = "topic", tail = "topic", messages = "topic", topic = "topic", topics = "topic",
  kill = "instance", crash = "instance", exit = "instance", pause = "instance",
  abort = "instance", rebalance = "group", role = "instance", group = "group",
}

-- What a string at this place means: by the field in front of it, the function, the argument.
local function kind_of(line, quote, stack)
  local before = line:sub(1, quote - 1)
  local field = before:match "([%a_][%w_]*)%s*=%s*{?%s*$"
  local name, bracket = called(line, stack)
  name = name or before:match "([%a_][%w_]*)%s*$"
  if field == "point" then return "point" end
  if field and QUOTED[field] then return QUOTED[field] end
  if name == "crash" and bracket and before:sub(bracket[2]):find(",", 1, true) then
    return "point"
  end
  if name == "broker" then return "action" end
  return QUOTED[name or ""]
end

local FIXED = { point = schema.points, action = { "kill", "pause", "restart" } }

local function in_quotes(self, line, quote, stack)
  local kind = kind_of(line, quote, stack)
  local prefix = line:sub(quote + 1)
  if not kind then return quote + 1, {} end
  return quote + 1, matching(set_of(FIXED[kind] or names(self, kind)), prefix,
    line:sub(quote, quote))
end

-- ---- inside a table of options ----

local function options(self, name)
  local record = schema.faults[name] or schema.records[name]
  local set = {}
  for _, f in ipairs(record or {}) do set[f.name] = true end
  if name == "up" then
    for _, param in ipairs(self.scenario and self.scenario.params or {}) do
      set[param.name] = true
    end
  end
  for _, row in ipairs(self.host.rows) do
    if row.module == "ctx." .. name then set[row.name] = true end
  end
  return set
end

local function in_table(self, line, stack, start, prefix)
  local name, bracket = called(line, stack)
  if not name or line:sub(bracket[2]):match "=%s*[%w_]*$" then return nil end
  local open = stack[#stack]
  if open[1] ~= "{" then return nil end
  local set = options(self, name)
  for used in line:sub(open[2]):gmatch "([%a_][%w_]*)%s*=" do set[used] = nil end
  local list = matching(set, prefix, " = ")
  if #list > 0 then return start, list end
end

-- ---- commands ----

local function paths(self, prefix)
  local list = self.host.files(prefix)
  table.sort(list)
  return list
end

local function in_command(self, line)
  local start, name = 2, line:match "^%.(%a*)$"
  local known = {}
  for _, row in ipairs(schema_prompt.commands) do known[row.name] = row end
  if name then return start, matching(known, name, " ") end
  local command, rest = line:match "^%.(%a+)%s+(%S*)$"
  local row = command and known[command]
  if not row then return #line + 1, {} end
  start = #line - #rest + 1
  if row.arg == "file" then return start, paths(self, rest) end
  if row.arg then return start, matching(set_of(names(self, row.arg)), rest) end
  if command == "help" then
    local set = fields_of(self.builtin)
    return start, matching(set, rest)
  end
  return start, {}
end

--- First byte of the word (from 1) and a list of what it may become.
function M.at(self, line)
  if #self.lines == 0 and line:match "^%.%a*" then return in_command(self, line) end
  local quote, stack = scan(line)
  if quote then return in_quotes(self, line, quote, stack) end
  local path, sep, word = line:match "([%a_][%w_.:]*)([.:])([%w_]*)$"
  if path then
    local v = value_of(self, path)
    if v == nil then return #line + 1, {} end
    return #line - #word + 1, matching(members(self, v), word, sep == ":" and "(" or nil)
  end
  word = line:match "[%a_][%w_]*$" or ""
  local start = #line - #word + 1
  if #stack > 0 then
    local at, list = in_table(self, line, stack, start, word)
    if at then return at, list end
  end
  if word == "" then return start, {} end
  local set = set_of(KEYWORDS)
  for k in next, self.env do
    if type(k) == "string" then set[k] = true end
  end
  return start, matching(set, word)
end

return M
