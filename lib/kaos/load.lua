-- SPDX-License-Identifier: Apache-2.0
-- Loads a scenario file: runs it once in its sandbox, judges what it declared, and answers what the
-- C side asks for: plans, roles, folds.
local build = require "build"
local captures = require "captures"
local dsl = require "dsl"
local frozen = require "frozen"
local params = require "params"
local sandbox = require "sandbox"
local schema = require "schema"
local text = require "text"

local M = {}

local State = {}
State.__index = State

function State:report(severity, place, scenario, message)
  for _, d in ipairs(self.diags) do
    if d.severity == severity and d.file == place.file and d.line == place.line
      and d.message == message then
      return
    end
  end
  self.diags[#self.diags + 1] = { severity = severity, file = place.file, line = place.line,
    scenario = scenario, message = message }
end

-- An error value as place and message: ours carry them, Lua's have them in front.
function State:place_of(e)
  if text.is_failure(e) then return e, e.message end
  local message = tostring(e)
  local file, line, rest = message:match "^([^\n]-):(%d+): (.*)$"
  if not file then return { file = self.main, line = 0 }, message end
  local short = file:match "^%.%.%.(.+)$"
  for name in next, self.files do
    if file == name or (short and name:sub(-#short) == short) then
      return { file = name, line = tonumber(line) }, rest
    end
  end
  return { file = self.main, line = 0 }, message
end

local function compile(self, name, source)
  self.files[name] = true
  local f, why = load(source, "@" .. name, "t", self.env)
  if not f then error(why, 0) end
  return f
end

-- `require` of scenario files: their folder, then the modules that kaos offers.
local function requirer(self, read)
  return function(module)
    if type(module) ~= "string" or not module:match "^[%w_][%w_.-]*$" then
      error(("require: %s is not the name of a module"):format(text.show(module)), 2)
    end
    local found = self.loaded[module]
    if found == nil then
      if self.loading[module] then
        error(("require: module `%s` requires itself"):format(module), 2)
      end
      local source, name = read(module, schema.modules[module] ~= nil)
      if not source then
        error(("require: no module `%s` (looked for %s)"):format(module, name), 2)
      end
      self.loading[module] = true
      found = compile(self, name, source)(module)
      self.loading[module] = nil
      if found == nil then found = true end
      self.loaded[module] = found
      if type(found) == "table" then self.modules[found] = true end
    end
    return found
  end
end

local function owners(sc, folds)
  local list = {}
  local roles = type(sc.spec.roles) == "table" and sc.spec.roles or {}
  for _, name in ipairs(text.names(roles)) do
    local r = roles[name]
    local f = type(r) == "table" and rawget(r, "run") or r
    if type(f) == "function" then
      list[#list + 1] = { name = name, title = "role " .. name, functions = { f } }
    end
  end
  for _, fold in ipairs(folds) do
    local what = fold.kind == "id" and "id of " or "invariant "
    local fns = {}
    for _, member in ipairs { "fn", "init", "step", "final" } do fns[#fns + 1] = fold[member] end
    list[#list + 1] = { name = what .. fold.name, title = what .. fold.name, functions = fns }
  end
  return list
end

local SAID_BY = { asserted = "w:assert", reached = "w:reached" }

-- Which roles have transactions, and ids that may change with each start: for lints of the plan.
local function judge_ids(sc, strings)
  sc.says = {}
  for _, owner in ipairs(strings.transactional and sc.owners or {}) do
    local said = captures.strings { owner }
    sc.says[owner.name] = { transacts = said.transactional,
      changing_ids = said.transactional and said.incarnation }
  end
  for _, role in ipairs(sc.plan.roles) do -- later plans are built with them
    for k, v in next, sc.says[role.name] or {} do role[k] = v end
  end
end

-- Groups that faults name: does a role read with one of this name?
function State:judge_groups(sc, strings)
  local known = {}
  for name, r in next, sc.spec.roles do
    if type(r) == "table" and rawget(r, "exec") ~= nil then return end
    known[sc.name .. "-" .. tostring(name)] = true
  end
  for i, f in ipairs(sc.plan.faults) do
    if f.group and not known[f.group] and not strings[f.group] then
      local file, line = f.where:match "^(.*):(%d+)$"
      self:report("warning", { file = file, line = tonumber(line) }, sc.name,
        ("scenario %s, faults[%d] (%s): no role contains the name of the group %s%s"):format(
          text.show(sc.name), i, f.kind, text.show(f.group), text.hint(f.group, strings)))
    end
  end
end

-- Names that roles have to say: is there a role that contains them?
function State:judge_names(sc)
  local strings = captures.strings(sc.owners)
  local function look(name, where, path, word)
    if strings[name] then return end
    local near = text.nearest(name, strings)
    local file, line = where:match "^(.*):(%d+)$"
    self:report("warning", { file = file, line = tonumber(line) }, sc.name,
      ("scenario %s, %s: no role contains the name %s, who says %s?%s"):format(text.show(sc.name),
        path,
        text.show(name), word, near and (" (did you mean %s?)"):format(text.show(near)) or ""))
  end
  self:judge_groups(sc, strings)
  judge_ids(sc, strings)
  if sc.plan.stop_after then look(sc.plan.stop_after, sc.plan.where, "stop, after", "w:done") end
  for i, prop in ipairs(sc.plan.expect) do
    local word = SAID_BY[prop.preds[1].kind]
    if word then
      look(prop.name, prop.where, ("expect[%d] (%s)"):format(i, prop.mode), word)
    end
  end
end

function State:judge(sc)
  local plan, failures = build.plan(sc, {})
  for _, e in ipairs(failures or {}) do self:report("error", e, sc.name, e.message) end
  sc.owners = owners(sc, plan and plan.folds or {})
  captures.check(sc.owners, self.modules, sc.place, function(severity, place, fmt, ...)
    self:report(severity, { file = place.file or sc.place.file, line = place.line }, sc.name,
      fmt:format(...))
  end)
  sc.plan = plan
  if plan then self:judge_names(sc) end
end

function State:run(source)
  local ok, e = xpcall(function() compile(self, self.main, source)() end, function(e)
    return text.is_failure(e) and e or tostring(e)
  end)
  if not ok then
    local place, message = self:place_of(e)
    self:report("error", place, nil, message)
  elseif #self.scenarios == 0 then
    self:report("error", { file = self.main, line = 0 }, nil,
      "declares no scenario, write scenario \"name\" { ... }")
  end
  for _, sc in ipairs(self.scenarios) do self:judge(sc) end
end

--- Loads `source`, the text of the file called `main`. read(module, library) returns text and name
--- of a module, or nil and where it was looked for; read_env(name) a value or nil.
function M.load(main, source, read, read_env)
  local self = setmetatable({ main = main, files = {}, loaded = {}, loading = {}, modules = {},
    scenarios = {}, diags = {} }, State)
  local words = dsl.words(self, read_env)
  words.require = requirer(self, read)
  self.env = sandbox.new(words)
  captures.exempt = sandbox.own
  frozen.set_exempt(sandbox.own)
  self:run(source)
  return self
end

--- The plan of scenario i with overrides (name -> text). nil and a message otherwise; the third
--- result is true if the overrides are wrong.
function State:plan(i, overrides)
  local plan, failures, why = build.plan(self.scenarios[i], overrides)
  if plan then
    self.scenarios[i].plan = plan
    return plan
  end
  if why then return nil, ("%s: %s"):format(self.scenarios[i].name, why), true end
  local lines = {}
  for n, e in ipairs(failures) do lines[n] = tostring(e) end
  return nil, table.concat(lines, "\n"), next(overrides) ~= nil
end

--- The function of a role, with its file-level tables frozen.
function State:role(i, name)
  local sc = self.scenarios[i]
  local r = sc.spec.roles[name]
  captures.freeze(sc.owners)
  return type(r) == "table" and rawget(r, "run") or r
end

--- The functions of the author that the checker calls, frozen as well; their states; and the
--- codecs of the topics.
function State:folds(i)
  local sc = self.scenarios[i]
  local codecs = {}
  captures.freeze(sc.owners)
  for _, topic in ipairs(sc.plan and sc.plan.topics or {}) do codecs[topic.name] = topic.value end
  return { list = sc.plan and sc.plan.folds or {}, states = {}, codecs = codecs }
end

--- A read-only table of param values from their text.
function State:params(i, overrides)
  local sc = self.scenarios[i]
  local list, t = {}, {}
  for _, name in ipairs(text.names(sc.spec.params or {})) do
    list[#list + 1] = params.declare(name, sc.spec.params[name], error)
  end
  local by_name, why = params.apply(list, overrides)
  if not by_name then error(why, 0) end
  for name, p in next, by_name do t[name] = p.value end
  return setmetatable({}, {
    __index = function(_, k)
      local v = t[k]
      if v == nil then error(("no param `%s`%s"):format(text.name(k), text.hint(k, t)), 2) end
      return v
    end,
    __newindex = function(_, k)
      error(("params are read-only, `%s` cannot be written here"):format(text.name(k)), 2)
    end,
    __pairs = function() return next, t, nil end,
    __frozen = t,
    __metatable = "kaos.params",
  })
end

return M
