-- SPDX-License-Identifier: Apache-2.0
-- The list `expect`: properties and predicates, and the functions of the author in them (folds).
local dsl = require "dsl"
local fields = require "fields"
local program = require "program"
local schema = require "schema"
local text = require "text"

local M = {}

local function where(place) return ("%s:%d"):format(place.file, place.line) end

local function add_fold(folds, fold)
  folds[#folds + 1] = fold
  return #folds - 1
end

local function build_invariant(ctx, p, path, folds)
  local v = fields.record(ctx, schema.records.invariant, p.spec, p.place, path)
  v.name, v.kind = p.name, "invariant"
  return { kind = "invariant", where = where(p.place), fold = add_fold(folds, v), id = "lineage",
    roles = {}, points = {},
    at_least = 1, times = 1, label = p.name }
end

local function label(kind, v)
  if v.from then
    local to = type(v.to) == "table" and table.concat(v.to, ", ") or v.to
    return ("%s %s -> %s"):format(kind, v.from, to)
  end
  local subject = v.topic or v.group or v.topics and table.concat(v.topics, ", ")
    or v.role and table.concat(v.role, ", ")
  return subject and kind .. " " .. subject or kind
end

local function build_predicate(ctx, p, index, folds)
  local path = ("%s, expect[%d] (%s)"):format(ctx.path, index, p.kind)
  if p.kind == "invariant" then return build_invariant(ctx, p, path, folds) end
  local v = fields.record(ctx, schema.predicates[p.kind], p.spec, p.place, path)
  local places = type(v.to) == "table" and v.to or { v.to }
  for i, place in ipairs(places) do
    if place == v.from then
      text.fail(p.place, "%s: `from` and `to` are the same", path)
    end
    for k = 1, i - 1 do
      if places[k] == place then
        text.fail(p.place, "%s, to: %s stands there twice", path, text.show(place))
      end
    end
  end
  program.refuse_predicate(ctx, p, v, path)
  local id, fold = v.id or { kind = "lineage" }, -1
  if id.kind == "function" then
    fold = add_fold(folds, { kind = "id", fn = id.fn, name = label(p.kind, v) })
  end
  return { kind = p.kind, where = where(p.place), from = v.from,
    to = type(v.to) == "string" and v.to or nil, places = type(v.to) == "table" and v.to or {},
    within = v.within or -1, id = id.kind,
    id_header = id.header, fold = fold,
    topic = v.topic, per_key = v.per == "key", group = v.group, roles = v.role or {},
      points = v.point or {}, topics = v.topics or {}, over = v.over or -1,
      aborted = v.aborted or false,
    at_least = v.at_least or 1, times = v.times or 1, label = label(p.kind, v) }
end

local BARE = { always = "asserted", sometimes = "reached", never = "reached" }

local function bare(prop, path)
  local kind = BARE[prop.mode]
  if not kind then
    text.fail(prop.place, "%s: needs a predicate, write %s %q { ... }", path, prop.mode, prop.name)
  end
  return { { kind = kind, where = where(prop.place), fold = -1, id = "lineage", roles = {},
    points = {}, at_least = 1, times = 1 } }
end

local function refuse_event(p, path)
  if p.kind ~= "invariant" and schema.predicates[p.kind].event then
    text.fail(p.place, "%s: %s is an event, not a promise: put it into `sometimes` or `never`",
      path, p.kind)
  end
end

local function check_mode(prop, p, path)
  local counted = p.kind ~= "invariant" and schema.predicates[p.kind].counted
  if prop.mode == "always" or prop.mode == "eventually" then refuse_event(p, path) end
  if (prop.mode == "sometimes" or prop.mode == "never") and not counted then
    text.fail(p.place, "%s: %s is a promise, not an event: put it into `always` or `eventually`",
      path, p.kind)
  end
end

local function build_body(ctx, prop, path, index, folds)
  local body, n = {}, 0
  for k in next, prop.spec do
    if math.type(k) == "integer" then
      n = n + 1
    elseif type(k) ~= "string" then
      text.fail(prop.place, "%s: [%s] is no predicate", path, text.show(k))
    end
  end
  if n == 0 then text.fail(prop.place, "%s: needs a predicate in { }, or no { } at all", path) end
  for i = 1, n do
    local p = prop.spec[i]
    if not dsl.is_predicate(p) then
      text.fail(prop.place, "%s: [%d] is %s, not a predicate like no_loss { ... }", path, i,
        text.show(p))
    end
    check_mode(prop, p, path)
    body[i] = build_predicate(ctx, p, index, folds)
  end
  return body
end

local function build_property(ctx, prop, index, folds)
  local path = ("%s, expect[%d] (%s %s)"):format(ctx.path, index, prop.mode, text.show(prop.name))
  local within
  local body = prop.spec and build_body(ctx, prop, path, index, folds) or bare(prop, path)
  if prop.spec and prop.spec.within ~= nil then
    if prop.mode ~= "eventually" then
      text.fail(prop.place, "%s: only `eventually` has `within`", path)
    end
    within = fields.value(ctx, schema.records.property[1], prop.spec.within, prop.place, path)
  end
  return { mode = prop.mode, name = prop.name, where = where(prop.place), preds = body,
    within = within or -1 }
end

local function build_item(ctx, sc, item, index, folds)
  if dsl.is_property(item) then return build_property(ctx, item, index, folds) end
  if dsl.is_predicate(item) then
    refuse_event(item, ("%s, expect[%d]"):format(ctx.path, index))
    local p = build_predicate(ctx, item, index, folds)
    return { mode = "eventually", name = p.label, where = p.where, preds = { p }, within = -1 }
  end
  text.fail(sc.place, "%s, expect[%d]: %s is not a property (always \"name\" { ... }) or "
    .. "predicate (no_loss { ... })",
    ctx.path, index, text.show(item))
end

-- The name is the identity of a property.
local function check_unique(ctx, prop, seen, index)
  local other = seen[prop.name]
  if other then
    local file, line = prop.where:match "^(.*):(%d+)$"
    text.fail({ file = file, line = tonumber(line) },
      "%s, expect[%d]: %s is also the name of expect[%d]", ctx.path, index,
      text.show(prop.name), other)
  end
  seen[prop.name] = index
end

--- Lists of properties and folds.
function M.build(ctx, sc, attempt)
  local list, folds, seen = {}, {}, {}
  local n = attempt(ctx, fields.list, sc.spec.expect, sc.place, ctx.path .. ", expect") or 0
  for i = 1, n do
    local prop = attempt(ctx, build_item, ctx, sc, sc.spec.expect[i], i, folds)
    if prop then
      attempt(ctx, check_unique, ctx, prop, seen, i)
      list[#list + 1] = prop
    end
  end
  return list, folds
end

return M
