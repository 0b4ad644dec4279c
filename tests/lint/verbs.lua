-- Output, documents and templates name only verbs that exist. Arguments: the verbs, then "--",
-- then files.

local verbs, files, after = {}, {}, false
for _, a in ipairs(arg) do
  if a == "--" then after = true
  elseif after then files[#files + 1] = a
  else verbs[a] = true end
end
assert(next(verbs) and #files > 0, "usage: verbs.lua VERB... -- FILE...")

-- Words that follow "kaos" in prose, not as a verb.
local bad = 0
for _, file in ipairs(files) do
  local n = 0
  for line in io.lines(file) do
    n = n + 1
    for verb in line:gmatch "`kaos (%l+)" do
      if not verbs[verb] then
        bad = bad + 1
        io.stderr:write(("%s:%d: `kaos %s` is no verb\n"):format(file, n, verb))
      end
    end
    for verb in line:gmatch "^%s*kaos (%l+)%s" do
      if line:match "^    " and not verbs[verb] and file:match "%.md$" then
        bad = bad + 1
        io.stderr:write(("%s:%d: kaos %s is no verb\n"):format(file, n, verb))
      end
    end
  end
end
os.exit(bad == 0 and 0 or 1)
