# A cluster that stays up between runs: up, reuse, one run at a time, stale registrations, down; and the
# guards of a cluster that kaos did not start. Secrets are nowhere in what a run leaves.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >tiny.lua <<'L'
scenario "tiny" {
  params = { ids = 30 },
  topics = { numbers = {} },
  roles  = { writer = function(w) for i = 1, w.params.ids do w:send("numbers", { value = i }) w:pace "20/s" end end,
             reader = { count = 2, run = function(w) for m in w:messages "numbers" do w:log("%s", m.value) end end } },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
scenario "broker" {
  topics = { numbers = {} },
  roles  = { writer = function(w) w:send("numbers", { value = 1 }) end },
  faults = { broker { action = "kill", node = 1, at = "1s" } },
  expect = { messages { topic = "numbers" } },
}
scenario "killed" {
  topics = { other = {} },
  roles  = { writer = function(w) for i = 1, 60 do w:send("other", { value = i }) w:pace "20/s" end end,
             reader = { count = 2, run = function(w) for m in w:messages "other" do w:log("%s", m.value) end end } },
  faults = { kill { role = "reader", at = "500ms" } },
  expect = { no_loss { from = "other", to = "reader" } },
}
local password = env("BROKER_PASSWORD", "none")
scenario "secret" {
  params = { token = "none" },
  topics = { numbers = { existing = true } },
  roles  = { writer = { conf = { ["sasl.password"] = password, ["ssl.key.password"] = param "token" },
                        run = function(w) for i = 1, 3 do w:send("numbers", { value = i }) end end } },
  expect = { messages { topic = "numbers" } },
}
L
trap '"$KAOS" cluster down --all --force >/dev/null 2>&1 || true' EXIT
run_kaos cluster ls
expect "no cluster is registered"
run_kaos cluster down
expect_code 64
run_kaos cluster up
expect_code 0
expect "Kafka 4.3.1, 1 broker"
bootstrap=$(sed -n 's/.* at //p' <<<"$out")
broker() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' .kaos/clusters/default/cluster.json; }
first=$(broker)
[ "$(processes_of "$PWD")" = "$first" ] || fail "not just the broker is left: $(processes_of "$PWD")"
run_kaos cluster up
expect_code 0
[ "$(broker)" = "$first" ] || fail "a second one was started"

# declared topics are made anew each time; while one run uses the cluster another one is refused
run_kaos run tiny.lua -g tiny --seed 1 --cluster reuse
expect_code 0
expect "30 ids"
expect "30 judged"
"$KAOS" run tiny.lua -g tiny --seed 2 --cluster reuse -p ids=100 >second.log 2>&1 &
second=$!
in_use() { "$KAOS" cluster ls | grep -q "in use by pid $second"; }
wait_for 10 in_use
run_kaos run tiny.lua -g tiny --seed 3 --cluster reuse
expect_code 4
expect "in use by pid $second"
run_kaos cluster down
expect_code 4
expect "in use by pid $second"
code=0
wait $second || code=$?
out=$(cat second.log)
echo "$out"
expect_code 0
expect "100 ids"
expect "100 judged"

# what it cannot be is refused
run_kaos run tiny.lua -g broker --cluster reuse
expect_code 4
expect "kill_broker"
run_kaos run tiny.lua -g tiny --cluster reuse --brokers 3
expect_code 4
expect "has 1 broker"

# the same brokers as a cluster that somebody else runs: what is there stays
run_kaos run tiny.lua -g tiny --cluster "$bootstrap"
expect_code 4
expect "topic numbers exists already"
run_kaos run tiny.lua -g broker --cluster "$bootstrap"
expect_code 4
expect "need --allow-faults-on-external"
run_kaos run tiny.lua -g broker --cluster "$bootstrap" --allow-faults-on-external
expect_code 4
expect "not within reach"
run_kaos run tiny.lua -g killed --seed 1 --cluster "$bootstrap"
expect_code 0
expect "kill reader 1×"

export BROKER_PASSWORD=hunter2-env
run_kaos run tiny.lua -g secret --seed 1 --cluster "$bootstrap" -p token=hunter2-param -r json=out.json -r junit=out.xml
[ "$code" -eq 0 ] || [ "$code" -eq 4 ] || fail "exit code is $code"
expect_code 0
unset BROKER_PASSWORD
run_kaos export latest -o all.jsonl
expect_code 0
! grep -rl hunter2 .kaos out.json out.xml all.jsonl || fail "a secret is stored"
grep -q '"(redacted)"' .kaos/runs/latest/run.json || fail "nothing is redacted"
run_kaos analyze latest
expect_code 0
expect_not "hunter2"

# a broker that is gone is started anew; nothing survives `down`
kill -9 "$first"
gone() { ! kill -0 "$first" 2>/dev/null; }
wait_for 10 gone
run_kaos cluster ls
expect "1 of 1 processes are gone"
run_kaos run tiny.lua -g tiny --seed 4 --cluster reuse
expect_code 0
[ "$(broker)" != "$first" ] || fail "the registration is stale"
run_kaos cluster down
expect_code 0
expect "1 process ended"
wait_for 5 none_left
[ ! -e .kaos/clusters/default ] || fail "its folder is left"
