# Ctrl-C stops the work, drains, judges and exits with 130; a second one stops at once; SIGTERM is 143.
# Nothing is left running, and what was recorded can be judged.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new eos.lua -t eos
start() {
    rm -rf .kaos
    "$KAOS" run eos.lua --seed 5 --no-faults "$@" >out.log 2>&1 &
    runner=$!
}
has_worked() {
    "$KAOS" export latest 2>/dev/null | grep -q '"kind":"txn_commit","phase":"ok"'
}
ended() {
    code=0
    wait $runner || code=$?
    out=$(cat out.log)
    echo "$out"
    none_left || fail "processes are left"
}
start
wait_for 60 has_worked
kill -INT $runner
ended
expect_code 130
expect "interrupted"
expect "INCONCLUSIVE"
expect "exactly once"
run_kaos analyze latest
expect_code 2

start
wait_for 60 at_work 1
kill -TERM $runner
ended
expect_code 143

# twice: while it drains or audits; and while the cluster, which takes seconds, starts
start
wait_for 60 at_work 1
kill -INT $runner
sleep "$(printf '%d.%03d' $((RANDOM % 3)) $((RANDOM % 1000)))" # a random moment of drain, cut, audit or probe
begin=$SECONDS
kill -INT $runner 2>/dev/null || true
ended
expect_code 130
[ $((SECONDS - begin)) -le 8 ] || fail "the second Ctrl-C took $((SECONDS - begin)) s"
start --cluster kafka
wait_for 60 pgrep -P "$runner" >/dev/null
sleep 0.5 # somewhere before the roles
kill -INT $runner
ended
expect_code 130
expect "interrupted"
