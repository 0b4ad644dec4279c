-- SPDX-License-Identifier: Apache-2.0
-- Commands of the prompt: a dot in front, so that they can never be Lua. Rows with their
-- documentation are in schema_prompt.lua.
local api = require "api"
local save = require "repl_save"
local schema_prompt = require "schema_prompt"
local text = require "text"
local words = require "repl_words"

local M = {}

local run = {}

-- ---- help ----

local function list(self, title, rows, width)
  self:say("%s", title)
  for _, row in ipairs(rows) do
    self:say(("  %%-%ds %%s"):format(width), row.signature:sub(1, 1) == "." and row.signature
      or row.name, row.doc)
  end
end

function M.help(self)
  self:say("Lua: an expression is shown, a statement is run; `_` is the last value, `;` at the end "
    .. "shows nothing.")
  self:say("NAME? explains a name, NAME?? shows its text; TAB completes; Ctrl-C stops what runs.")
  list(self, "words", schema_prompt.words, 12)
  list(self, "commands", schema_prompt.commands, 26)
end

local function lines_of(source, first, last)
  local out, n = {}, 0
  for line in (source .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    if n >= first and n <= last then out[#out + 1] = line end
  end
  return table.concat(out, "\n")
end

-- The value of a dotted name, without calling anything.
local function value_of(self, name)
  local v = self.env
  for part in name:gmatch "[^.:]+" do
    if type(v) ~= "table" then return nil end
    v = rawget(v, part)
  end
  return v
end

local function show_source(self, name)
  local v = value_of(self, name)
  if type(v) ~= "function" then
    self:say("%s: %s", name, v == nil and "no such value" or "a " .. type(v))
    return
  end
  local info = debug.getinfo(v, "S")
  local source = self.chunks[info.source]
  if source then
    self:say("-- %s:%d\n%s", info.short_src, info.linedefined,
      lines_of(source, info.linedefined, info.lastlinedefined))
  else
    self:say("%s is part of kaos (%s:%d)", name, info.short_src, info.linedefined)
  end
end

--- `name?` and `name??`.
function M.explain(self, name, with_source)
  local found, why = api.help(self.host.rows, name)
  if found then self:write(found) end
  if with_source then return show_source(self, name) end
  if found then return end
  local v = value_of(self, name)
  if v ~= nil then
    self:say("%s is a %s", name, type(v))
  else
    self:say("error: %s", why)
    self.host.outcome "failed"
  end
end

function run.help(self, rest)
  if rest == "" then return M.help(self) end
  M.explain(self, (rest:gsub("^%.", "")), false)
end

-- ---- scenarios ----

local function count(n, word)
  return ("%d %s"):format(n, n == 1 and word or word:gsub("y$", "ie") .. "s")
end

local function load_file(self, path, name)
  local sc = self:call("load", { path = path, name = name })
  self.scenario, self.path, self.typed, self.given = sc, path, {}, {}
  self:say("%s   %s, %s, %s      start its roles with  up()  or all of it with  .run", sc.name,
    count(#sc.roles, "role"), count(sc.faults, "fault"), count(sc.properties, "property"))
  if #sc.others > 0 then
    self:say("also in this file: %s  (.load FILE SCENARIO)", table.concat(sc.others, ", "))
  end
end

function run.load(self, rest)
  local path, name = rest:match "^(%S+)%s*(.-)$"
  if not path then error("write .load FILE", 0) end
  load_file(self, path, name ~= "" and name or nil)
end

function run.reload(self)
  if not self.path then error("nothing is loaded; .load FILE", 0) end
  load_file(self, self.path, self.scenario.name)
end

function run.run(self)
  if not self.path then error("nothing is loaded; .load FILE", 0) end
  self:call("run", { path = self.path, name = self.scenario.name })
end

function run.save(self, rest)
  if rest == "" then error("write .save FILE", 0) end
  if not self.scenario then error("nothing to save: no scenario is loaded", 0) end
  local source = self:call "source"
  local out = save.text(self.scenario, source, self.given or {}, self.typed, rest)
  self:call("write", { path = rest, text = out })
  self:say("%s: %s with %s      kaos run %s", rest, self.scenario.name,
    count(#self.typed, "typed fault"), rest)
end

-- ---- what there is ----

function run.cluster(self)
  self:say("%s", self:call("cluster").text)
end

for _, name in ipairs { "topics", "groups", "ps" } do
  run[name] = function(self) self:show(self.words[name]()) end
end

function run.logs(self, rest)
  if rest == "" then error("write .logs ROLE, as in .logs w2", 0) end
  self:write(self:call("logs", { name = rest }).text)
end

function run.tail(self, rest)
  local name, follow = rest:match "^(%S+)%s*(.-)$"
  if not name or (follow ~= "" and follow ~= "-f") then error("write .tail TOPIC [-f]", 0) end
  self:show(self.words.tail(name))
  if follow == "-f" then words.follow(self, name) end
end

function run.timeline(self, rest)
  self.words.timeline(rest ~= "" and rest or nil)
end

function run.why(self) self.words.why() end

function run.more(self)
  if not self.more then error("nothing was cut", 0) end
  local lines, more = self.more()
  self:say("%s", table.concat(lines, "\n"))
  self.more = more
end

function run.time(self, rest)
  local f = load("return " .. rest, "@prompt", "t", self.env)
  local why
  if not f then f, why = load(rest, "@prompt", "t", self.env) end
  if not f then error(why, 0) end
  local began = self.host.clock()
  local r = table.pack(f())
  local took = self.host.clock() - began
  if r.n > 0 then self:show(r[1]) end
  self:say("%.3f s", took)
end

function run.history(self, rest)
  self:write(self:call("typed", { n = tonumber(rest) or 20 }).text)
end

function run.quiet(self)
  self:say(self:call("quiet").quiet and "notices are off" or "notices are on")
end

function run.quit(self) self.host.outcome "quit" end

local KNOWN = {}
for _, row in ipairs(schema_prompt.commands) do KNOWN[row.name] = row end
M.known = KNOWN

--- A job for a line with a dot in front, or nil and why not.
function M.parse(self, line)
  local name, rest = line:match "^%.(%a+)%s*(.-)%s*$"
  if not KNOWN[name] then
    return nil, ("no command .%s%s; .help lists them"):format(name, text.hint(name, KNOWN))
  end
  return function() run[name](self, rest) end
end

return M
