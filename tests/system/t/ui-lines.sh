# Without a terminal: lines, no escape codes; SIGUSR1 prints the details of every process; Ctrl-Z's signal
# stops the whole run and SIGCONT lets it go on; --ui json writes one object per line; --ui quiet nothing.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >lines.lua <<'L'
scenario "lines" {
  topics = { numbers = {} },
  roles  = { writer = function(w) for i = 1, 120 do w:send("numbers", { value = i }) w:log("sent %d", i) w:pace "20/s" end end,
             reader = function(w) for m in w:messages "numbers" do w:log("%s", m.value) end end },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
L
"$KAOS" run lines.lua --seed 1 >out.log 2>err.log &
runner=$!
wait_for 60 at_work 1
dumped() { grep -q "writer.1#1  pid [0-9]*  age .* running" err.log && grep -q "| sent [0-9]" err.log; }
until_dumped() { kill -USR1 $runner && sleep 0.2 && dumped; }
wait_for 10 until_dumped
state() { ps -o stat= -p "$1" | cut -c1; }
role=$(sed -n 's/.*writer.1#1  pid \([0-9]*\) .*/\1/p' err.log | tail -n 1)
stopped() { [ "$(state $runner)" = T ] && [ "$(state "$role")" = T ]; }
awake() { [ "$(state $runner)" != T ] && [ "$(state "$role")" != T ]; }
kill -TSTP $runner
wait_for 5 stopped
kill -CONT $runner
wait_for 5 awake
code=0
wait $runner || code=$?
out=$(cat out.log)
echo "$out"
expect_code 0
expect "120 ids"
expect "120 judged"
expect "faults off, draining"
! grep -q $'\033' out.log err.log || fail "escape codes without a terminal"

run_kaos run lines.lua --seed 1 --ui json
expect_code 0
python3 - <<P
import json
lines = [json.loads(l) for l in """$(sed 's/\\/\\\\/g' <<<"$out")""".splitlines()]
assert all(l["v"] == 1 for l in lines), "no version"
kinds = [l["type"] for l in lines]
assert kinds[-1] == "verdict" and kinds.count("status") >= 5, kinds
assert lines[-1]["verdict"]["exit_code"] == 0
last = [l for l in lines if l["type"] == "status"][-1]
assert last["count"]["sent"] == 120 and last["properties"][0]["name"], last
P
run_kaos run lines.lua --seed 1 --ui quiet
expect_code 0
expect_not "draining"
run_kaos run lines.lua --ui loud
expect_code 64
expect "none of auto, live, lines, quiet, json"
wait_for 5 none_left
