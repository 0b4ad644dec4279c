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

local function push_function(f, todo, visit)
  local info = debug.getinfo(f, "Su")
  local own = is_own(f)
  for i = 1, info.nups do
    local name, v = debug.getupvalue(f, i)
    local foreign = info.what == "C" and (type(v) == "thread" or type(v) == "userdata")
    if (own and name ~= "_ENV") or foreign then visit(f, i, name, v) end
    if own and name ~= "_ENV" then todo[#todo + 1] = v end
  end
end

local function push_table(t, todo)
  for k, v in next, t do
    todo[#todo + 1] = k
    todo[#todo + 1] = v
  end
  todo[#todo + 1] = debug.getmetatable(t)
end

--- Calls visit(function, index, name, value) for every upvalue that can be reached from f through
--- functions and tables.
function M.walk(f, visit)
  local seen, todo = {}, { f }
  while #todo > 0 do
    local v = table.remove(todo)
    v = frozen.raw(v) or v
    if not seen[v] and not M.exempt[v] then
      if type(v) == "function" then
        seen[v] = true
        push_function(v, todo, visit)
      elseif type(v) == "table" then
        seen[v] = true
        push_table(v, todo)
      end
    end
  end
end

-- All shared variables: id -> { name, value, owners, list, assigned }.
local function variables(owners, modules)
  local by_id, order = {}, {}
  for _, owner in ipairs(owners) do
    for _, f in ipairs(owner.functions) do
      M.walk(f, function(fn, i, name, value)
        local id = debug.upvalueid(fn, i)
        local e = by_id[id]
        if not e then
          e = { name = name ~= "" and name or "?", value = value, owners = {}, list = {} }
          by_id[id], order[#order + 1] = e, e
        end
        local line = is_own(fn) and chunk.assigned(fn)[i]
        if line and (not e.assigned or (e.assigned.owner == owner and line < e.assigned.line)) then
          e.assigned = { owner = owner, line = line, file = debug.getinfo(fn, "S").source:sub(2) }
        end
        if not e.owners[owner.name] then
          e.owners[owner.name] = true
          e.list[#e.list + 1] = owner.name
        end
      end)
    end
  end
  for _, e in ipairs(order) do e.module = type(e.value) == "table" and modules[e.value] end
  return order
end

local function judge(e, report, at)
  local who = table.concat(e.list, ", ")
  local kind = type(e.value)
  if e.assigned and #e.list > 1 then
    report("error", e.assigned, "%s assigns file-level `%s` (line %d), which %s also use: "
      .. "they are separate processes with separate copies", e.assigned.owner.title, e.name, e.assigned.line, who)
  elseif kind == "userdata" or kind == "thread" then
    report("error", at, "`%s` is a %s and cannot exist in another process", e.name, kind)
  elseif e.assigned then
    report("warning", e.assigned, "%s assigns file-level `%s` (line %d): lost when the process is killed",
      e.assigned.owner.title, e.name, e.assigned.line)
  elseif kind == "table" and not e.module and not debug.getmetatable(e.value) then
    report("note", at, "file-level table `%s` is read-only inside roles (%s)", e.name, who)
  end
end

--- Judges what the owners share. owners: list of { name, title, functions } in order of name;
--- modules: set of the values of required modules; at: place of the scenario.
function M.check(owners, modules, at, report)
  for _, e in ipairs(variables(owners, modules)) do judge(e, report, at) end
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
          debug.setupvalue(fn, i, frozen.view(v, name, table.concat(who[v] or { owner.name }, ", ")))
        end
      end)
    end
  end
end

return M
