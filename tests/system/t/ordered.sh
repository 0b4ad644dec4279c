# A crash with a time waits in a process for a point that it passes. One that works and never comes there
# does not keep it: another one is told, and dies there.
. "$KAOS_ROOT/tests/system/lib.sh"
export JAVA_HOME=/nowhere

cat >ordered.lua <<'L'
scenario "ordered" {
  topics = { input = { partitions = 4 }, output = { partitions = 4 } },
  roles  = {
    sender = function(s)
      for n = 1, 300 do s:send("input", { key = n, value = n }); s:pace "60/s" end
    end,
    worker = { count = 3, restart = "200ms", conf = { ["session.timeout.ms"] = 1000 },
      run = function(w)
        local consumer = w:consumer { group = "copy", topics = "input" }
        -- only the last one has transactions
        local producer = w:producer { transactional = w.index == 3 }
        for batch in consumer:batches { max = 10, wait = "100ms" } do
          local tx <close> = w.index == 3 and producer:begin(consumer) or nil
          for _, m in ipairs(batch) do (tx or producer):send("output", { from = m, value = m.value }) end
          if tx then tx:commit() else producer:flush() consumer:commit() end
        end
      end },
  },
  faults = { crash { role = "worker", at = "2s", point = "before_offsets" } },
  expect = { sometimes "died there" { crashed { role = "worker", point = { "before_offsets" } } } },
}
L
for seed in 1 3; do
    run_kaos run ordered.lua --cluster embedded --seed $seed
    expect_code 0
    expect "PASS ordered"
    expect "crash worker 1×"
    wait_for 5 none_left
done
