-- Compares the decisions of two runs with the same seed, from two exports: every key that both
-- evaluated has the same outcome, and most first-delivery keys occur in both.

local function draws(file)
  local all, first, n = {}, {}, 0
  for line in io.lines(file) do
    if line:find('"kind":"draw"', 1, true) then
      local f = {}
      for _, name in ipairs { "fault", "partition", "offset", "delivery", "hit" } do
        f[name] = assert(line:match('"' .. name .. '":(%-?%d+)'), line)
      end
      f.topic, f.point = line:match '"topic":"([^"]*)"', line:match '"point":"([^"]*)"'
      local role = f.topic == "" and line:match '"role":"([^"]*)"' or ""
      local key = table.concat({ f.fault, role, f.topic, f.partition, f.offset }, "|")
      all[key .. "|" .. f.delivery] = f.hit .. f.point
      if f.delivery == "1" and not first[key] then
        first[key] = true
        n = n + 1
      end
    end
  end
  return all, first, n
end

local a, first_a, na = draws(arg[1])
local b, first_b, nb = draws(arg[2])
assert(na > 100 and nb > 100, "too few decisions to compare: " .. na .. " and " .. nb)
local both, hits = 0, 0
for key, outcome in pairs(a) do
  if b[key] then
    assert(b[key] == outcome, "decision " .. key .. " differs")
    hits = hits + (outcome:sub(1, 1) == "1" and 1 or 0)
  end
end
for key in pairs(first_a) do both = both + (first_b[key] and 1 or 0) end
print(("%d and %d first-delivery keys, %d in both, %d hits agree"):format(na, nb, both, hits))
assert(hits > 0, "no decision hit in both runs")
assert(both >= 0.8 * math.max(na, nb), "fewer than 80 % of the keys occur in both runs")
