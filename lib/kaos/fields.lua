-- SPDX-License-Identifier: Apache-2.0
-- Checks the tables of a scenario against the records of schema.lua, with promises kept and names
-- of topics and roles looked up.
local dsl = require "dsl"
local schema = require "schema"
local text = require "text"
local values = require "values"

local M = {}

--- What is checked: path begins every message, params, topics and roles are what names refer to.
---@class Context
---@field path string
---@field params table
---@field topics table<string, table>
---@field roles table<string, table>
---@field brokers integer

local function known(set, what, bare)
  return function(v, _, ctx)
    local name, why = values.name(v)
    if not name then return nil, why end
    if ctx[set][name] == nil then
      return nil, ("no %s `%s`%s"):format(what, text.name(name), text.hint(name, ctx[set])), bare
    end
    return name
  end
end

local check = {}
check.topic = known("topics", "topic")

function check.roles(v, _, ctx)
  local list, why = values.names(v)
  if not list then return nil, why end
  for _, name in ipairs(list) do
    local ok, wrong, bare = known("roles", "role", true)(name, nil, ctx)
    if not ok then return nil, wrong, bare end
  end
  return list
end

function check.topic_list(v, _, ctx)
  local list, why = values.names(v)
  if not list then return nil, why end
  for _, name in ipairs(list) do
    local ok, wrong, bare = known("topics", "topic", true)(name, nil, ctx)
    if not ok then return nil, wrong, bare end
  end
  return list
end

function check.place(v, _, ctx)
  local name, why = values.name(v)
  if not name then return nil, why end
  local topic, role = ctx.topics[name] ~= nil, ctx.roles[name] ~= nil
  if topic and role then
    return nil, ("`%s` is a topic and a role, rename one of them"):format(text.name(name))
  end
  if topic or role then return name end
  local both = {}
  for k in next, ctx.topics do both[k] = true end
  for k in next, ctx.roles do both[k] = true end
  return nil, ("no topic or role `%s`%s"):format(text.name(name), text.hint(name, both))
end

function check.places(v, field, ctx)
  local list, why = values.names(v)
  if not list then return nil, why end
  for _, name in ipairs(list) do
    local ok, wrong, bare = check.place(name, field, ctx)
    if not ok then return nil, wrong, bare end
  end
  return list
end

local POINT_SET = { any = true }
for _, p in ipairs(schema.points) do POINT_SET[p] = true end

function check.points(v)
  local list, why = values.names(v)
  if not list then return nil, why end
  local points = {}
  for _, name in ipairs(list) do
    if not POINT_SET[name] then
      return nil, ("no crash point `%s`%s"):format(text.name(name), text.hint(name, POINT_SET))
    end
    if name == "any" then
      table.move(schema.points, 1, 8, #points + 1, points)
    else
      points[#points + 1] = name
    end
  end
  return points
end

local IDS = { value = true, key = true, lineage = true }

function check.id(v)
  if type(v) == "function" then return { kind = "function", fn = v } end
  if type(v) == "string" then
    if IDS[v] then return { kind = v } end
    local header = v:match "^header:(.+)$"
    if header then return { kind = "header", header = header } end
  end
  return nil, ("%s is not \"value\", \"key\", \"header:NAME\" or a function%s"):format(text.show(v),
    type(v) == "string" and text.hint(v, IDS) or "")
end

local keep

-- How many partitions a topic has, as far as its declaration says so.
local function partitions(ctx, name, place, path)
  local t = ctx.topics[name]
  local n = type(t) == "table" and rawget(t, "partitions")
  if n == nil then return 1 end
  return math.tointeger(tonumber(keep(ctx, n, place, path)))
end

local NODES = {}

function NODES.any() return { target = "any" } end

function NODES.controller() return { target = "controller" } end

function NODES.leader(of, ctx, place, path)
  local topic, number = of:match "^(.+)/(%d+)$"
  if not topic then
    return nil, ("%s: which partition? write \"leader of TOPIC/PARTITION\""):format(text.show(
      "leader of " .. of))
  end
  local name, why = known("topics", "topic")(topic, nil, ctx)
  if not name then return nil, why end
  local n, last = math.tointeger(tonumber(number)), partitions(ctx, topic, place, path)
  if not n or n > 2147483647 or (last and n >= last) then
    return nil, ("no partition %s, topic `%s` has %s (0 to %s)"):format(number, topic, last,
      last and last - 1)
  end
  return { target = "leader", of = name, partition = n }
end

NODES["group coordinator"] = function(of)
  local name, why = values.name(of)
  return name and { target = "group", group = name }, why
end

NODES["transaction coordinator"] = function(of, ctx)
  local id = of:match "^id (.+)$"
  if id then return { target = "txn", of = id } end
  local name, why = known("roles", "role")(of, nil, ctx)
  if not name then
    return nil, why .. ", or write \"transaction coordinator of id TRANSACTIONAL-ID\""
  end
  return { target = "role_txn", of = name }
end

local WITH_OF = { leader = true, ["group coordinator"] = true, ["transaction coordinator"] = true }

local function node_by_word(v, ctx, place, path)
  local head, of = v:match "^(.-) of (.+)$"
  head = head or v
  local fn = NODES[head]
  if not fn then
    return nil, ("%s is no node: write a number from 1, \"any\", \"controller\", \"leader of "
      .. "TOPIC/PARTITION\", \"group coordinator of GROUP\" or \"transaction coordinator of "
      .. "ROLE\"%s"):format(text.show(v), text.hint(head, NODES))
  elseif WITH_OF[head] and not of then
    return nil, ("%s: of what? write \"%s of ...\""):format(text.show(v), head)
  elseif of and not WITH_OF[head] then
    return nil, ("%s: \"%s\" stands alone"):format(text.show(v), head)
  end
  return fn(of, ctx, place, path)
end

function check.node(v, _, ctx, place, path)
  if type(v) == "string" then
    local node, why = node_by_word(v, ctx, place, path)
    if not node then return nil, why end
    node.text = v == "any" and "any node" or v
    return node
  end
  local n = type(v) == "number" and math.tointeger(v)
  if not n or n < 1 then
    return nil, ("%s is not a number of a node (from 1) or \"any\""):format(text.show(v))
  end
  if ctx.brokers and n > ctx.brokers then
    return nil, ("no node %d, the cluster has %d"):format(n, ctx.brokers)
  end
  return { target = "number", number = n, text = ("node %d"):format(n) }
end

function check.restart(v)
  if v == "never" then return -1 end
  local ms, why = values.duration(v)
  return ms, why and why .. ", or \"never\""
end

function check.after(v)
  if type(v) == "string" and not v:match "^%d" then
    local name, why = values.name(v)
    return name and { name = name }, why
  end
  local ms, why = values.duration(v)
  return ms and { ms = ms }, why
end

-- One for each instance.
function check.start_after(v, _, ctx, place, path)
  local many = type(v) == "table"
  if not many then v = { v } end
  local list = {}
  for i = 1, M.list(v, place, path) do
    local item = v[i]
    if dsl.is_param(item) then
      local p = ctx.params[item.name]
      if not p then
        return nil, ("no param `%s`%s"):format(text.name(item.name),
          text.hint(item.name, ctx.params))
      end
      item = p.value
    end
    local one, why = check.after(item)
    if not one then return nil, many and ("[%d]: %s"):format(i, why) or why end
    list[i] = one
  end
  if #list == 0 then return nil, "is empty, write a name, a duration or a list of them" end
  return list
end

function check.kinds(v)
  local list, why = values.names(v)
  if not list then return nil, why end
  for _, kind in ipairs(list) do
    if not schema.kinds[kind] then
      return nil, ("no finding `%s`%s"):format(text.name(kind), text.hint(kind, schema.kinds))
    end
  end
  return list
end

--- A promise becomes its value.
function keep(ctx, v, place, path)
  if not dsl.is_param(v) then return v end
  local p = ctx.params[v.name]
  if p then return p.value end
  text.fail(place, "%s: no param `%s`%s", path, text.name(v.name), text.hint(v.name, ctx.params))
end

--- A program and its arguments.
function check.command(v, _, ctx, place, path)
  if type(v) ~= "table" or debug.getmetatable(v) then
    return nil, ("%s is not a list { \"program\", \"argument\", ... }"):format(text.show(v))
  end
  local list = {}
  for i = 1, M.list(v, place, path) do
    local word, why = values.setting(keep(ctx, v[i], place, path))
    if not word then return nil, ("[%d]: %s"):format(i, why) end
    list[i] = word
  end
  if #list == 0 or list[1] == "" then return nil, "names no program" end
  return list
end

function check.settings(v, _, ctx, place, path)
  if type(v) ~= "table" or debug.getmetatable(v) then
    return nil, ("%s is not a table of settings"):format(text.show(v))
  end
  local list = {}
  for k in next, v do
    if type(k) ~= "string" then
      return nil, ("[%s]: settings have names, write [\"name\"] = value"):format(text.show(k))
    end
  end
  for _, name in ipairs(text.names(v)) do
    local _, wrong = values.name(name)
    if wrong then return nil, wrong end
    local at = ("%s, `%s`"):format(path, text.name(name))
    local setting, why = values.setting(keep(ctx, v[name], place, at))
    if not setting then text.fail(place, "%s: %s", at, why) end
    list[#list + 1] = { name, setting }
  end
  return list
end

--- The value of one field in the form of the plan; raises what is wrong with it.
function M.value(ctx, field, v, place, path)
  local at = path .. ", " .. field.name
  v = keep(ctx, v, place, at)
  if field.type == "names" and type(v) == "table" then
    local kept = {}
    for k, item in next, v do kept[k] = keep(ctx, item, place, at) end
    v = kept
  end
  local fn = check[field.type] or values[field.type]
  local r, why, bare = fn(v, field, ctx, place, at)
  if r == nil then text.fail(place, "%s: %s", bare and path or at, why) end
  if field.min and field.type == "duration" and r < field.min then
    text.fail(place, "%s: must be longer than 0", at)
  end
  return r
end

--- Fields of table t by the record, as a table of checked values. Types in `skip` are left to the
--- caller.
function M.record(ctx, record, t, place, path, skip)
  if type(t) ~= "table" or debug.getmetatable(t) then
    text.fail(place, "%s: needs a plain table { ... }, not %s", path, text.show(t))
  end
  local fields = schema.fields(record)
  for _, k in ipairs(text.names(t)) do
    if not fields[k] then
      text.fail(place, "%s: unknown field `%s`%s", path, text.name(k), text.hint(k, fields))
    end
  end
  for k in next, t do
    if type(k) ~= "string" then
      text.fail(place, "%s: fields have names, [%s] has none", path, text.show(k))
    end
  end
  local out = {}
  for _, f in ipairs(record) do
    local v = rawget(t, f.name)
    if v == nil then
      if f.required then text.fail(place, "%s: needs `%s`", path, f.name) end
    elseif not (skip and skip[f.type]) then
      out[f.name] = M.value(ctx, f, v, place, path)
    end
  end
  return out
end

--- Checks that a list has no holes and no named fields; returns its length.
function M.list(t, place, path)
  if type(t) ~= "table" or debug.getmetatable(t) then
    text.fail(place, "%s: needs a list { ... }, not %s", path, text.show(t))
  end
  local n = 0
  for k in next, t do
    if math.type(k) ~= "integer" then
      text.fail(place, "%s: a list has no field `%s`", path, text.name(k))
    end
    n = n + 1
  end
  if #t ~= n then text.fail(place, "%s: has a hole (nil)", path) end
  return n
end

return M
