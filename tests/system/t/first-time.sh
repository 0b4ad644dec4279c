# The path of somebody who uses kaos for the first time, each step as it is printed: a scenario from a
# template, a mistake, what lint says of it, a bug, the failure, what there is to see, the fix, PASS.
. "$KAOS_ROOT/tests/system/lib.sh"
printed() { # WORD: the command that the last output names behind a word, without "kaos"
    sed -n "s/^ *$1 .*kaos \(.*\)/\1/p" <<<"$out" | head -n 1
}

run_kaos new first.lua -t eos
expect_code 0
expect "first.lua written; next: kaos run first.lua"
run_kaos lint first.lua
expect_code 0

# one line, with a typing mistake: the place, the thing, the fix; nothing is started
sed -i 's/^  faults = /  fautls = /' first.lua
run_kaos lint first.lua
expect_code 3
expect "unknown field \`fautls\` (did you mean \`faults\`?)"
run_kaos run first.lua
expect_code 3
expect "unknown field \`fautls\` (did you mean \`faults\`?)"
[ ! -d .kaos/runs ] || fail "a file with a mistake was run"
sed -i 's/fautls/faults/' first.lua

# the bug that the template proposes: offsets are committed after the transaction
cp first.lua right.lua
sed -i 's/producer:begin(consumer)  /producer:begin()  /; s/local ok, why = tx:commit() .*/local ok, why = tx:commit(); if ok then consumer:commit() end/' first.lua
[ "$(diff right.lua first.lua | grep -c '^>')" = 2 ] || fail "the lines to edit are gone"
run_kaos run first.lua --seed 1 -q -p ids=700 -p crash_p=0.1
expect_code 1
grep -q '^FAIL  eos ' <<<"$out" || fail "no headline"
expect "✗ always \"exactly once\""
expect "have more effects than one"
expect "same input record again"
expect "records and offsets were not in one transaction"
expect "blame application"
expect "see kaos explain duplicate"
expect "seed 0x0000000000000001"
look=$(printed look) again=$(printed again)
[[ $look == "show "*" --id "* && $again == "run first.lua:"*" --seed 0x0000000000000001 "* ]] || fail "look: $look, again: $again"
eval "run_kaos $look"
expect_code 0
expect "input["
run_kaos show latest --violation 1
expect_code 0
expect "of 700 ids"
run_kaos explain duplicate
expect_code 0
expect "## Who is to blame"

# fixed: it passes, long enough for every fault to fire
cp right.lua first.lua
run_kaos run first.lua --seed 1 -q -p ids=700
expect_code 0
grep -q '^PASS  eos ' <<<"$out" || fail "no PASS"
expect "700 ids · 700 exactly once"
none_left || fail "processes are left: $(processes_of "$PWD")"
