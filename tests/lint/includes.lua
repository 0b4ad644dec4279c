-- Which folder of src/ may include which: data flows one way, and four libraries have one door
-- each. Run in the root of the repository; prints each offence and exits with 1.

local KNOWS = {
  base = {},
  io = { "base" },
  history = { "base" },
  wire = { "base" },
  plan = { "base" },
  client = { "base", "io" },
  broker = { "wire", "io", "base" },
  cluster = { "io", "wire", "base", "broker/broker.h" },
  lua = { "plan", "client", "io", "history", "base" },
  role = { "lua", "client", "history", "plan", "io", "base" },
  audit = { "wire", "io", "history", "plan", "base" },
  run = { "plan", "cluster", "audit", "io", "history", "lua", "base", "role/proto.h",
          "wire/admin.h" },
  check = { "history", "plan", "base" },
  report = { "check", "history", "base", "run/status.h" },
}
local DOORS = { ["^lua%.h$"] = "lua", ["^lauxlib%.h$"] = "lua", ["^lualib%.h$"] = "lua",
                ["^uv%.h$"] = "io", ["^librdkafka/"] = "client" }
local ONE_FILE = { ["^histedit%.h$"] = "src/command/line.c", ["^editline/"] = "src/command/line.c" }
local FORBIDDEN = { "system", "popen", "sprintf", "vsprintf", "strcpy", "strcat", "strncpy", "atoi",
                    "gets", "alloca" }

local bad = 0
local function offence(file, line, fmt, ...)
  bad = bad + 1
  io.stderr:write(("%s:%d: %s\n"):format(file, line, fmt:format(...)))
end

local function may(folder, target)
  local rule = KNOWS[folder]
  local other = target:match "^([^/]+)/"
  if not rule or not KNOWS[other] or other == folder then return true end
  for _, r in ipairs(rule) do
    if r == other or r == target then return true end
  end
  return false
end

local function check_line(file, folder, n, line)
  local target = line:match '^#include "([^"]+)"'
  if target and not may(folder, target) then
    offence(file, n, "%s/ may not know %s", folder, target)
  end
  local system = line:match "^#include <([^>]+)>"
  for header, owner in pairs(DOORS) do
    if system and system:match(header) and owner ~= folder then
      offence(file, n, "<%s> belongs to %s/ alone", system, owner)
    end
  end
  for header, owner in pairs(ONE_FILE) do
    if system and system:match(header) and owner ~= file then
      offence(file, n, "<%s> belongs to %s alone", system, owner)
    end
  end
  if line:match "^%s*[/ ]%*" then return end
  for _, name in ipairs(FORBIDDEN) do
    if (" " .. line):find("[^%w_>.]" .. name .. "%s*%(") then
      offence(file, n, "%s() is not used here", name)
    end
  end
end

local files = 0
for file in io.popen("git ls-files 'src/*.c' 'src/*.h'"):lines() do
  local folder = file:match "^src/([^/]+)/" or "main"
  local n = 0
  files = files + 1
  for line in io.lines(file) do
    n = n + 1
    check_line(file, folder, n, line)
  end
end
assert(files > 20, "no sources found: run in the root of the repository")
os.exit(bad == 0 and 0 or 1)
