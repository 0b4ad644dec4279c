# Workers under agents: killed, paused, crashed like those of the runner's own host; an agent that
# dies takes its workers with it and may come back; strangers are refused; nothing is left.
. "$KAOS_ROOT/tests/system/lib.sh"
export KAOS_AGENT_TOKEN=a-secret-of-this-test
export TMPDIR=$PWD

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# agent NAME ADDRESS: in the background; its pid in $agent, its port in $port.
agent() {
    "$KAOS" agent --listen "$2" >"$1.log" 2>&1 &
    agent=$!
    wait_for 10 grep -qs 'on port' "$1.log"
    port=$(awk '/on port/ { print $NF }' "$1.log")
}
agent one 127.0.0.1:0
one=$agent at_one=127.0.0.1:$port
agent two 127.0.0.1:0 # dies below
two=$agent at_two=127.0.0.1:$port

# nobody listens there: said after the time that an agent may take to appear
"$KAOS" run "$KAOS_ROOT/scenarios/smoke.lua" smoke --store gone --place reader=127.0.0.1:1 >gone.log 2>&1 &
gone=$!

"$KAOS" new eos.lua -t eos
sed -i 's/every = "15s", hold = "4s..6s"/every = "3s", hold = "3s"/; s/"5s..10s"/"2s..4s"/; s/p = 0.005/p = 0.05/; s/, point = { "before_off.*commit" }//' eos.lua
"$KAOS" run eos.lua --seed 3 -p ids=400 -p rate=40/s --place "worker=$at_one,$at_two" >run.log 2>&1 &
run=$!
deaths() { [ "$("$KAOS" export latest 2>/dev/null | grep -c "\"crash\"")" -ge 2 ]; }
wait_for 90 deaths
# A worker may be dead by itself just then: again, until one was there.
orphaned() { grep -qs "the agent is gone" .kaos/runs/latest/logs/worker-*.log; }
# A worker that goes before a word of its history came leaves a run that proves nothing. So the agent is
# killed while the runner stands still: nobody is started, and of everybody who was there is a history.
all_known() {
    local log name
    for log in .kaos/runs/latest/logs/worker-*.log; do
        name=$(basename "$log" .log)
        [ -s ".kaos/runs/latest/history/$name-0.seg" ] || return 1
    done
}
hold() {
    kill -STOP "$run"
    all_known || { kill -CONT "$run" && return 1; }
}
for _ in 1 2 3 4 5; do
    wait_for 20 hold
    kill -9 "$two"
    kill -CONT "$run"
    agent three "$at_two"
    two=$agent
    ! orphaned || break
    sleep 1
done
code=0
wait "$run" || code=$?
out=$(cat run.log)
echo "$out"
expect_code 0
expect "400 exactly once"
orphaned || fail "no worker died with its agent"

KAOS_AGENT_TOKEN=another-secret-of-this run_kaos run "$KAOS_ROOT/scenarios/smoke.lua" smoke --place "reader=$at_one"
expect_code 4
expect "wrong token"
run_kaos run "$KAOS_ROOT/scenarios/smoke.lua" smoke --place "nobody=$at_one"
expect_code 64
expect "no role \`nobody\`"
run_kaos run "$KAOS_ROOT/scenarios/smoke.lua" smoke --place reader=here
expect_code 64
unset KAOS_AGENT_TOKEN
run_kaos agent --listen :0
expect_code 64
expect "KAOS_AGENT_TOKEN"

code=0
wait "$gone" || code=$?
out=$(cat gone.log)
expect_code 4
expect "no agent: connecting to 127.0.0.1:1"

kill "$one" "$two"
wait "$one" "$two" || fail "an agent did not end well"
wait_for 5 none_left
