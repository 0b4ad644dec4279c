# Workers die between a send and its acknowledgement, and transactions are aborted: records that are in
# the log though their outcome is unknown are neither lost nor invented, and what was aborted and sent
# again after the rewind is no duplicate.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >unknown.lua <<'L'
scenario "unknown" {
  topics = { input = { partitions = 2 }, output = { partitions = 2 } },
  roles  = {
    writer = function(w)
      local p = w:producer {}
      for i = 1, 400 do p:send("input", { key = i, value = i }) w:pace "80/s" end
      p:flush()
    end,
    reader = function(w) -- faults go on until everything has come out
      local seen, n = {}, 0
      for m in w:messages "output" do
        n = n + (seen[m.value] and 0 or 1)
        seen[m.value] = true
        if n == 400 then w:done "all came out" end
      end
    end,
    worker = { count = 2, restart = "300ms", run = function(w)
      local c, p = w:consumer { group = "g", topics = "input" }, w:producer { transactional = true }
      for batch in c:batches { max = 10, wait = "200ms" } do
        local tx <close> = p:begin(c)
        for _, m in ipairs(batch) do tx:send("output", { from = m, value = m.value }) end
        tx:commit()
      end
    end },
  },
  faults = {
    crash { role = "worker", p = 0.04, per = "message", point = { "after_send", "before_commit" } },
    abort { role = "worker", p = 0.03 },
  },
  expect = {
    always     "once" { exactly_once { from = "input", to = "output", id = "value" } },
    always     "no aborted reads" { committed_only { topic = "output" } },
    eventually "all arrive" { no_loss { from = "input", to = "output", id = "value" } },
    sometimes  "died in flight" { crashed { role = "worker", point = { "after_send", "before_commit" } } },
  },
  stop = { after = "all came out" },
}
L
run_kaos run unknown.lua --seed 5
expect_code 0
expect "400 exactly once"
fact() {
    python3 -c 'import json, sys; print(json.load(open(".kaos/runs/latest/verdict.json"))["facts"][sys.argv[1]])' "$1"
}
python3 -c 'import json; print(json.load(open(".kaos/runs/latest/verdict.json"))["facts"])'
[ "$(fact unknown)" -gt 0 ] || fail "no send with an unknown outcome"
expect "with unknown outcome"
[ "$(fact txns_aborted)" -gt 0 ] || fail "no aborted transaction"
# the same history is judged the same again
run_kaos analyze latest
expect_code 0
