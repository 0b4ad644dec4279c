-- SPDX-License-Identifier: Apache-2.0
-- The editor stub (_meta.lua, LuaCATS annotations for the Lua language server), made from the rows.
local schema = require "schema"
local text = require "text"

local M = {}

local PARAM = "|kaos.Param"
local TYPES = {
  string = "string", name = "string", names = "string|string[]",
  command = "string[]", boolean = "boolean",
    integer = "integer",
  number = "number", params = "table<string, string|number|boolean|table>",
    cluster = "kaos.Cluster", topics = "table<string, kaos.Topic>",
  roles_table = "table<string, kaos.Role|fun(w: kaos.Ctx)>", faults = "kaos.Fault[]",
    expect = "kaos.Expectation[]",
  thresholds = "table<string, string|string[]|kaos.Param>", stop = "kaos.Stop",
    kinds = "string|string[]",
    settings = "table<string, string|number|boolean|kaos.Param>",
  range = "kaos.Duration", duration = "kaos.Duration", restart = "\"never\"|kaos.Duration",
    after = "string",
  probability = "kaos.Probability", points = "kaos.CrashPoint|kaos.CrashPoint[]",
    roles = "string|string[]", topic_list = "string|string[]", places = "string|string[]",
    start_after = "string|string[]",
  place = "string", topic = "string", id = "string|fun(m: kaos.Message): any",
    node = "integer|\"any\"|\"controller\"|string",
}
-- Types that a promise cannot stand for.
local NO_PARAM = { params = true, cluster = true, topics = true, roles_table = true,
  faults = true, expect = true,
  thresholds = true, stop = true, settings = true, ["function"] = true }
local FUNCTIONS = {
  run = "fun(w: kaos.Ctx)", init = "fun(): any",
    step = "fun(state: any, event: table): kaos.Violation?",
  final = "fun(state: any): kaos.Violation?",
}

local function type_of(f)
  local t = TYPES[f.type]
  if f.type == "choice" then
    local words = {}
    for i, w in ipairs(f.choices) do words[i] = ("%q"):format(w) end
    t = table.concat(words, "|")
  elseif f.type == "function" then
    t = FUNCTIONS[f.name]
  end
  return NO_PARAM[f.type] and t or t .. PARAM
end

local function class_name(word)
  return "kaos." .. ("_" .. word):gsub("[_.](%a)", string.upper)
end

local function record(out, class, rec)
  out[#out + 1] = ("\n---%s\n---@class (exact) %s"):format(rec.doc, class)
  for _, f in ipairs(rec) do
    out[#out + 1] = ("---@field %s%s %s # %s"):format(f.name, f.required and "" or "?",
      type_of(f), f.doc)
  end
end

local HEAD = [[
---@meta kaos
-- Made from lib/kaos/schema.lua and the tables in src/lua. Do not edit.

---@alias kaos.Duration string    # "250ms" "5s" "2m"; a range "5s..10s" is drawn anew each time
---@alias kaos.Probability number # 0..1
---@class kaos.Param
---@class kaos.Scenario
---@class kaos.Fault
---@class kaos.Predicate
---@class kaos.Violation
---@class kaos.Property
---@overload fun(spec: kaos.PropertyBody): kaos.Property
---@alias kaos.Expectation kaos.Property|kaos.Predicate]]

local WORDS = [[

---Declares a scenario; nothing runs yet.
---@param name string
---@return fun(spec: kaos.Spec): kaos.Scenario
function scenario(name) end

---A value of `params`, filled in when the run starts.
---@param name string
---@return kaos.Param
function param(name) end

---An environment variable, read once by the runner.
---@param name string
---@param default? string
---@return string
function env(name, default) end

---A predicate of one's own: a fold over emitted events.
---@param name string
---@return fun(spec: kaos.Invariant): kaos.Predicate
function invariant(name) end

---What step and final of an invariant return; the last argument may be a list of events.
---@param format string
---@param ... any
---@return kaos.Violation
function violation(format, ...) end]]

local function words(out)
  out[#out + 1] = WORDS
  for _, f in ipairs(schema.functions) do
    if f.record == "property" then
      out[#out + 1] = ("\n---%s\n---@param name string\n---@return kaos.Property\nfunction "
        .. "%s(name) end"):format(f.doc, f.name)
    end
  end
end

-- more: further lines of a class.
local function family(out, set, result, suffix, more)
  for _, name in ipairs(text.names(set)) do
    local class = class_name(name) .. suffix
    record(out, class, set[name])
    if more and more[name] then out[#out + 1] = more[name] end
    local arg = set[name].subject and "string|" .. class or class
    out[#out + 1] = ("\n---%s\n---@param spec %s\n---@return %s\nfunction %s(spec) "
      .. "end"):format(set[name].doc, arg, result, name)
  end
end

local RESULTS = {
  ["nil"] = {}, iterator = { "fun(): any" }, boolean = { "boolean" }, integer = { "integer" },
    string = { "string" },
  table = { "table" }, condition = { "any" }, producer = { "kaos.Producer" },
    consumer = { "kaos.Consumer" },
  tx = { "kaos.Tx" }, task = { "kaos.Task" },
}

-- Results of a C function, from "a | nil, err".
local function results(s)
  local first, rest = s:match "^([%w_]+)(.*)$"
  if not first then return { "any" } end
  if rest:find "nil, err" then
    local known = (RESULTS[first] or { first == "true" and "true" or first == "offset"
      and "integer" or "any" })[1]
    return { (known or "any") .. "?", "kaos.Error?" }
  elseif rest:find "| nil" then
    return { ((RESULTS[first] or { "any" })[1] or "any") .. "?" }
  end
  return RESULTS[first] or { "any" }
end

local RESERVED = { ["function"] = "fn", ["end"] = "last", ["nil"] = "none" }

local function method(out, class, options, row)
  local args, result = row.signature:match "^(.-)%s*%->%s*(.*)$"
  local names = {}
  out[#out + 1] = ("\n---%s"):format(row.doc)
  if args:match "{ options }" then
    names[1] = "options"
    out[#out + 1] = ("---@param options? %s"):format(options and class_name(row.module .. "_"
      .. row.name) .. "Options" or "table")
  else
    for part in args:gsub("[()]", ""):gmatch "[^,]+" do
      local word = part:match "^%s*([%w_.]+)" or "value"
      word = RESERVED[word] or word
      names[#names + 1] = word
      out[#out + 1] = ("---@param %s%s any"):format(word, part:find("nil", 1, true) and "?" or "")
    end
  end
  for _, t in ipairs(results(result)) do out[#out + 1] = "---@return " .. t end
  out[#out + 1] = ("function %s:%s(%s) end"):format(class, row.name, table.concat(names, ", "))
end

local BASIC = { string = true, integer = true, number = true, boolean = true, table = true,
  ["nil"] = true, ["true"] = true }

-- A type of the C rows in the words of the language server.
local function loose(signature)
  local parts = {}
  for part in signature:gmatch "[^|]+" do
    part = part:match "^%s*(.-)%s*$"
    if not BASIC[part] and not part:match "^\"[%w_ -]*\"$" then return "any" end
    parts[#parts + 1] = part
  end
  return table.concat(parts, "|")
end

local function class(out, rows, module, has)
  local options = module:find(".", 1, true)
  local name = options and class_name((module:gsub("%.", "_"))) .. "Options" or class_name(module)
  out[#out + 1] = ("\n---@class %s"):format(name)
  for _, row in ipairs(rows) do
    if row.module == module and not row.signature:find("->", 1, true) then
      out[#out + 1] = ("---@field %s%s %s # %s"):format(row.name, options and "?" or "",
        loose(row.signature), row.doc)
    end
  end
  if options then return end
  local var = module:sub(1, 1):upper() .. module:sub(2)
  out[#out + 1] = ("local %s = {}"):format(var)
  for _, row in ipairs(rows) do
    if row.module == module and row.signature:find("->", 1, true) then
      method(out, var, has[module .. "." .. row.name], row)
    end
  end
end

--- The whole stub. native: rows of the C modules.
function M.write(native)
  local out = { HEAD }
  local points = {}
  for _, p in ipairs(schema.points) do points[#points + 1] = ("%q"):format(p) end
  out[#out + 1] = "---@alias kaos.CrashPoint \"any\"|" .. table.concat(points, "|")
  for _, name in ipairs { "spec", "cluster", "topic", "role", "stop", "invariant" } do
    record(out, class_name(name), schema.records[name])
  end
  record(out, "kaos.PropertyBody", schema.records.property)
  out[#out + 1] = "---@field [integer] kaos.Predicate"
  words(out)
  family(out, schema.faults, "kaos.Fault", "Spec", { mix = "---@field [integer] kaos.Fault" })
  family(out, schema.predicates, "kaos.Predicate", "Spec")
  local has, order = {}, {}
  for _, row in ipairs(native) do
    if not has[row.module] then
      has[row.module] = true
      order[#order + 1] = row.module
    end
  end
  for _, module in ipairs(order) do class(out, native, module, has) end
  return table.concat(out, "\n") .. "\n"
end

return M
