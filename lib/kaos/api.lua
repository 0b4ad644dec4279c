-- SPDX-License-Identifier: Apache-2.0
-- Everything that a scenario author can write, as rows { module, name, signature, doc }: the
-- language from schema.lua, and what exists inside a role from the C modules. `kaos help`,
-- docs/api.md and the configuration of luacheck are made from the rows.
local schema = require "schema"
local schema_prompt = require "schema_prompt"
local text = require "text"

local M = {}

-- Records of schema.lua whose fields are documented, in the order of the document.
local RECORDS = { "spec", "cluster", "topic", "role", "stop", "param", "property", "invariant" }

local TYPES = {
  range = "duration or range", names = "string or list", command = "list",
    kinds = "finding or list", roles = "role or list", places = "topic or role, or list",
    start_after = "name, duration or list",
  points = "crash point or list", place = "topic or role", settings = "table of settings",
  params = "table", topics = "table of topics", roles_table = "table of roles",
    topic_list = "topic or list",
    faults = "list of faults",
  expect = "list of properties and predicates", name = "string", node = "number or \"any\"",
    after = "name or duration",
  restart = "duration or \"never\"", id = "string or function",
}

--- The type of a field in words.
function M.type_of(field)
  if field.type == "choice" then
    local words = {}
    for i, w in ipairs(field.choices) do words[i] = ("%q"):format(w) end
    return table.concat(words, " | ")
  end
  local t = TYPES[field.type] or field.type
  if field.min and field.max then return ("%s, %d to %d"):format(t, field.min, field.max) end
  return t
end

local function field_doc(field)
  if field.required then return field.doc .. " Required." end
  if field.default then return ("%s Default: %s."):format(field.doc, field.default) end
  return field.doc
end

--- "{ role, p, per?, max? }"
function M.shape(record)
  local parts = {}
  for i, f in ipairs(record) do parts[i] = f.required and f.name or f.name .. "?" end
  return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or "{ }"
end

local function add(rows, module, name, signature, doc)
  rows[#rows + 1] = { module = module, name = name, signature = signature, doc = doc }
end

local function add_fields(rows, module, record)
  for _, f in ipairs(record) do add(rows, module, f.name, M.type_of(f), field_doc(f)) end
end

local function add_family(rows, module, family)
  local names = text.names(family)
  for _, name in ipairs(names) do
    add(rows, module, name, M.shape(family[name]), family[name].doc)
  end
  for _, name in ipairs(names) do add_fields(rows, name, family[name]) end
end

--- All rows; those of the C modules come last.
function M.rows(native)
  local rows = {}
  for _, f in ipairs(schema.functions) do add(rows, "scenario", f.name, f.signature, f.doc) end
  for _, name in ipairs(RECORDS) do add_fields(rows, name, schema.records[name]) end
  add_family(rows, "fault", schema.faults)
  add_family(rows, "predicate", schema.predicates)
  for _, row in ipairs(native) do rows[#rows + 1] = row end
  for _, w in ipairs(schema_prompt.words) do
    add(rows, "prompt", w.name, w.signature,
      w.example and ("%s Example: `%s`."):format(w.doc, w.example) or w.doc)
  end
  for _, c in ipairs(schema_prompt.commands) do add(rows, "command", c.name, c.signature, c.doc) end
  return rows
end

local FAMILIES = { fault = true, predicate = true, scenario = true, prompt = true }

-- As an author writes it: `crash { ... }`, `w:send(...)`, `topic.partitions`.
local function title(row)
  if row.module == "command" then return row.signature end
  if FAMILIES[row.module] then
    return row.name .. (row.signature:sub(1, 1) == "(" and "" or " ") .. row.signature
  end
  local call = row.signature:find("->", 1, true)
  if not call then return ("%s.%s: %s"):format(row.module, row.name, row.signature) end
  return ("%s:%s%s%s"):format(row.module == "ctx" and "w" or row.module, row.name,
    row.signature:sub(1, 1) == "(" and "" or " ", row.signature)
end

local function print_row(out, row, rows)
  out[#out + 1] = title(row)
  out[#out + 1] = "    " .. row.doc
  if row.module == "prompt" then return end
  for _, member in ipairs(rows) do
    if member.module == row.name or member.module == row.module .. "." .. row.name then
      out[#out + 1] = ("    %-12s %s"):format(member.name, member.signature)
      out[#out + 1] = "                 " .. member.doc
    end
  end
end

--- Text for `kaos help NAME`; NAME may be "crash", "crash.p", "w:send", "producer". nil and the
--- nearest name otherwise.
function M.help(native, name)
  local rows, out, known = M.rows(native), {}, {}
  local module, member = name:match "^([%w_]+)[.:]([%w_]+)$"
  if module == "w" then module = "ctx" end
  for _, row in ipairs(rows) do
    known[row.name], known[row.module] = true, true
    if member and row.module == module and row.name == member or not member
      and row.name == name then
      print_row(out, row, rows)
    end
  end
  if #out == 0 and not member then
    for _, row in ipairs(rows) do
      if row.module == (name == "w" and "ctx" or name) then print_row(out, row, rows) end
    end
  end
  if #out > 0 then return table.concat(out, "\n") .. "\n" end
  return nil, ("no help for `%s`%s"):format(text.name(name), text.hint(member or name, known))
end

local function cell(s)
  return (s:gsub("|", "\\|"):gsub("\n", " "))
end

local function write_table(out, rows, module)
  out[#out + 1] = "| name | form | what |\n|---|---|---|"
  for _, row in ipairs(rows) do
    if row.module == module then
      out[#out + 1] = ("| `%s` | `%s` | %s |"):format(row.name, cell(row.signature), cell(row.doc))
    end
  end
  out[#out + 1] = ""
end

local function write_family(out, rows, heading, set)
  out[#out + 1] = "## " .. heading .. "\n"
  for _, name in ipairs(text.names(set)) do
    out[#out + 1] = ("### `%s %s`\n\n%s\n"):format(name, M.shape(set[name]), set[name].doc)
    if set[name].subject then
      out[#out + 1] = ("`%s \"x\"` is short for `%s { %s = \"x\" }`.\n"):format(name, name,
        set[name].subject)
    end
    if #set[name] > 0 then write_table(out, rows, name) end
  end

end

local TITLES = {
  spec = "A scenario", cluster = "cluster", topic = "A topic", role = "A role", stop = "stop",
  param = "A parameter", property = "The body of a property",
    invariant = "The body of an invariant",
}
local CLASS_TITLES = {
  ctx = "Inside a role: the context `w`", producer = "A producer", consumer = "A consumer",
    tx = "A transaction",
  message = "A message", task = "A task", error = "An error", record = "A record to send",
}

local function class_title(module)
  if CLASS_TITLES[module] then return CLASS_TITLES[module] end
  local class, method = module:match "^([%w_]+)%.([%w_]+)$"
  if class then return ("Options of `%s:%s`"):format(class == "ctx" and "w" or class, method) end
  return module
end

--- docs/api.md
function M.docs(native)
  local rows = M.rows(native)
  local out = {
    "<!-- Made from lib/kaos/schema.lua and the tables in src/lua. Do not edit. -->",
    "# What a scenario can say\n",
    "Durations are strings with a unit (`\"250ms\"`, `\"5s\"`, `\"2m\"`, `\"1h\"`); a range "
      .. "`\"5s..10s\"` is drawn anew each "
      .. "time from the seed of the run.\nProbabilities are numbers from 0 to 1. `param "
        .. "\"name\"` may stand for any value.\n",
    "## Words\n",
  }
  write_table(out, rows, "scenario")
  for _, name in ipairs(RECORDS) do
    out[#out + 1] = ("## %s\n\n%s\n"):format(TITLES[name], schema.records[name].doc)
    write_table(out, rows, name)
  end
  write_family(out, rows, "Faults", schema.faults)
  write_family(out, rows, "Predicates", schema.predicates)
  local seen = {}
  for _, row in ipairs(native) do
    if not seen[row.module] then
      seen[row.module] = true
      out[#out + 1] = ("## %s\n"):format(class_title(row.module))
      write_table(out, rows, row.module)
    end
  end
  out[#out + 1] = "## At the prompt: words\n"
  write_table(out, rows, "prompt")
  out[#out + 1] = "## At the prompt: commands\n"
  write_table(out, rows, "command")
  return table.concat(out, "\n")
end

--- .luacheckrc
function M.luacheck()
  local names = {}
  for _, f in ipairs(schema.functions) do
    if f.name ~= "require" then names[#names + 1] = f.name end
  end
  for _, family in ipairs { schema.faults, schema.predicates } do
    for _, name in ipairs(text.names(family)) do names[#names + 1] = name end
  end
  local quoted = {}
  for i, name in ipairs(names) do quoted[i] = ("    %q,"):format(name) end
  return "-- Made from lib/kaos/schema.lua. Do not edit.\n"
    .. "std = \"lua54\"\nmax_line_length = 100\nunused_args = false\nself = false\n"
    .. "exclude_files = { \"build\", \".kaos\", \"tests/lua/bad\", \"lib/kaos/_meta.lua\" }\n"
    .. "stds.kaos = {\n  read_globals = {\n" .. table.concat(quoted, "\n") .. "\n  },\n}\n"
    .. "files[\"scenarios/**/*.lua\"].std = \"lua54+kaos\"\n"
    .. "files[\"lib/templates/*.lua\"].std = \"lua54+kaos\"\n"
    .. "files[\"tests/lua/**/*.lua\"].std = \"lua54+kaos\"\n"
end

return M
