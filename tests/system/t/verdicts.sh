# A suite with all kinds of verdicts: exit code, summary, JUnit, TAP, annotations, and the same again
# by --last-failed; then a sweep. One broker serves all of it.
. "$KAOS_ROOT/tests/system/lib.sh"
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY
if [ -z "${KAOS_TEST_BOOTSTRAP:-}" ]; then
    exec "$KAOS_ROOT/tests/system/with-broker" --embedded bash -euo pipefail "$KAOS_ROOT/tests/system/t/verdicts.sh"
fi
cp "$KAOS_ROOT"/tests/system/suite/*.lua .
export SUITE=verdicts KAOS_CLUSTER=$KAOS_TEST_BOOTSTRAP

run_kaos run judged.lua broken.lua --seed 1 -j 3 -q -r junit=out/all.xml -r tap=out/all.tap \
    -r json=out/all.json -r jsonl=out/all.jsonl -r md=out/all.md -r 'junit=out/{name}.xml'
expect_code 1
summary=$(sed -n '/^────/,$p' <<<"$out")
grep -qE '^12 scenarios   4 pass   3 FAIL   2 inconclusive   2 error   1 refused .* exit 1$' <<<"$summary" ||
    fail "the summary does not count 12 scenarios"
for row in 'FAIL  copy/drops  *lost  *kaos show [0-9a-f]{6}' 'FAIL  assertion  *assertion  *kaos show' \
    'FAIL  copy/declared-and-right  *the planted bug did not show' '\?\?\?\?  doubt/never  *.*pigs fly' \
    '\?\?\?\?  doubt/unfired  *.*kill' 'ERROR error/role  *writer.1#3 failed with a Lua error' 'ERROR broken.lua  *broken.lua:1:' \
    'SETUP setup/capability  *the scenario has .*broker'; do
    grep -qE "^  $row" <<<"$summary" || fail "the summary lacks: $row"
done
expect_not "copy/drops-declared   lost"
[ "$(grep -cE '^(PASS|FAIL|\?\?\?\?|ERROR|SETUP) ' <<<"$out")" = 11 ] || fail "not one headline for each run"
grep -qE '^FAIL  copy/drops-declared   as declared ' <<<"$out" || fail "a twin is not as declared"
expect "kaos run --last-failed"

for file in out/*.xml; do python3 "$KAOS_ROOT/tests/system/junit_schema.py" "$file"; done
[ "$(find out -name '*.xml' | wc -l)" = 13 ] || fail "not one file for each name: $(ls out)"
python3 - <<'P'
import json, xml.etree.ElementTree as ET
cases = {}
for case in ET.parse("out/all.xml").getroot().iter("testcase"):
    tags = [child.tag for child in case if child.tag != "system-out"]
    cases[case.get("classname") + " " + case.get("name")] = tags + [c.get("type") for c in case if c.get("type")]
def expect(name, what):
    assert cases[name][:len(what)] == what, (name, cases[name])
expect("judged.pass/5 run", [])
expect("judged.copy/drops eventually: every id arrives", ["failure", "lost"])
expect("judged.copy/drops-declared fails as declared", [])
expect("judged.copy/declared-and-right fails as declared", ["failure", "did_not_fail"])
expect("judged.assertion always: numbers are even", ["failure", "assertion"])
expect("judged.doubt/never sometimes: pigs fly", ["error", "inconclusive"])
expect("judged.doubt/unfired run", ["error", "inconclusive"])
expect("judged.error/role run", ["error", "scenario_error"])
expect("judged.setup/capability run", ["error", "environment"])
expect("broken.broken.lua run", ["error", "scenario_error"])
runs = json.load(open("out/all.json"))["runs"]
lines = [json.loads(line) for line in open("out/all.jsonl")]
assert [line["event"] for line in lines] == ["run"] * 12 + ["end"], lines
assert [line["verdict"] for line in lines[:-1]] == runs
assert lines[-1]["pass"] == 4 and lines[-1]["runs"] == 12, lines[-1]
codes = sorted(run["exit_code"] for run in runs)
assert codes == [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4], codes
P

# prove reads it, and counts what is not ok; a part that passes is a success for it too
prove -e cat out/all.tap >prove.txt 2>&1 && fail "prove took failures for a success"
cat prove.txt
grep -q 'Parse errors' prove.txt && fail "prove does not accept the TAP"
grep -qE 'Failed tests?' prove.txt || fail "prove saw no failed test"
[ "$(grep -c '^not ok' out/all.tap)" = "$(grep -cE '<(failure|error) ' out/all.xml)" ] || fail "TAP and JUnit differ"
run_kaos run judged.lua pass/5 --store none -q --cluster kafka:9.9.9 -r tap=setup.tap
expect_code 4
prove -e cat setup.tap && fail "a run that did not take place is a success for prove"

# what failed runs again, in a job of GitHub Actions: annotations without being asked for
export SUITE=again
GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/page.md run_kaos run --last-failed -G setup -q --seed 1 -j 2 -r tap=again.tap
expect_code 1
expect "7 scenarios"
expect_not "copy/drops-declared"
annotations=$(grep '^::' <<<"$out")
[ "$(wc -l <<<"$annotations")" -ge 7 ] || fail "not an annotation for each failure"
grep -qE '^::error file=judged.lua,line=[0-9]+,title=copy/drops%3A lost id [0-9]+::"every id arrives": ' <<<"$annotations" ||
    fail "no annotation for the lost id"
grep -qE '^::error file=judged.lua,line=87,title=error/role%3A error::' <<<"$annotations" || fail "no annotation for the role"
grep -qE '^::error file=broken.lua,line=1,title=broken.lua%3A error::' <<<"$annotations" || fail "no annotation for the file"
[ "$(grep -c '^::error::' <<<"$out")" = 0 ] || fail "an id from outside became a command"
grep -qF '### kaos: 0 of 7 runs pass' page.md || fail "no table on the page of the job"
grep -qF '| ✗ FAIL | copy/drops |' page.md || fail "no row for the run that failed"

# doubt can be accepted; a failure cannot
export SUITE=doubt
run_kaos run judged.lua -g doubt/never -g never -q --inconclusive warn -r junit=doubt.xml
expect_code 0
python3 "$KAOS_ROOT/tests/system/junit_schema.py" doubt.xml
grep -q '<skipped type="inconclusive"' doubt.xml || fail "what is accepted is no skipped test"

# a sweep: counts, one signature, the seed of the first run, and a history of what failed alone
export SUITE=verdicts
run_kaos run again.lua --matrix odd=true,false -j 2
expect_code 64
expect "drops[odd=true] and drops[odd=false] would share the topic verdicts-drops-in"
run_kaos run again.lua --seed 7 --repeat 2 -q --matrix odd=true,false
expect_code 1
expect "drops[odd=true] 2 runs 2 pass"
expect "drops[odd=false] 2 runs 2 FAIL"
expect "✗ every id arrives 2× lost"
expect "smallest failing run"
expect "2 scenarios 4 runs 1 pass 1 FAIL"
[ "$(grep -c 'seed 0x0000000000000007' <<<"$out")" -ge 2 ] || fail "the first run has another seed"
for run in .kaos/runs/*-drops; do
    kept=$([ -d "$run/history" ] && echo yes || echo no)
    failed=$(python3 -c 'import json, sys; print("yes" if json.load(open(sys.argv[1]))["exit_code"] else "no")' "$run/verdict.json")
    [ "$kept" = "$failed" ] || fail "$run: history kept: $kept, failed: $failed"
done
id=$(sed -n 's/.*smallest failing run \([0-9a-f]*\).*/\1/p' <<<"$out" | head -n 1)
run_kaos show "$id"
expect "✗ eventually \"every id arrives\""
for pid in $(processes_of "$PWD"); do # the broker of the test is one of them
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline")
    [[ $command == "$KAOS broker "* ]] || fail "process $pid is left: $command"
done
[ -z "$(find .kaos -maxdepth 1 -name 'jobs-*')" ] || fail "files of the jobs are left"
