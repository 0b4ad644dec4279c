-- SPDX-License-Identifier: Apache-2.0
-- What the functions of roles share through file-level variables. Each role is a process that loads
-- the file again, so a variable that one role assigns and another reads is two variables. Finds
-- shared variables by debug.upvalueid and assignments by reading the chunk of Lua 5.4.
local text = require "text"
local frozen = require "frozen"
local chunk = require "chunk"

local M = {}

local function is_own(f)
  local info = debug.getinfo(f, "S")
  return info.what ~= "C" and text.is_file(info.source)
end

M.exempt = {}

-- Does a C function keep something that is bound to this process (coroutine.wrap, string.gmatch)?
local function has_state(f)
  for i = 1, debug.getinfo(f, "u").nups do
    local _, v = debug.getupvalue(f, i)
    if type(v) == "thread" or type(v) == "userdata" then return true end
  end
  return false
end

-- What cannot exist in another process, in words; nil for everything else.
local function bound(v)
  local kind = type(v)
  if kind == "thread" or kind == "userdata" then return kind end
  if kind == "function" and debug.getinfo(v, "S").what == "C" and has_state(v) then
    return "function with a state of its own"
  end
end

local function push_function(f, todo, visit)
  if not is_own(f) then return end
  for i = 1, debug.getinfo(f, "u").nups do
    local name, v = debug.getupvalue(f, i)
    if name ~= "_ENV" then
      visit(f, i, name, v)
      todo[#todo + 1] = v
      todo[#todo + 1] = name
    end
  end
end

local function push_table(t, todo, name)
  local function push(v)
    todo[#todo + 1] = v
    todo[#todo + 1] = name
  end
  for k, v in next, t do
    push(k)
    push(v)
  end
  push(debug.getmetatable(t) or false)
end

--- Calls visit(function, index, name, value) for every upvalue that can be reached from f through
--- functions and tables, found(name, what) for what cannot exist in another process, and enter(v)
--- for every function of the file and every string.
function M.walk(f, visit, found, enter)
  local seen, todo = {}, { f, "?" }
  while #todo > 0 do
    local name = table.remove(todo)
    local v = table.remove(todo)
    v = frozen.raw(v) or v
    if not seen[v] and not M.exempt[v] then
      local kind = type(v)
      if kind == "function" or kind == "table" or kind == "thread" or kind == "userdata" then
        seen[v] = true
      end
      local what = bound(v)
      if what and found then found(name, what) end
      if enter and (kind == "string" or kind == "function" and is_own(v)) then enter(v) end
      if kind == "function" then
        push_function(v, todo, visit)
      elseif kind == "table" then
        push_table(v, todo, name)
      end
    end
  end
end

-- Takes down one upvalue of a function of an owner.
local function note(by_id, order, owner, fn, i, name, value)
  local id = debug.upvalueid(fn, i)
  local e = by_id[id]
  if not e then
    e = { name = name, value = value, owners = {}, list = {} }
    by_id[id], order[#order + 1] = e, e
  end
  local line = chunk.assigned(fn)[i]
  if line and (not e.assigned or (e.assigned.owner == owner and line < e.assigned.line)) then
    e.assigned = { owner = owner, line = line, file = debug.getinfo(fn, "S").source:sub(2) }
  end
  if not e.owners[owner.name] then
    e.owners[owner.name] = true
    e.list[#e.list + 1] = owner.name
  end
end

-- All shared variables: { name, value, owners, list, assigned }; and names of what is bound to this
-- process.
local function variables(owners)
  local by_id, order, states = {}, {}, {}
  for _, owner in ipairs(owners) do
    for _, f in ipairs(owner.functions) do
      M.walk(f, function(fn, i, name, value) note(by_id, order, owner, fn, i, name, value) end,
        function(name, what) states[name] = what end)
    end
  end
  return order, states
end

local function judge(e, modules, report, at)
  local who = table.concat(e.list, ", ")
  if e.assigned and #e.list > 1 then
    report("error", e.assigned, "%s assigns file-level `%s` (line %d), which %s also use: "
      .. "they are separate processes with separate copies", e.assigned.owner.title, e.name,
        e.assigned.line, who)
  elseif e.assigned then
    report("warning", e.assigned,
      "%s assigns file-level `%s` (line %d): lost when the process is killed",
      e.assigned.owner.title, e.name, e.assigned.line)
  elseif type(e.value) == "table" and not modules[e.value] and not M.exempt[e.value]
    and not debug.getmetatable(e.value) then
    report("note", at, "file-level table `%s` is read-only inside roles (%s)", e.name, who)
  end
end

--- Judges what the owners share. owners: list of { name, title, functions } in order of name;
--- modules: set of the values of required modules; at: place of the scenario.
function M.check(owners, modules, at, report)
  local order, states = variables(owners)
  for _, e in ipairs(order) do judge(e, modules, report, at) end
  for _, name in ipairs(text.names(states)) do
    report("error", at, "`%s` is a %s and cannot exist in another process", name, states[name])
  end
end

--- Set of the strings that the functions of the owners hold.
function M.strings(owners)
  local set = {}
  local function enter(v)
    if type(v) == "string" then set[v] = true return end
    for s in next, chunk.strings(v) do set[s] = true end
  end
  for _, owner in ipairs(owners) do
    for _, f in ipairs(owner.functions) do M.walk(f, function() end, nil, enter) end
  end
  return set
end

--- Puts read-only views in place of the tables that the functions of the owners capture.
function M.freeze(owners)
  local who = {}
  for _, owner in ipairs(owners) do
    for _, f in ipairs(owner.functions) do
      M.walk(f, function(_, _, _, v)
        if type(v) == "table" then
          who[v] = who[v] or {}
          if who[v][#who[v]] ~= owner.name then table.insert(who[v], owner.name) end
        end
      end)
    end
  end
  for _, owner in ipairs(owners) do
    for _, f in ipairs(owner.functions) do
      M.walk(f, function(fn, i, name, v)
        if type(v) == "table" and not M.exempt[v] and not frozen.raw(v) and is_own(fn) then
          debug.setupvalue(fn, i, frozen.view(v, name, table.concat(who[v] or { owner.name },
            ", ")))
        end
      end)
    end
  end
end

return M
