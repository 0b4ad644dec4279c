# A short eos run with the sanitizer build: no report of a sanitizer in any role or in the runner.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new eos.lua -t eos
run_kaos run eos.lua --seed 3 -p ids=300
[ "$code" -eq 0 ] || [ "$code" -eq 2 ] || fail "exit code $code"
! grep -rlE "AddressSanitizer|LeakSanitizer|runtime error|ThreadSanitizer" .kaos/runs/*/logs || fail "a sanitizer reported"
expect_not "Sanitizer"
expect_not "runtime error"
