-- SPDX-License-Identifier: Apache-2.0
-- A session as a scenario file: the text of the loaded file as it is, and in front of it a few
-- lines that put the params of up() and the faults that were typed, with their times, in place of
-- those of the scenario.
local M = {}

local HEAD = [[
-- Saved from the prompt of kaos: scenario %q of %s
-- with the faults that were typed, at their times. Run it with  kaos run %s
local declare <const> = scenario
local function scenario(name)
  return function(spec)
    if name ~= %q then return end
%s    spec.faults = {
%s    }
    return declare(name)(spec)
  end
end

]]

local ORDER = { "role", "index", "group", "action", "node", "point", "signal", "hold", "replace" }

local function value(v)
  if type(v) == "table" then
    local out = {}
    for i, item in ipairs(v) do out[i] = value(item) end
    return "{ " .. table.concat(out, ", ") .. " }"
  end
  return type(v) == "string" and ("%q"):format(v) or tostring(v)
end

local function fault_line(f)
  local parts = {}
  for _, name in ipairs(ORDER) do
    local v = f[name]
    if v ~= nil and v ~= 0 then parts[#parts + 1] = ("%s = %s"):format(name, value(v)) end
  end
  parts[#parts + 1] = ("at = \"%dms\""):format(f.at_ms)
  return ("      %s { %s },\n"):format(f.kind, table.concat(parts, ", "))
end

-- A param is a value, or { value, "doc", min =, max = }: only the value is replaced.
local function param_line(name, given, kind)
  local v = (kind == "string") and ("%q"):format(given) or given
  return ("    if type(spec.params[%q]) == \"table\" then spec.params[%q][1] = %s\n"
    .. "    else spec.params[%q] = %s end\n"):format(name, name, v, name, v)
end

--- sc: the loaded scenario; source: { path, text }; given: params of up() as text; typed: faults;
--- path: of the new file.
function M.text(sc, source, given, typed, path)
  local kinds, params, names, faults = {}, {}, {}, {}
  for _, p in ipairs(sc.params) do kinds[p.name] = p.type end
  for name in next, given do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do params[i] = param_line(name, given[name], kinds[name]) end
  for i, f in ipairs(typed) do faults[i] = fault_line(f) end
  return HEAD:format(sc.name, source.path, path, sc.name, table.concat(params),
    table.concat(faults)) .. source.text
end

return M
