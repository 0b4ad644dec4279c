# Runs in parallel: an interrupt reaches all of them, what ran is judged and reported, and nothing is
# left behind; nor when the suite itself is killed.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >slow.lua <<'L'
scenario "slow" {
  params = { n = 1 },
  topics = { t = {} },
  roles = { w = function(w) for i = 1, 6000 do w:send("t", { value = i }); w:pace "10/s" end end },
  expect = { messages { topic = "t" } },
}
L
"$KAOS" run slow.lua --matrix n=1,2,3 -j 2 -r junit=out.xml >out.log 2>&1 &
suite=$!
wait_for 60 at_work 2
kill -INT $suite
code=0
wait $suite || code=$?
out=$(cat out.log)
echo "$out"
expect_code 130
expect "slow[n=1] INCONCLUSIVE"
expect "slow[n=2] INCONCLUSIVE"
expect "the run was interrupted"
expect "2 scenarios 2 inconclusive 1 not run"
python3 "$KAOS_ROOT/tests/system/junit_schema.py" out.xml
wait_for 20 none_left
[ -z "$(find .kaos -maxdepth 1 -name 'jobs-*')" ] || fail "files of the jobs are left"

rm -r .kaos
"$KAOS" run slow.lua --matrix n=1,2 -j 2 >out.log 2>&1 &
suite=$!
wait_for 60 at_work 2
kill -KILL $suite
wait $suite || true
wait_for 20 none_left
