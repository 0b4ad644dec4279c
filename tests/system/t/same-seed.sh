# Two runs with the same seed make the same decisions. The work ends when every number has come out, so
# that both runs decide about all of it.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >dice.lua <<'L'
local IDS <const> = 400
scenario "dice" {
  topics = { input = { partitions = 4 }, output = { partitions = 4 } },
  roles  = {
    writer = function(w)
      local p = w:producer {}
      for i = 1, IDS do p:send("input", { key = i % 64, value = i }) w:pace "150/s" end
      p:flush()
    end,
    worker = { count = 3, restart = "300ms", run = function(w)
      local c, p = w:consumer { group = "copy", topics = "input" }, w:producer { transactional = true }
      for batch in c:batches { max = 10, wait = "200ms" } do
        local tx <close> = p:begin(c)
        for _, m in ipairs(batch) do tx:send("output", { from = m, value = m.value }) end
        tx:commit()
      end
    end },
    reader = function(w)
      local seen, n = {}, 0
      for m in w:messages "output" do
        n = n + (seen[m.value] and 0 or 1)
        seen[m.value] = true
        if n == IDS then w:done "all came out" end
      end
    end,
  },
  faults = {
    crash { role = "worker", p = 0.01, per = "message", point = "any" },
    abort { role = "worker", p = 0.02 },
  },
  expect = { exactly_once { from = "input", to = "output", id = "value" } },
  stop   = { after = "all came out" },
}
L
for i in 1 2; do
    run_kaos run dice.lua --seed 77
    expect_code 0
    run_kaos export latest -o "$i.jsonl"
    expect_code 0
done
lua5.4 "$KAOS_ROOT/tests/system/draws.lua" 1.jsonl 2.jsonl
