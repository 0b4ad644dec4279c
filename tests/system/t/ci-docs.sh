# docs/ci.md does what it says, and the workflow that `kaos init` writes is one: every command of the
# page, and every step of the workflow with stand-ins for what comes from outside.
. "$KAOS_ROOT/tests/system/lib.sh"
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY
page=$KAOS_ROOT/docs/ci.md
sed -n '/^```lua$/,/^```$/p' "$page" | sed '1d;$d' >copy.lua
run_kaos lint copy.lua
expect_code 0
mapfile -t commands < <(sed -n '/^```sh$/,/^```$/p' "$page" | grep -v '^```')
[ ${#commands[@]} -ge 9 ] || fail "the page has only ${#commands[@]} commands"
export KAOS_QUIET=1
for command in "${commands[@]}"; do
    [[ $command == "kaos run "* ]] || fail "not a command of kaos: $command"
    eval "run_kaos ${command#kaos }"
    expect_code 0
    case $command in
    *--matrix*) expect "2 scenarios 2 pass" ;;
    *--repeat\ 3*) expect "copy 3 runs 3 pass" ;;
    *--until-fail*) expect "copy 2 runs 2 pass" ;;
    *--for*) expect "pass" ;;
    esac
done
python3 "$KAOS_ROOT/tests/system/junit_schema.py" reports/kaos.xml
grep -qF '| ✓ PASS | copy |' reports/kaos.md || fail "no table"
prove -e cat reports/kaos.tap || fail "prove does not take a success for one"
ls reports/copy-??????.json reports/kaos.jsonl

# The kinds of reports and the flags that the page names are those that there are.
run_kaos run copy.lua -r nosuch
for kind in $(sed -n 's/^| `\([a-z]*\)`\(, `\([a-z]*\)`\)\{0,1\} | .*/\1 \3/p' "$page"); do
    expect "$kind"
done
run_kaos help run
for flag in $(grep -v 'kaos show' "$page" | grep -oE -e '--[a-z][a-z-]+' | sort -u); do
    expect "$flag"
done

# The workflow: it parses, third-party actions are pinned to commits, and its steps run.
run_kaos init
expect ".github/workflows/kaos.yml"
python3 - <<'P'
import re, yaml
flow = yaml.safe_load(open(".github/workflows/kaos.yml"))
assert flow["permissions"] == {"contents": "read"}, flow["permissions"]
assert set(flow) == {"name", True, "permissions", "jobs"}, set(flow)  # YAML 1.1 reads `on` as true
job = flow["jobs"]["scenarios"]
assert job["runs-on"] and job["timeout-minutes"] and job["steps"]
pinned = [step["uses"] for step in job["steps"] if "uses" in step]
assert pinned and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", uses) for uses in pinned), pinned
steps = [step["run"] for step in job["steps"] if "run" in step]
assert any("kaos\" run " in step for step in steps), steps
for n, step in enumerate(steps):
    open(f"step-{n}.sh", "w").write(step)
P
mkdir -p stand-ins home scenarios
cp copy.lua scenarios/
cat >stand-ins/git <<'S'
echo "git $*" >>"$LOG"
if [ "$1" = clone ]; then
    mkdir -p "$3/script"
    printf '#!/bin/bash\necho "setup $*" >>"$LOG"\n' >"$3/script/setup"
    printf '#!/bin/bash\necho "kafka $*" >>"$LOG"\n' >"$3/script/kafka"
    printf '#!/bin/bash\nexec "$KAOS" "$@"\n' >"$3/script/kaos"
    chmod +x "$3"/script/*
fi
S
printf '#!/bin/bash\necho "apt-get $*" >>"$LOG"\n' >stand-ins/apt-get
chmod +x stand-ins/*
for step in step-*.sh; do
    PATH=$PWD/stand-ins:$PATH HOME=$PWD/home LOG=$PWD/steps.log KAOS_REPOSITORY=where KAOS_REVISION=which \
        GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/page.md bash -eo pipefail "$step" || fail "$step: $(cat "$step")"
done
! grep -q kafka steps.log || fail "Apache Kafka was brought for the embedded broker"
for step in step-*.sh; do
    ! grep -q script/kafka "$step" || build=$step
done
rm -rf home && mkdir home
PATH=$PWD/stand-ins:$PATH HOME=$PWD/home LOG=$PWD/steps.log KAOS_REPOSITORY=where KAOS_REVISION=which \
    KAOS_CLUSTER=kafka bash -eo pipefail "$build" || fail "$build for a real Kafka"
cat steps.log
for line in 'apt-get install' 'git clone where' 'checkout which' 'setup' 'kafka'; do
    grep -qF "$line" steps.log || fail "no step did: $line"
done
python3 "$KAOS_ROOT/tests/system/junit_schema.py" reports/kaos.xml
grep -qF '### kaos: 1 of 1 run passes' page.md || fail "no table on the page of the job"
none_left || fail "processes are left: $(processes_of "$PWD")"
