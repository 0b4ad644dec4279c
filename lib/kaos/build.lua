-- SPDX-License-Identifier: Apache-2.0
-- From what a scenario file said to what it means: a plain table that C copies into struct plan.
-- Runs once at load with the defaults of the params, and again with the values of the run.
local dsl = require "dsl"
local expect = require "expect"
local fields = require "fields"
local params = require "params"
local program = require "program"
local schema = require "schema"
local text = require "text"
local thresholds = require "thresholds"

local M = {}

-- Runs fn(...); what is wrong with the scenario is collected, so that other parts are judged too.
local function attempt(ctx, fn, ...)
  local ok, e = pcall(fn, ...)
  if ok then return e end
  if not text.is_failure(e) then error(e, 0) end
  ctx.errors[#ctx.errors + 1] = e
end

local function sub_table(sc, name, path)
  local t = sc.spec[name]
  if t == nil then return {} end
  if type(t) ~= "table" or debug.getmetatable(t) then
    text.fail(sc.place, "%s, %s: needs a plain table { ... }, not %s", path, name, text.show(t))
  end
  for k in next, t do
    if type(k) ~= "string" then
      text.fail(sc.place, "%s, %s: entries have names, [%s] has none", path, name, text.show(k))
    end
  end
  return t
end

local function declare_params(sc, path)
  local list = {}
  local t = sub_table(sc, "params", path)
  for _, name in ipairs(text.names(t)) do
    list[#list + 1] = params.declare(name, t[name], function(why)
      text.fail(sc.place, "%s, param `%s`: %s", path, text.name(name), why)
    end)
  end
  return list
end

local function build_topic(ctx, sc, name, t)
  local path = ("%s, topic `%s`"):format(ctx.path, text.name(name))
  if not name:match "^[%w._-]+$" or #name > 249 or name == "." or name == ".." then
    text.fail(sc.place, "%s: Kafka's topic names have up to 249 letters, digits, `.`, `_`, `-`",
      path)
  end
  if name:sub(1, 2) == "__" then
    text.fail(sc.place, "%s: names with `__` in front belong to Kafka", path)
  end
  local v = fields.record(ctx, schema.records.topic, t, sc.place, path)
  return { name = name, partitions = v.partitions or 1, replicas = v.replicas or 3,
    existing = v.existing or false,
    value = v.value or "bytes", config = v.config or {} }
end

local function refuse_conf(conf, place, path)
  for _, kv in ipairs(conf) do
    local why = schema.reserved_conf[kv[1]]
    if why then text.fail(place, "%s, conf: `%s` is set by kaos: %s", path, kv[1], why) end
  end
end

local function build_role(ctx, sc, name, r)
  local path = ("%s, role `%s`"):format(ctx.path, text.name(name))
  if not name:match "^[%w._-]+$" or #name > 100 then
    text.fail(sc.place, "%s: a name of letters, digits, `.`, `_`, `-` is needed", path)
  end
  if type(r) == "function" then r = { run = r } end
  local v = fields.record(ctx, schema.records.role, r, sc.place, path)
  program.check(v, sc.place, path)
  refuse_conf(v.conf or {}, sc.place, path)
  local says = sc.says and sc.says[name] or {}
  return { name = name, where = ("%s:%d"):format(sc.place.file, sc.place.line),
    transacts = says.transacts or false, changing_ids = says.changing_ids or false,
    count = v.count or 1, restart = v.restart or 1000,
    start_after = v.start_after or {}, conf = v.conf or {},
    env = program.fill_env(ctx, v.env or {}, sc.place, path), run = v.run,
    exec = program.fill_exec(ctx, v.exec or {}, sc.place, path), groups = v.group or {},
    build = v.build }
end

-- Builds each named entry of a table; keeps the order of names.
local function each(ctx, sc, t, build)
  local list = {}
  for _, name in ipairs(text.names(t)) do
    list[#list + 1] = attempt(ctx, build, ctx, sc, name, t[name])
  end
  return list
end

local function check_times(f, v, path)
  if v.every and v.at then text.fail(f.place, "%s: give `every` or `at`, not both", path) end
  if schema.timed[f.kind] and not v.every and not v.at then
    text.fail(f.place, "%s: needs `every` or `at`", path)
  end
  if schema.drawn[f.kind] then
    if not v.p and not v.at then text.fail(f.place, "%s: needs `p` or `at`", path) end
    if v.p and v.at then text.fail(f.place, "%s: give `p` or `at`, not both", path) end
  end
  for _, name in ipairs { "every", "hold" } do
    if v[name] and v[name][1] <= 0 then
      text.fail(f.place, "%s, %s: must be longer than 0", path, name)
    end
  end
end

local function check_broker(f, v, path)
  if v.action == "pause" and not v.hold then
    text.fail(f.place, "%s: a pause needs `hold`", path)
  end
  if v.action == "restart" and v.hold then
    text.fail(f.place, "%s: a restart has no `hold`", path)
  end
  if v.action == "roll" and v.node then
    text.fail(f.place, "%s: a roll takes every node in turn, it has no `node`", path)
  end
end

local function check_fault(f, place, path)
  if not dsl.is_fault(f) then
    text.fail(place, "%s: %s is not a fault, write crash { ... }, kill { ... }, ...", path,
      text.show(f))
  end
  return ("%s (%s)"):format(path, f.kind)
end

-- mix: number of the mix that it stands in, or 0.
local function build_fault(ctx, f, path, mix)
  local v = fields.record(ctx, schema.faults[f.kind], f.spec, f.place, path)
  check_times(f, v, path)
  if f.kind == "broker" then check_broker(f, v, path) end
  program.refuse_fault(ctx, f, v.role or {}, path)
  if f.kind == "crash" then
    v.point = v.point or table.move(schema.points, 1, 8, 1, {})
  end
  local node = v.node or { target = "any", text = v.action == "roll" and "all nodes"
    or "any node" }
  return { kind = f.kind, where = ("%s:%d"):format(f.place.file, f.place.line),
    roles = v.role or {}, index = v.index, group = v.group or node.group,
    p = v.p or 0.0, per = v.per or "message", points = v.point or {}, every = v.every, at = v.at,
      hold = v.hold,
    signal = v.signal or "KILL", replace = v.replace or false, action = v.action,
      target = node.target, node = node.number or 0, of = node.of,
      partition = node.partition or -1, node_text = f.kind == "broker" and node.text or nil,
      max = v.max or -1, mix = mix }
end

local function mixed(ctx, f, path, mix)
  if f.kind == "mix" then text.fail(f.place, "%s: a mix holds no other mix", path) end
  if f.spec.at ~= nil then
    text.fail(f.place, "%s: a fault in a mix fires while it is on, it needs `every`, not `at`",
      path)
  end
  return build_fault(ctx, f, path, mix)
end

-- A mix: its faults go to the list of all, itself to the list of mixes.
local function build_mix(ctx, f, path, list, mixes)
  local named, inner = {}, {}
  for k, v in next, f.spec do
    if type(k) == "string" then named[k] = v else inner[k] = v end
  end
  local v = fields.record(ctx, schema.faults.mix, named, f.place, path)
  local n = fields.list(inner, f.place, path)
  if n == 0 then
    text.fail(f.place, "%s: has no faults, write mix { stable = \"30s\", kill { ... }, ... }", path)
  end
  mixes[#mixes + 1] = { where = ("%s:%d"):format(f.place.file, f.place.line), stable = v.stable }
  for i = 1, n do
    local at = check_fault(inner[i], f.place, ("%s[%d]"):format(path, i))
    list[#list + 1] = attempt(ctx, mixed, ctx, inner[i], at, #mixes)
  end
end

local function build_item(ctx, sc, f, path, list, mixes)
  path = check_fault(f, sc.place, path)
  if f.kind == "mix" then
    build_mix(ctx, f, path, list, mixes)
  else
    list[#list + 1] = build_fault(ctx, f, path, 0)
  end
end

local function build_faults(ctx, sc, mixes)
  local t, list = sc.spec.faults, {}
  if t == nil then return list end
  for i = 1, fields.list(t, sc.place, ctx.path .. ", faults") do
    attempt(ctx, build_item, ctx, sc, t[i], ("%s, faults[%d]"):format(ctx.path, i), list, mixes)
  end
  return list
end

-- Parts of the scenario that other parts do not refer to.
local TABLES = { cluster = true, topics = true, roles_table = true, params = true, faults = true,
  expect = true, stop = true, thresholds = true }

local function part(ctx, sc, name)
  local t = sc.spec[name]
  if t == nil then return {} end
  return attempt(ctx, fields.record, ctx, schema.records[name], t, sc.place,
    ctx.path .. ", " .. name) or {}
end

local function context(sc, list, by_name, path)
  return { path = path, errors = {}, params = by_name, list = list, topics = {}, roles = {} }
end

local function assemble(ctx, sc, top)
  local cluster, stop = part(ctx, sc, "cluster"), part(ctx, sc, "stop")
  ctx.brokers = cluster.brokers
  local after, mixes = stop.after or {}, {}
  local plan = {
    name = sc.name, file = sc.place.file, where = ("%s:%d"):format(sc.place.file, sc.place.line),
    doc = top.doc, tags = top.tags or {}, fails_with = top.fails_with or {}, params = {},
    brokers = cluster.brokers or 0, cluster_kind = cluster.kind,
      cluster_config = cluster.config or {},
    topics = each(ctx, sc, ctx.topics, build_topic), roles = each(ctx, sc, ctx.roles, build_role),
    faults = attempt(ctx, build_faults, ctx, sc, mixes) or {}, mixes = mixes,
    stop_after = after.name, stop_after_ms = after.ms or -1, drain = stop.drain or -1,
      timeout = stop.timeout,
  }
  plan.expect, plan.folds = expect.build(ctx, sc, attempt)
  plan.thresholds = thresholds.build(ctx, sc, plan.expect, attempt)
  for i, p in ipairs(ctx.list) do
    plan.params[i] = { name = p.name, value = params.print(p.value),
      preset = params.print(p.preset), type = p.type, doc = p.doc }
  end
  return plan
end

local function prepare(sc, overrides)
  local path = ("scenario %s"):format(text.show(sc.name))
  local known = schema.fields(schema.records.spec)
  for _, k in ipairs(text.names(sc.spec)) do
    if not known[k] then
      text.fail(sc.place, "%s: unknown field `%s`%s", path, text.name(k), text.hint(k, known))
    end
  end
  local list = declare_params(sc, path)
  local by_name, why = params.apply(list, overrides)
  if not by_name then return nil, why end
  local ctx = context(sc, list, by_name, path)
  ctx.topics, ctx.roles = sub_table(sc, "topics", path), sub_table(sc, "roles", path)
  if next(ctx.roles) == nil then text.fail(sc.place, "%s: needs at least one role", path) end
  local e = sc.spec.expect
  if e == nil or (type(e) == "table" and next(e) == nil) then
    text.fail(sc.place, "%s: expects nothing; a scenario without `expect` can only pass", path)
  end
  return ctx
end

--- The plan of a scenario, or nil and a list of failures; or nil, nil and what is wrong with the
--- overrides (name -> text).
function M.plan(sc, overrides)
  local ok, ctx, why = pcall(prepare, sc, overrides)
  if not ok then
    if not text.is_failure(ctx) then error(ctx, 0) end
    return nil, { ctx }
  end
  if not ctx then return nil, nil, why end
  local top = attempt(ctx, fields.record, ctx, schema.records.spec, sc.spec, sc.place, ctx.path,
    TABLES) or {}
  local plan = assemble(ctx, sc, top)
  if #ctx.errors > 0 then return nil, ctx.errors end
  return plan
end

return M
