-- Size limits: C files 800 lines, functions 80; Lua files 400, and our own Lua functions are short
-- by habit. Run in the root of the repository; prints each offence and exits with 1.

local bad = 0
local function offence(fmt, ...)
  bad = bad + 1
  io.stderr:write(fmt:format(...), "\n")
end

local function lines_of(file)
  local out = {}
  for line in io.lines(file) do out[#out + 1] = line end
  return out
end

local function check_c(file)
  local lines, start = lines_of(file), nil
  if #lines > 800 then offence("%s: %d lines (limit 800)", file, #lines) end
  for n, line in ipairs(lines) do
    if line:match "^{" then start = n end
    if line:match "^}" and start then
      local size = n - start + 1
      if size > 80 then offence("%s:%d: function of %d lines (limit 80)", file, start, size) end
      start = nil
    end
  end
end

local files = 0
for file in io.popen("git ls-files '*.c' '*.h' '*.lua'"):lines() do
  files = files + 1
  if file:match "%.lua$" then
    local n = #lines_of(file)
    if n > 400 and not file:match "_meta%.lua$" then
      offence("%s: %d lines (limit 400)", file, n)
    end
  else
    check_c(file)
  end
end
assert(files > 20, "no sources found: run in the root of the repository")
os.exit(bad == 0 and 0 or 1)
