-- SPDX-License-Identifier: Apache-2.0
-- Roles that are programs (`exec`): what they may have, what is filled into their arguments and
-- environment, and what cannot be asked of them because kaos sees only their outside.
local params = require "params"
local schema = require "schema"
local text = require "text"

local M = {}

--- Whether a role of the scenario, as the author wrote it, is a program.
local function is_program(ctx, name)
  local r = ctx.roles[name]
  return type(r) == "table" and rawget(r, "exec") ~= nil
end

--- `run` or `exec`, and what belongs to one of them only.
function M.check(v, place, path)
  if v.run and v.exec then
    text.fail(place, "%s: give `run` (Lua) or `exec` (a program), not both", path)
  end
  if not v.run and not v.exec then
    text.fail(place, "%s: needs `run`, a function, or `exec`, a program", path)
  end
  for _, name in ipairs { "group", "build" } do
    if v[name] and not v.exec then
      text.fail(place, "%s, %s: only a program (`exec`) has it", path, name)
    end
  end
end

local function fill(ctx, value, place, path)
  return (value:gsub("{([%a_][%w_]*)}", function(name)
    if schema.builtin_params[name] then return nil end
    local p = ctx.params[name]
    if p then return params.print(p.value) end
    local known = {}
    for k in next, schema.builtin_params do known[k] = true end
    for k in next, ctx.params do known[k] = true end
    text.fail(place, "%s: nothing is filled in for `{%s}`%s; there are {%s} and the params", path,
      name, text.hint(name, known), table.concat(schema.builtins, "} {"))
  end))
end

--- Settings { name, value } with params filled in; what differs between processes is left.
function M.fill_env(ctx, env, place, path)
  local out = {}
  for i, kv in ipairs(env) do
    local at = ("%s, env, `%s`"):format(path, text.name(kv[1]))
    if kv[1]:find "=" then text.fail(place, "%s: a name without `=` is needed", at) end
    if kv[1]:match "^KAOS_" then
      text.fail(place, "%s: names with KAOS_ in front are set by kaos, take another", at)
    end
    out[i] = { kv[1], fill(ctx, kv[2], place, at) }
  end
  return out
end

function M.fill_exec(ctx, exec, place, path)
  local out = {}
  for i, word in ipairs(exec) do
    out[i] = fill(ctx, word, place, ("%s, exec[%d]"):format(path, i))
  end
  return out
end

-- Faults that happen inside a Lua role.
local INSIDE = { crash = true, abort = true, exit = true }

function M.refuse_fault(ctx, f, roles, path)
  for _, role in ipairs(roles) do
    if INSIDE[f.kind] and is_program(ctx, role) then
      text.fail(f.place, "%s: role `%s` is a program, and %s happens inside a Lua role; "
        .. "use kill, pause or rebalance", path, text.name(role), f.kind)
    end
  end
end

function M.refuse_predicate(ctx, p, v, path)
  for _, field in ipairs { "from", "to" } do
    for _, name in ipairs(type(v[field]) == "table" and v[field] or { v[field] }) do
      if ctx.topics[name] == nil and is_program(ctx, name) then
        text.fail(p.place, "%s, %s: role `%s` is a program, what it sends and is given is not "
          .. "seen; name the topic that it writes or reads", path, field, text.name(name))
      end
    end
  end
  for _, role in ipairs(p.kind == "crashed" and v.role or {}) do
    if is_program(ctx, role) then
      text.fail(p.place, "%s: role `%s` is a program, it has no crash points", path,
        text.name(role))
    end
  end
end

return M
