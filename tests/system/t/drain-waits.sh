# Nothing is judged before a source has the answers to what it sent: records that wait in a client would
# count as lost.
. "$KAOS_ROOT/tests/system/lib.sh"
export JAVA_HOME=/nowhere

# must_drain NAME IDS: the scenario whose source does what stands in standard input.
must_drain() {
    local source
    source=$(cat)
    cat >"$1.lua" <<L
scenario "$1" {
  topics = { input = { partitions = 2 }, nothing = { partitions = 1 } },
  roles  = {
    source = { restart = "never", run = function(s)
$source
    end },
    reader = function(r) for m in r:messages "input" do r:log("%d", m.value) end end,
  },
  expect = { no_loss { from = "input", to = "reader" } },
  stop   = { after = "all sent", drain = "20s", timeout = "1m" },
}
L
    run_kaos run "$1.lua" --cluster embedded --seed 1
    expect_code 0
    expect "PASS $1"
    expect "$2 exactly once"
    wait_for 5 none_left
}

must_drain late 20 <<'L'
      local quick, slow = s:producer {}, s:producer { conf = { ["linger.ms"] = 6000 } }
      local consumer = s:consumer { topics = "input" }
      s:spawn(function()
        for n = 1, 10 do quick:send("input", { value = n }) end
        s:sleep "1s"
        for n = 11, 20 do slow:send("input", { value = n }) end
        s:done "all sent"
      end)
      for m in consumer:messages() do s:log("%d", m.value) end
L

# An answer is seen also when the source does nothing after it: its consumer has nothing to read.
must_drain idle 10 <<'L'
      local p = s:producer { conf = { ["linger.ms"] = 500 } }
      for n = 1, 10 do p:send("input", { value = n }) end
      s:done "all sent"
      for m in s:messages "nothing" do s:log("%d", m.value) end
L
