# Ctrl-C stops the work, drains, judges and exits with 130; nothing is left running.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new eos.lua -t eos
"$KAOS" run eos.lua --seed 5 >out.log 2>&1 &
runner=$!
wait_for 60 bash -c 'ls .kaos/runs/*/history/worker-* >/dev/null 2>&1'
wait_for 60 grep -q sent out.log
kill -INT $runner
code=0
wait $runner || code=$?
out=$(cat out.log)
echo "$out"
expect_code 130
expect "interrupted"
expect "INCONCLUSIVE"
[ -z "$(processes_of "$PWD")" ] || fail "processes are left"
