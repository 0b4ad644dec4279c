-- SPDX-License-Identifier: Apache-2.0
-- Reads the binary chunk of a function (Lua 5.4): which of its upvalues it, or a function inside
-- it, assigns, and on which line; and which string constants it has.
local M = {}

local OP_SETUPVAL = 10
local HEADER = "\x1bLua\x54\0\x19\x93\r\n\x1a\n"
local ABSLINE = -128

local Reader = {}
Reader.__index = Reader

function Reader:byte()
  local b = self.s:byte(self.pos)
  self.pos = self.pos + 1
  return b
end

function Reader:size()
  local x = 0
  repeat
    local b = self:byte()
    x = (x << 7) | (b & 0x7f)
  until b & 0x80 ~= 0
  return x
end

function Reader:str()
  local n = self:size()
  if n == 0 then return nil end
  local r = self.s:sub(self.pos, self.pos + n - 2)
  self.pos = self.pos + n - 1
  return r
end

local function open(f)
  local s = string.dump(f)
  assert(s:sub(1, #HEADER) == HEADER, "not a chunk of Lua 5.4")
  local r = setmetatable({ s = s, pos = #HEADER + 1 }, Reader)
  r.op_size, r.int_size, r.num_size = r:byte(), r:byte(), r:byte()
  r.pos = r.pos + r.int_size + r.num_size
  r:byte() -- number of upvalues of the function itself
  return r
end

local function read_code(r)
  local code = {}
  for i = 1, r:size() do
    code[i] = string.unpack("<I4", r.s, r.pos)
    r.pos = r.pos + r.op_size
  end
  return code
end

local function read_constants(r, strings)
  for _ = 1, r:size() do
    local t = r:byte()
    if t == 0x13 then
      r.pos = r.pos + r.num_size
    elseif t == 0x03 then
      r.pos = r.pos + r.int_size
    elseif t == 0x04 or t == 0x14 then
      local s = r:str()
      if s then strings[s] = true end
    end
  end
end

-- Which upvalue of the outermost function each upvalue here is.
local function read_upvalues(r, map)
  local mine = {}
  for i = 1, r:size() do
    local instack, idx = r:byte(), r:byte()
    r:byte()
    if map == nil then
      mine[i - 1] = i
    elseif instack == 0 then
      mine[i - 1] = map[idx]
    end
  end
  return mine
end

-- Line of each instruction, from the deltas and the absolute entries.
local function read_lines(r, first)
  local n = r:size()
  local deltas = { r.pos, n }
  r.pos = r.pos + n
  local absolute = {}
  for _ = 1, r:size() do
    local pc = r:size()
    absolute[pc + 1] = r:size()
  end
  local lines, line = {}, first
  for i = 1, deltas[2] do
    local d = string.unpack("b", r.s, deltas[1] + i - 1)
    line = d == ABSLINE and absolute[i] or line + d
    lines[i] = line
  end
  return lines
end

local function skip_names(r)
  for _ = 1, r:size() do
    r:str()
    r:size()
    r:size()
  end
  for _ = 1, r:size() do r:str() end
end

local function read_function(r, map, out)
  r:str()
  local first = r:size()
  r:size()
  r.pos = r.pos + 3
  local code = read_code(r)
  read_constants(r, out.strings)
  local mine = read_upvalues(r, map)
  for _ = 1, r:size() do read_function(r, mine, out) end
  local lines = read_lines(r, first)
  skip_names(r)
  for i, c in ipairs(code) do
    local upvalue = c & 0x7f == OP_SETUPVAL and mine[(c >> 16) & 0xff]
    if upvalue and (not out.lines[upvalue] or (lines[i] or 0) < out.lines[upvalue]) then
      out.lines[upvalue] = lines[i] or first
    end
  end
end

local cache = setmetatable({}, { __mode = "k" })

local function read(f)
  local out = cache[f]
  if not out then
    out = { lines = {}, strings = {} }
    read_function(open(f), nil, out)
    cache[f] = out
  end
  return out
end

--- Line of the first assignment for each upvalue (by index) that f assigns.
---@return table<integer, integer>
function M.assigned(f) return read(f).lines end

--- Set of the string constants of f and the functions inside it.
---@return table<string, boolean>
function M.strings(f) return read(f).strings end

return M
