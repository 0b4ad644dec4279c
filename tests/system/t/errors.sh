# One clear error each, that names the thing and the fix, with the right exit code, and no hang.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new smoke.lua
within() { # SECONDS ARGS...: the run must end by then
    local limit=$1 begin=$SECONDS
    shift
    run_kaos "$@"
    [ $((SECONDS - begin)) -le "$limit" ] || fail "took $((SECONDS - begin)) s, not $limit"
}

# a role that never starts: its load is long enough to be stopped before it is ready
mkdir stuck && cat >stuck/stuck.lua <<'L'
local n = 0
for i = 1, 30000000 do n = n + i % 7 end
scenario "stuck" {
  topics = { x = {} },
  roles  = { sleeper = function(w) w:log("%s", n) end },
  expect = { messages { topic = "x" } },
}
L
(cd stuck && exec "$KAOS" run stuck.lua) >stuck/out.log 2>&1 &
stuck=$!
(
    while kill -0 $stuck 2>/dev/null; do
        for pid in $(processes_of "$PWD/stuck"); do
            if grep -qz __role "/proc/$pid/cmdline"; then
                kill -STOP "$pid"
                exit
            fi
        done
        sleep 0.05
    done
) 2>/dev/null &

# wrong addresses, kinds and versions
within 20 run smoke.lua --cluster 127.0.0.1:1
expect_code 4
expect "127.0.0.1:1"
within 20 run smoke.lua --cluster nosuch.invalid:9092
expect_code 4
expect "nosuch.invalid"
python3 -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(64)
print(s.getsockname()[1], flush=True)
time.sleep(120)' >silent.port &
silent=$!
trap 'kill $silent 2>/dev/null || true' EXIT
wait_for 10 test -s silent.port
within 25 run smoke.lua --cluster "127.0.0.1:$(cat silent.port)"
expect_code 4
expect "no Kafka cluster answers at 127.0.0.1:$(cat silent.port)"
kill $silent
within 10 run smoke.lua --cluster kafka:9.9.9
expect_code 4
expect "script/kafka 9.9.9"
within 10 run smoke.lua --cluster rabbit
expect_code 64
expect "no kind of cluster 'rabbit'"
within 10 run smoke.lua --cluster 127.0.0.1:1 --brokers 3
[ "$code" -eq 3 ] || [ "$code" -eq 64 ] || fail "--brokers for an external cluster: exit code $code"
expect "127.0.0.1:1"

# wrong words on the command line
within 10 run smoke.lua -p nosuch=1
expect_code 64
expect "nosuch"
within 10 run nothing.lua
expect_code 64
expect "nothing.lua"
within 10 run smoke.lua -g "no such scenario"
expect_code 5

# no java
mkdir nojava
for tool in bash cat; do ln -s "$(command -v $tool)" nojava/; done
code=0
out=$(env -u JAVA_HOME PATH="$PWD/nojava" "$KAOS" run smoke.lua --cluster kafka 2>&1) || code=$?
echo "$out"
expect_code 4
expect "java"
expect "script/setup"

# mistakes in the file
cat >lua.lua <<'L'
scenario "lua" {
  topics = { x = {} },
  roles  = { a = function(w) w:sleep "200ms" local t = nil; w:log(t.key) end },
  expect = { messages { topic = "x" } },
}
L
cat >property.lua <<'L'
scenario "property" {
  topics = { x = {} },
  roles  = { a = { run = function(w) for m in w:messages "x" do w:log("%s", m.value) end end,
                   conf = { ["sesion.timeout.ms"] = 1 } } },
  expect = { messages { topic = "x" } },
}
L
cat >conf.lua <<'L'
scenario "conf" {
  topics = { x = {} },
  roles  = { a = function(w)
    local c = w:consumer { topics = "x", conf = { ["sesion.timeout.ms"] = 1 } }
    for m in c:messages() do w:log("%s", m.value) end
  end },
  expect = { messages { topic = "x" } },
}
L
cat >broker.lua <<'L'
scenario "broker" {
  topics  = { x = {} },
  roles   = { a = function(w) w:send("x", { value = 1 }) end },
  cluster = { config = { ["log.retention.mss"] = 1 } },
  expect  = { messages { topic = "x" } },
}
L
within 40 run lua.lua --seed 1
expect_code 3
expect "lua.lua:3"
expect "attempt to index a nil value"
within 40 run property.lua --seed 1
expect_code 3
expect "sesion.timeout.ms"
expect "session.timeout.ms"
within 40 run conf.lua --seed 1
expect_code 3
expect "did you mean \`session.timeout.ms\`?"
within 40 run broker.lua --seed 1 --cluster kafka
expect_code 3
expect "log.retention.mss"
within 10 run broker.lua --seed 1
expect_code 4
expect "does not know the broker property 'log.retention.mss'"
expect "--cluster kafka"
# a file-level table that a role writes: a note at load, an error when it happens
within 40 run "$KAOS_ROOT/tests/cli/lint/7_shared_table.lua" --seed 1
expect_code 3
expect "read-only inside roles"
expect "file-level table"

# topics that are there already
cat >make.lua <<'L'
scenario "make" {
  topics = { there = { partitions = 3 } },
  roles  = { a = function(w) for i = 1, 5 do w:send("there", { value = i }) end end },
  expect = { messages { topic = "there", at_least = 5 } },
}
L
sed 's/"make"/"existing"/; s/partitions = 3/partitions = 3, existing = true/' make.lua >existing.lua
sed 's/"make"/"count"/; s/partitions = 3/partitions = 2, existing = true/' make.lua >count.lua
# shellcheck disable=SC2016
"$KAOS_ROOT/tests/system/with-broker" --embedded bash -euo pipefail -c '
    . "$KAOS_ROOT/tests/system/lib.sh"
    try() { run_kaos run "$1" --cluster "$KAOS_TEST_BOOTSTRAP"; }
    try existing.lua
    expect_code 4
    expect "topic there is declared"
    try make.lua
    expect_code 0
    try count.lua
    expect_code 4
    expect "topic there has 3 partitions, the scenario declares 2"
    expect "write \`partitions = 3\`"
    try make.lua
    expect_code 4
    expect "existing = true"
    try existing.lua
    expect_code 0'

code=0
wait $stuck || code=$?
out=$(cat stuck/out.log)
echo "$out"
expect_code 3
expect "role sleeper.1 did not start within 60 s"
[ -z "$(processes_of "$PWD")" ] || fail "processes are left"
