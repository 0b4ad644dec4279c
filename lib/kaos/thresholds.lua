-- SPDX-License-Identifier: Apache-2.0
-- The field `thresholds`: limits like "p99 < 5s" for measured values. What is wrong with a limit is
-- said with the column in its string.
local fields = require "fields"
local text = require "text"
local values = require "values"

local M = {}

local METRICS = { ["e2e.latency"] = "e2e", ["send.latency"] = "send", recovery = "recovery" }
local STATS = { avg = true, min = true, max = true }
local OPS = { ["<"] = true, ["<="] = true, [">"] = true, [">="] = true }
local PER = { s = 1, m = 60, h = 3600 }

-- A reader of one limit; fail(column, message, ...) raises.
local Reader = {}
Reader.__index = Reader

function Reader:space()
  self.at = self.s:match("^%s*()", self.at)
end

-- The next word that matches, and its column; nil if there is none.
function Reader:take(pattern)
  self:space()
  local from, to = self.s:find("^" .. pattern, self.at)
  if not from then return nil, self.at end
  self.at = to + 1
  return self.s:sub(from, to), from
end

function Reader:rest()
  local rest = self.s:match("^%S+", self.at)
  return rest and text.show(rest) or "its end"
end

local function stat(r)
  local word, column = r:take "[%a_][%w_.]*"
  if not word then
    r.fail(column, "%s is no statistic, write p50, p99, p99.9, avg, min or max", r:rest())
  end
  if STATS[word] then return { stat = word, stat_text = word, quantile = 0.0 } end
  local q = word:match "^p(%d+%.?%d*)$"
  if not q then
    r.fail(column, "%s is no statistic, write p50, p99, p99.9, avg, min or max%s", text.show(word),
      text.hint(word, STATS))
  end
  local n = tonumber(q)
  if n <= 0 or n > 100 then
    r.fail(column, "%s is no percentile, they go from above 0 to 100", text.show(word))
  end
  return { stat = "quantile", stat_text = word, quantile = n + 0.0 }
end

local function op(r)
  local word, column = r:take "[<>=!]+"
  if not word then r.fail(column, "needs <, <=, > or >= here, not %s", r:rest()) end
  if not OPS[word] then r.fail(column, "%s is not <, <=, > or >=", text.show(word)) end
  return word
end

local function number(r, what)
  local word, column = r:take "%d+%.?%d*"
  if not word then r.fail(column, "needs %s here, not %s", what, r:rest()) end
  return tonumber(word), word, column
end

-- Records per second, from "20/s" or "12k/m".
local function rate(r)
  local n, word = number(r, "a rate like \"20/s\"")
  local factor = r:take "[kM]"
  if not r:take "/" then
    r.fail(r.at, "a rate ends with \"/s\", \"/m\" or \"/h\", not with %s", r:rest())
  end
  local unit, column = r:take "%a+"
  if not PER[unit or ""] then
    r.fail(column, "%s is no unit of a rate, units are /s, /m, /h", unit and text.show(unit)
      or r:rest())
  end
  n = n * (factor == "k" and 1000 or factor == "M" and 1000000 or 1)
  return n / PER[unit], word .. (factor or "") .. "/" .. unit
end

-- Milliseconds. Halves of one are fine here: 0.5ms.
local function duration(r)
  local n, word, column = number(r, "a duration like \"250ms\" or \"5s\"")
  local unit, at = r:take "[%a/]+"
  if not unit then
    r.fail(at, "a duration needs a unit, write \"%ss\" or \"%sms\"", word, word)
  end
  if not values.units[unit] then
    r.fail(at, "unknown unit %s, units are ms, s, m, h", text.show(unit))
  end
  local ms = n * values.units[unit]
  if ms > 365 * 24 * 3600000 then r.fail(column, "longer than a year") end
  return ms + 0.0, word .. unit
end

-- One limit as a table, from its string.
local function parse(s, kind, fail)
  local r = setmetatable({ s = s, at = 1, fail = fail }, Reader)
  local t = stat(r)
  t.op = op(r)
  if kind == "rate" then
    if t.stat == "quantile" then
      fail(1, "a rate has no percentiles, write avg, min or max (of whole seconds)")
    end
    t.limit, t.limit_text = rate(r)
  else
    t.limit, t.limit_text = duration(r)
  end
  t.limit = t.limit + 0.0
  r:space()
  if r.at <= #s then r.fail(r.at, "nothing may follow here, not %s", r:rest()) end
  return t
end

local WAYS = { exactly_once = true, no_loss = true, no_duplicates = true }

-- The different pairs from -> to that `expect` names, with the predicate that names them.
local function ways(expect)
  local list, seen = {}, {}
  for i, prop in ipairs(expect) do
    for k, p in ipairs(prop.preds) do
      local key = WAYS[p.kind] and p.from .. " -> " .. p.to
      if key and not seen[key] then
        seen[key] = true
        list[#list + 1] = { key = key, prop = i - 1, pred = k - 1 }
      end
    end
  end
  return list
end

-- What a metric measures: a list of { label, ... }.
local function subjects(ctx, sc, name, expect, path)
  local kind = METRICS[name]
  if kind == "e2e" then
    local list = ways(expect)
    if #list == 0 then
      text.fail(sc.place, "%s: latency from where to where? `expect` needs an exactly_once, "
        .. "no_loss or no_duplicates, they name the ends", path)
    end
    for _, w in ipairs(list) do
      w.metric, w.label = kind, #list > 1 and name .. " " .. w.key or name
    end
    return list, kind
  elseif kind then
    return { { metric = kind, label = name } }, kind
  end
  local topic = name:match "^(.+)%.rate$"
  if topic and ctx.topics[topic] ~= nil then
    return { { metric = "rate", label = name, topic = topic } }, "rate"
  end
  if topic then
    text.fail(sc.place, "%s: no topic `%s`%s", path, text.name(topic), text.hint(topic, ctx.topics))
  end
  local known = {}
  for k in next, METRICS do known[k] = true end
  for k in next, ctx.topics do known[tostring(k) .. ".rate"] = true end
  text.fail(sc.place, "%s: no such metric%s, there are e2e.latency, send.latency, recovery and "
    .. "TOPIC.rate", path, text.hint(name, known))
end

local LIMITS = { name = "limit", type = "names" }

local function build_one(ctx, sc, name, v, expect, list)
  local path = ("%s, thresholds, %s"):format(ctx.path, text.name(name))
  local what, kind = subjects(ctx, sc, name, expect, path)
  for _, limit in ipairs(fields.value(ctx, LIMITS, v, sc.place, path)) do
    local t = parse(limit, kind, function(column, fmt, ...)
      text.fail(sc.place, "%s: in %s at column %d: %s", path, text.show(limit), column,
        fmt:format(...))
    end)
    for _, w in ipairs(what) do
      local item = { where = ("%s:%d"):format(sc.place.file, sc.place.line), topic = w.topic,
        prop = w.prop, pred = w.pred, metric = w.metric, label = w.label }
      for k, x in next, t do item[k] = x end
      item.name = ("%s %s %s %s"):format(w.label, t.stat_text, t.op, t.limit_text)
      for _, other in ipairs(list) do
        if other.name == item.name then
          text.fail(sc.place, "%s: %s stands there twice", path, text.show(limit))
        end
      end
      list[#list + 1] = item
    end
  end
end

--- The list of thresholds of a scenario; expect: its properties as built.
function M.build(ctx, sc, expect, attempt)
  local list = {}
  attempt(ctx, function()
    local t = sc.spec.thresholds
    if t == nil then return end
    if type(t) ~= "table" or debug.getmetatable(t) then
      text.fail(sc.place, "%s, thresholds: needs a plain table { [\"metric\"] = \"p99 < 5s\" }, "
        .. "not %s", ctx.path, text.show(t))
    end
    for k in next, t do
      if type(k) ~= "string" then
        text.fail(sc.place, "%s, thresholds: entries have names, [%s] has none", ctx.path,
          text.show(k))
      end
    end
    for _, name in ipairs(text.names(t)) do
      attempt(ctx, build_one, ctx, sc, name, t[name], expect, list)
    end
  end)
  return list
end

return M
