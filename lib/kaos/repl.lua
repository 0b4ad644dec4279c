-- SPDX-License-Identifier: Apache-2.0
-- The prompt: what a line is (Lua, a command, a question, a part of something longer), how it is
-- run and what is shown of it. C calls feed, reset, prompt and complete; a job that feed returns
-- runs as a task.
local commands = require "repl_commands"
local complete = require "repl_complete"
local printer = require "repl_print"
local sandbox = require "sandbox"
local text = require "text"
local words = require "repl_words"

local M = {}

local Repl = {}
Repl.__index = Repl

local SLOW, SHOWN = 0.5, 8

-- Globals may be made at the prompt; reading an unknown one says which was meant.
local function environment(own)
  local env = sandbox.new(own)
  debug.setmetatable(env, {
    __index = function(_, k)
      local near = type(k) == "string" and text.nearest(k, env)
      error(("unknown name `%s`%s"):format(text.name(k),
        near and (", did you mean `" .. near .. "`?") or ""), 2)
    end,
  })
  return env
end

--- host: the functions of repl_host.c.
function M.new(host)
  local self = setmetatable({ host = host, lines = {}, inputs = 0, values = {}, topics = {},
    codecs = {}, typed = {}, groups = {}, chunks = {}, sent = {} }, Repl)
  self.printer = printer.new(host.columns, host.utf8)
  self.env = environment(words.new(self))
  self.builtin = {}
  for k in next, self.env do self.builtin[k] = true end
  return self
end

function Repl:write(s) self.host.write(s) end
function Repl:say(fmt, ...) self.host.write(fmt:format(...) .. "\n") end

--- Asks the program; raises what is wrong.
function Repl:call(verb, args)
  local r, why = self.host.call(verb, args)
  if why then error(why, 0) end
  return r
end

--- Clients of the prompt may use this topic; its codec is the one that was said last.
function Repl:declare(name, partitions, codec)
  codec = codec or self.codecs[name] or "bytes"
  self.topics[name], self.codecs[name] = true, codec
  self.host.declare(name, partitions, codec)
end

--- The context whose methods make clients; waits for the cluster.
function Repl:ctx()
  self:call "cluster"
  return self.host.ctx()
end

-- ---- lines ----

-- A function, or nil, what is wrong, and whether more lines may help.
local function compile(self, source)
  local name = "@prompt:" .. self.inputs + 1
  local f, why = load("return " .. source, name, "t", self.env)
  if f then return f end
  if why:find("near <eof>", 1, true) then return nil, why, true end
  f, why = load(source, name, "t", self.env)
  if f then return f end
  return nil, why, why:find("near <eof>", 1, true) ~= nil
end

local function is_quiet(source) return source:match ";%s*$" ~= nil end

-- Words that need no parentheses: a person asks with them, and means no function value.
local BARE = { ps = true, judge = true, topics = true, groups = true, down = true, up = true,
  why = true }

function Repl:wrong(message)
  self:say("error: %s", message)
  return "wrong"
end

function Repl:take(source)
  self.inputs = self.inputs + 1
  self.chunks["@prompt:" .. self.inputs] = source
end

local function first_line(self, line)
  local trimmed = line:match "^%s*(.-)%s*$"
  if trimmed == "" or trimmed:match "^%-%-[^%[]" then return "idle" end
  if trimmed:match "^%.%a" then
    local job, why = commands.parse(self, trimmed)
    if not job then return self:wrong(why) end
    return "run", function() self:run(job, true) end
  end
  local name, marks = trimmed:match "^([%a_][%w_.:]*)%s*(%?%??)$"
  if trimmed == "?" then return "run", function() commands.help(self) end end
  if name then return "run", function() commands.explain(self, name, marks == "??") end end
  if BARE[trimmed] and rawget(self.env, trimmed) == self.words[trimmed] then
    return nil, trimmed .. "()"
  end
  return nil, line
end

--- "run" and a job, "more", "idle", or "wrong" after writing why.
function Repl:feed(line)
  local stuck = #self.lines > 0 and line:match "^%s*$"
  if #self.lines == 0 then
    local what, rest = first_line(self, line)
    if what then return what, rest end
    line = rest
  end
  self.lines[#self.lines + 1] = line
  local source = table.concat(self.lines, "\n")
  local f, why, unfinished = compile(self, source)
  if not f and unfinished and not stuck then return "more" end
  self.lines = {}
  if not f then return self:wrong(why) end
  self:take(source)
  return "run", function() self:run(f, is_quiet(source)) end
end

function Repl:reset()
  local any = #self.lines > 0
  self.lines = {}
  return any
end

function Repl:prompt()
  local p = self.scenario and ("kaos:%s> "):format(self.scenario.name) or "kaos> "
  return #self.lines == 0 and p or (" "):rep(#p - 4) .. "..> "
end

function Repl:complete(line) return complete.at(self, line) end

-- ---- running ----

local function where_sent(self)
  local list, n = self.sent, #self.sent
  local shown = table.concat(list, "  ", 1, math.min(n, SHOWN))
  if n > SHOWN then shown = ("%s  and %d more"):format(shown, n - SHOWN) end
  return shown
end

local function show_values(self, r)
  if self.host.raw then
    local out = {}
    for i = 1, r.n do
      out[i] = type(r[i]) == "string" and r[i] or printer.plain(r[i])
    end
    return self:say("%s", table.concat(out, "\t"))
  end
  if r.n == 1 then return self:show(r[1]) end
  local out = {}
  for i = 1, r.n do out[i] = printer.plain(r[i]) end
  self:say("%s", table.concat(out, "  "))
end

--- Prints a value; `.more` goes on where it was cut.
function Repl:show(v)
  local lines, more = self.printer:lines(v)
  self:say("%s", table.concat(lines, "\n"))
  self.more = more
end

local function keep_values(self, r)
  self.values = r
  self.env._ = r[1]
  for i = 1, math.min(r.n, 9) do self.env["_" .. i] = r[i] end
end

local function failed(self, e)
  self.host.outcome "failed"
  if self.host.is_cancelled(e) then return self:say "cancelled" end
  local message = printer.error(e)
  self:say("error: %s", message)
end

--- Runs f and shows what it returns, or where it sent to.
function Repl:run(f, quiet)
  local began = self.host.clock()
  self.sent = {}
  local r = table.pack(pcall(f))
  if not r[1] then return failed(self, r[2]) end
  r = table.pack(table.unpack(r, 2, r.n))
  if r.n > 0 then
    keep_values(self, r)
    if not quiet then show_values(self, r) end
  elseif #self.sent > 0 and not quiet then
    self:say("%s", where_sent(self))
  end
  local took = self.host.clock() - began
  if took > SLOW and not self.host.raw and not quiet then self:say("(%.1f s)", took) end
end

return M
