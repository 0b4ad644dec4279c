-- SPDX-License-Identifier: Apache-2.0
-- The functions that a person calls at the prompt. Each asks the program or uses the context that
-- roles have as well; rows with their documentation are in schema_prompt.lua.
local fields = require "fields"
local printer = require "repl_print"
local schema = require "schema"
local text = require "text"
local values = require "values"

local M = {}

local Topic = { __name = "kaos.topic", __metatable = "kaos.topic",
  __tostring = function(t) return t.text end }
local Place = { __name = "kaos.place", __metatable = "kaos.place",
  __tostring = function(p) return p.text end }

local function raise(fmt, ...) error(fmt:format(...), 3) end

local function check_name(v, what)
  local name, why = values.name(v)
  if not name then raise("%s: %s", what, why) end
  return name
end

local function duration(v, what)
  local ms, why = values.duration(v)
  if not ms then raise("%s: %s", what, why) end
  return ms
end

-- ---- topics and records ----

local function describe(t)
  local counts = ("%d partition%s"):format(t.partitions, t.partitions == 1 and "" or "s")
  local held = t.records == 0 and "empty" or ("%d offsets"):format(t.records)
  t.text = ("%s  %s, %s"):format(t.name, counts, held)
  return setmetatable(t, Topic)
end

local function check_fields(t, record, what)
  local known = schema.fields(record)
  for k in next, t do
    if not known[k] then
      raise("%s: unknown field `%s`%s", what, text.name(k), text.hint(k, known))
    end
  end
end

local function topic(self)
  return function(name, spec)
    check_name(name, "topic")
    if spec ~= nil and type(spec) ~= "table" then
      raise("topic: the second argument is a table, write topic(%q, { partitions = 3 })", name)
    end
    if spec then check_fields(spec, schema.records.topic, "topic") end
    self:ctx()
    local t = self:call("topic", { name = name, create = spec ~= nil,
      partitions = spec and spec.partitions, replicas = spec and spec.replicas,
      config = spec and spec.config })
    self:declare(name, t.partitions, spec and spec.value)
    return describe(t)
  end
end

--- Makes a topic of the cluster known to the clients of the prompt; says what exists otherwise.
function M.know(self, name)
  if self.topics[name] then return end
  for _, t in ipairs(self:call "topics") do
    if not self.topics[t.name] then self:declare(t.name, t.partitions) end
  end
end

local function send(self)
  return function(name, ...)
    check_name(name, "send")
    local w = self:ctx()
    M.know(self, name)
    local offset, partition = w:send(name, ...)
    if not offset then return nil, partition end
    local place = setmetatable({ topic = name, partition = partition, offset = offset,
      text = ("%s[%d]@%d"):format(name, partition, offset) }, Place)
    self.sent[#self.sent + 1] = place.text
    return place
  end
end

local function know_all(self, topics)
  for _, name in ipairs(type(topics) == "table" and topics or { topics }) do
    if type(name) == "string" then M.know(self, name) end
  end
end

local function client(self, method)
  return function(options)
    local w = self:ctx()
    if method == "consumer" and type(options) == "table" then
      know_all(self, options.topics)
      if type(options.group) == "string" then self.groups[options.group] = true end
    end
    return w[method](w, options)
  end
end

local function messages(self)
  return function(name)
    check_name(name, "messages")
    local w = self:ctx()
    M.know(self, name)
    return w:messages(name)
  end
end

local function rows(list, columns)
  printer.order[list] = columns
  return list
end

local function tail(self)
  return function(name, n)
    check_name(name, "tail")
    if n ~= nil and (math.type(n) ~= "integer" or n < 1 or n > 10000) then
      raise("tail: %s is not a number of records from 1 to 10000", text.show(n))
    end
    self:ctx()
    return rows(self:call("tail", { topic = name, n = n or 20 }),
      { "record", "key", "value", "state" })
  end
end

--- Records of a topic as they come, until the task is cancelled.
function M.follow(self, name)
  local w = self:ctx()
  M.know(self, name)
  local c <close> = w:consumer { topics = name, conf = { ["auto.offset.reset"] = "latest" } }
  for m in c:messages() do self:say("%s", printer.record(m)) end
end

-- ---- the scenario ----

local function need_scenario(self)
  if not self.scenario then error("no scenario is loaded; .load FILE", 3) end
  return self.scenario
end

local PS = { "name", "pid", "state", "age_s", "txn" }

local function up(self)
  return function(params)
    local sc = need_scenario(self)
    if params ~= nil and type(params) ~= "table" then raise "up: write up { param = value }" end
    local given = {}
    for k, v in next, params or {} do
      if type(k) ~= "string" or not (type(v) == "string" or type(v) == "number"
        or type(v) == "boolean") then
        raise("up: write up { param = value }")
      end
      given[k] = tostring(v)
    end
    self:ctx()
    local list = self:call("up", { params = given })
    self.typed, self.given, self.topics = {}, given, {} -- clients are made in another place now
    for _, t in ipairs(sc.topics) do self:declare(t.name, t.partitions, t.value) end
    local parts = {}
    for i, p in ipairs(list) do parts[i] = ("%s pid %d"):format(p.name, p.pid) end
    self:say("%s", table.concat(parts, " · "))
  end
end

local function judge(self)
  return function()
    local r = self:call "judge"
    if #r.props == 0 then return {} end
    return rows(r.props, { "mode", "property", "state", "what" })
  end
end

-- ---- faults ----

local POINTS = {}
for _, p in ipairs(schema.points) do POINTS[p] = true end

local function point_list(v)
  local list = type(v) == "table" and v or { v }
  for _, p in ipairs(list) do
    if not POINTS[p] and p ~= "any" then
      error(("no crash point `%s`%s"):format(text.name(p), text.hint(p, POINTS)), 4)
    end
  end
  return list
end

-- Positional arguments of each fault, as fields.
local FORMS = {
  kill = { "role", "signal" }, crash = { "role", "point" }, exit = { "role" },
  pause = { "role", "hold" }, abort = { "role" }, rebalance = { "group" },
  broker = { "action", "node", "hold" },
}

-- Words of the fields that are a choice.
local function choices(kind)
  local sets = {}
  for _, f in ipairs(schema.faults[kind]) do
    if f.choices then
      sets[f.name] = {}
      for _, word in ipairs(f.choices) do sets[f.name][word] = true end
    end
  end
  return sets
end

local function fields_of(kind, first, ...)
  if type(first) == "table" then return first end
  local spec, given = {}, table.pack(first, ...)
  for i, name in ipairs(FORMS[kind]) do spec[name] = given[i] end
  return spec
end

local function check_spec(kind, spec)
  check_fields(spec, schema.faults[kind], kind)
  for _, name in ipairs { "every", "at", "p", "max", "per" } do
    if spec[name] ~= nil then
      raise("%s: at the prompt a fault fires now, `%s` has no meaning", kind, name)
    end
  end
  for name, words in next, choices(kind) do
    if spec[name] ~= nil and not words[spec[name]] then
      raise("%s, %s: no `%s`%s", kind, name, text.name(spec[name]), text.hint(spec[name], words))
    end
  end
  local need = FORMS[kind][1]
  if type(spec[need]) ~= "string" then
    raise("%s: needs %s, as in %s %q", kind, need == "role" and "an instance" or "a " .. need, kind,
      need == "role" and "w2" or need == "group" and "copy" or "kill")
  end
end

-- Which node is meant, as the plan of a scenario says it.
local function node_of(self, spec)
  if spec.node == nil then return { target = "any", text = "any node" } end
  local topics, roles = {}, {}
  for _, t in ipairs(self.scenario.topics) do topics[t.name] = t end
  for _, r in ipairs(self.scenario.roles) do roles[r.name] = r end
  local field = schema.fields(schema.faults.broker).node
  return fields.value({ path = "broker", params = {}, topics = topics, roles = roles }, field,
    spec.node, { file = "prompt", line = 0 }, "broker")
end

--- Fires a fault and notes it for .save.
local function fault(self, kind)
  return function(...)
    local spec = fields_of(kind, ...)
    check_spec(kind, spec)
    need_scenario(self)
    local hold = spec.hold and duration(spec.hold, kind .. ", hold")
    if (kind == "pause" or spec.action == "pause") and not hold then
      raise("%s: needs `hold`, how long it stands still", kind)
    end
    local points = kind == "crash" and point_list(spec.point or "any") or nil
    local done = self:call("fire", { kind = kind, target = spec.role, index = spec.index,
      points = points, hold_ms = hold, signal = spec.signal, group = spec.group,
      action = spec.action, node = kind == "broker" and node_of(self, spec) or nil,
      replace = spec.replace })
    self.typed[#self.typed + 1] = { kind = kind, at_ms = done.at_ms, role = done.role,
      index = done.index, hold = spec.hold, point = spec.point, signal = spec.signal,
      group = spec.group, action = spec.action, node = spec.node, replace = spec.replace }
    self:say("%s", done.text)
  end
end

-- ---- history ----

local function events(self)
  return function(fn)
    if type(fn) ~= "function" then raise "events: needs a function, events(function(e) ... end)" end
    local handle, n = self.host.events(self:call("place").history)
    for i = 1, n do fn(self.host.event(handle, i)) end
    return n
  end
end

local function timeline(self)
  return function(id)
    self:write(self:call("timeline", { id = id ~= nil and tostring(id) or nil }).text)
  end
end

--- The words by name.
function M.new(self)
  local w = {
    topic = topic(self), send = send(self), tail = tail(self), messages = messages(self),
    consumer = client(self, "consumer"), producer = client(self, "producer"),
    sleep = function(d)
      self:call("sleep", { ms = duration(d, "sleep") })
    end,
    spawn = function(fn, ...) return self.host.spawn(fn, ...) end,
    topics = function()
      self:ctx()
      return rows(self:call "topics", { "name", "partitions", "records" })
    end,
    groups = function()
      self:ctx()
      local names = {}
      for name in next, self.groups do names[#names + 1] = name end
      return rows(self:call("groups", { names = names }), { "group", "state", "members", "lag" })
    end,
    up = up(self), judge = judge(self), events = events(self), timeline = timeline(self),
    down = function() self:call "down" end,
    ps = function()
      need_scenario(self)
      return rows(self:call "ps", PS)
    end,
    why = function() self:write(self:call "why".text) end,
    print = function(...)
      local out, given = {}, table.pack(...)
      for i = 1, given.n do
        local v = given[i]
        local mt = type(v) == "table" and debug.getmetatable(v)
        local own = type(mt) == "table" and rawget(mt, "__tostring")
        out[i] = (type(v) == "string" or own) and tostring(v) or printer.plain(v)
      end
      self:write(table.concat(out, "\t") .. "\n")
    end,
  }
  for kind in next, FORMS do w[kind] = fault(self, kind) end
  self.words = w
  return w
end

return M
