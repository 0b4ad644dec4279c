# The blocks of docs/repl.md that are marked `kaos`, line by line in a prompt without a terminal: the
# first error would end it. What cannot be done without one (.quiet and .history) is allowed to say
# little.
. "$KAOS_ROOT/tests/system/lib.sh"
export HOME=$PWD
sed -n '/^```kaos$/,/^```$/{/^```/d;p}' "$KAOS_ROOT/docs/repl.md" >blocks
[ "$(wc -l <blocks)" -gt 50 ] || fail "docs/repl.md has no blocks"
cp "$KAOS_ROOT/tests/system/copy.lua" .
code=0
"$KAOS" repl <blocks >out 2>&1 || code=$?
out=$(cat out)
cat out
expect_code 0
wait_for 10 none_left
for text in "42" "43" "function double(n)" "send(topic, record" \
    "numbers 3 partitions, empty" "numbers 3 partitions, 4 offsets" 'value="four"' "aborted" "done" \
    "copy 2 roles" "writer.1#1 pid" "worker.2#1: kill" "crash at the next occasion" "logs/worker-2" \
    "exactly once" "died by a fault" "input[0]@0" "found.lua: copy with 6 typed faults" "judge()"; do
    expect "$text"
done
expect_not "error:"
expect_not "VIOLATED"
run_kaos lint found.lua
expect "no errors"

# every word and command of the prompt is in the page
echo '.help' | "$KAOS" repl --cluster none | sed -n '/^words/,$s/^  \([.a-z]*\) .*/\1/p' >names
[ "$(wc -l <names)" -gt 40 ] || fail "help lists no words"
while read -r name; do
    grep -qF -- "$name" "$KAOS_ROOT/docs/repl.md" || fail "docs/repl.md lacks $name"
done <names
