# Nothing is judged before a source has the answers to what it sent: records that wait in a client would
# count as lost.
. "$KAOS_ROOT/tests/system/lib.sh"
export JAVA_HOME=/nowhere

cat >late.lua <<'L'
scenario "late" {
  topics = { input = { partitions = 2 } },
  roles  = {
    source = { restart = "never", run = function(s)
      local quick, slow = s:producer {}, s:producer { conf = { ["linger.ms"] = 6000 } }
      local consumer = s:consumer { topics = "input" }
      s:spawn(function()
        for n = 1, 10 do quick:send("input", { value = n }) end
        s:sleep "1s"
        for n = 11, 20 do slow:send("input", { value = n }) end
        s:done "all sent"
      end)
      for m in consumer:messages() do s:log("%d", m.value) end
    end },
    reader = function(r) for m in r:messages "input" do r:log("%d", m.value) end end,
  },
  expect = { no_loss { from = "input", to = "reader" } },
  stop   = { after = "all sent", drain = "20s", timeout = "1m" },
}
L
run_kaos run late.lua --cluster embedded --seed 1
expect_code 0
expect "PASS late"
expect "20 exactly once"
wait_for 5 none_left
