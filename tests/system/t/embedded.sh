# The embedded broker as the cluster that nobody has to name: no Java, a verdict as on Kafka, nothing
# left behind; what it cannot do is refused.
. "$KAOS_ROOT/tests/system/lib.sh"
export JAVA_HOME=/nowhere

cat >smoke.lua <<'L'
scenario "small" {
  topics = { numbers = { partitions = 3 } },
  roles  = {
    writer = function(w) for i = 1, 60 do w:send("numbers", { value = i }); w:pace "20/s" end end,
    reader = { count = 2,
               run = function(w) for m in w:messages "numbers" do w:log("%d", m.value) end end },
  },
  faults = { kill { role = "reader", every = "1s..2s" } },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
L
run_kaos run smoke.lua --seed 1
expect_code 0
expect "PASS small"
expect "60 ids"
expect "60 judged"
wait_for 5 none_left

# the eos loop with a planted bug is found out
run_kaos run "$KAOS_ROOT/scenarios/eos.lua" -g eos/no-rewind --seed 1
expect_code 0
expect "FAIL eos/no-rewind as declared"
wait_for 5 none_left

# the broker goes with a runner that dies
"$KAOS" run smoke.lua >killed.log 2>&1 &
runner=$!
wait_for 10 grep -q '' .kaos/runs/latest/logs/broker-1.log
kill -9 $runner
wait_for 5 none_left

# nodes die, freeze and come back: retries are written once, and without idempotence twice
run_kaos run "$KAOS_ROOT/scenarios/idempotence-scope.lua" -g idempotence-scope/off --seed 1
expect_code 0
expect "FAIL idempotence-scope/off as declared"
wait_for 5 none_left

sed 's/topics =/cluster = { config = { ["log.segment.ms"] = 1000 } }, topics =/' smoke.lua >setting.lua
run_kaos run setting.lua
expect_code 4
expect "does not know the broker property 'log.segment.ms'"

# records that retention has removed are not lost, and what asks about all of them does not hold
cat >removed.lua <<'L'
local short = { ["retention.bytes"] = "1000000" }
for _, cut in ipairs { "input", "output" } do
  scenario(cut) {
    cluster = { config = { ["log.retention.check.interval.ms"] = 20 } },
    topics = { input = { partitions = 1, config = cut == "input" and short or {} },
               output = { partitions = 1, config = cut == "output" and short or {} } },
    roles = {
      writer = function(w)
        for i = 1, 300 do w:send("input", { value = i .. ("x"):rep(10000) }) end
      end,
      copier = function(w)
        local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
        local producer = w:producer { transactional = true }
        for batch in consumer:batches { max = 50, wait = "100ms" } do
          local tx <close> = producer:begin(consumer)
          for _, m in ipairs(batch) do tx:send("output", { from = m, value = m.value }) end
          tx:commit()
        end
      end,
    },
    expect = {
      always "sent"   { no_loss { from = "writer", to = "input" } },
      always "copied" { exactly_once { from = "input", to = "output" } },
    },
    stop = { drain = "30s" },
  }
end
L
run_kaos run removed.lua --seed 1 -j 2
expect_code 2
for cut in input output; do
    expect "offsets of topic $cut left the log (retention, DeleteRecords or compaction) before it was audited"
done
[ "$(grep -cE '^\?\?\?\? +(input|output) +INCONCLUSIVE' <<<"$out")" = 2 ] || fail "not two doubts"
wait_for 5 none_left
