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
expect "60 exactly once"
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
