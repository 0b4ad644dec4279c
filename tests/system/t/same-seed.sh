# Two runs with the same seed make the same decisions.
. "$KAOS_ROOT/tests/system/lib.sh"
for i in 1 2; do
    run_kaos run "$KAOS_ROOT/scenarios/eos.lua:55" --seed 77 -p ids=400 -p rate=60/s
    [ "$code" -eq 0 ] || [ "$code" -eq 2 ] || fail "eos with few ids exits with $code"
    run_kaos export latest -o "$i.jsonl"
    expect_code 0
done
lua5.4 "$KAOS_ROOT/tests/system/draws.lua" 1.jsonl 2.jsonl
