# One clear error each, with the right exit code, and no hang.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new smoke.lua
run_kaos run smoke.lua --cluster 127.0.0.1:1
expect_code 4
expect "127.0.0.1:1"
run_kaos run smoke.lua --cluster kafka:9.9.9
expect_code 4
expect "script/kafka 9.9.9"
run_kaos run smoke.lua --cluster rabbit
[ "$code" -ne 0 ] && [ "$code" -ne 1 ] || fail "a cluster kind that does not exist was accepted"
run_kaos run smoke.lua -p nosuch=1
expect_code 64
expect "nosuch"
run_kaos run nothing.lua
expect_code 64
run_kaos run smoke.lua -g "no such scenario"
expect_code 5
mkdir nojava
for tool in bash cat; do ln -s "$(command -v $tool)" nojava/; done
code=0
out=$(PATH=$PWD/nojava "$KAOS" run smoke.lua 2>&1) || code=$?
echo "$out"
if [ ! -x /usr/bin/java ] || [ "$code" -ne 0 ]; then
    expect_code 4
    expect "java"
fi
cat >lua.lua <<'L'
scenario "lua" {
  topics = { x = {} },
  roles  = { a = function(w) w:sleep "200ms" local t = nil; w:log(t.key) end },
  expect = { messages { topic = "x" } },
}
scenario "property" {
  topics = { x = {} },
  roles  = { a = { run = function(w) for m in w:messages "x" do w:log("%s", m.value) end end, conf = { ["sesion.timeout.ms"] = 1 } } },
  expect = { messages { topic = "x" } },
}
L
run_kaos run lua.lua -g lua --seed 1
expect_code 3
expect "lua.lua:3"
run_kaos run lua.lua -g property --seed 1
expect_code 3
expect "sesion.timeout.ms"
cat >existing.lua <<'L'
scenario "existing" {
  topics = { there = { partitions = 3, existing = true } },
  roles  = { a = function(w) for i = 1, 5 do w:send("there", { value = i }) end end },
  expect = { messages { topic = "there" } },
}
L
"$KAOS_ROOT/tests/system/with-broker" bash -euo pipefail -c '
    . "$KAOS_ROOT/tests/system/lib.sh"
    run_kaos run existing.lua --cluster "$KAOS_TEST_BOOTSTRAP"
    [ "$code" -eq 4 ] || fail "a missing topic: exit code $code"
    expect there'
