# The template and the shipped scenario pass unedited.
. "$KAOS_ROOT/tests/system/lib.sh"
run_kaos new smoke.lua -t smoke
expect_code 0
run_kaos new smoke.lua -t smoke
expect_code 64
expect "exists already"
run_kaos run smoke.lua --seed 1 -r junit=out.xml -r json=out.json
expect_code 0
expect "PASS"
for file in out.xml out.json .kaos/runs/latest/verdict.json; do
    [ -s $file ] || fail "$file is missing"
done
run_kaos show latest
expect_code 0
run_kaos analyze latest
expect_code 0
expect "PASS"
run_kaos export latest -o all.jsonl
expect_code 0
grep -q '"deliver"' all.jsonl || fail "no deliveries in the export"
