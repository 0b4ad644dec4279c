# shellcheck shell=bash
# Sourced by every system test. The working directory is fresh and private.
# run_kaos ARGS...: runs the binary; output in $out, exit code in $code.
out='' code=0
run_kaos() {
    code=0
    out=$("$KAOS" "$@" 2>&1) || code=$?
    printf '$ kaos %s\n%s\n[%d]\n' "$*" "$out" "$code"
    # what is still open at the end of a run would be a leak
    ! grep -qF "event loop:" <<<"$out" || fail "the event loop did not end"
}
fail() {
    echo "FAILED: $*"
    exit 1
}
skip() {
    echo "$*"
    exit 77
}
expect_code() {
    [ "$code" -eq "$1" ] || fail "exit code is $code, not $1"
}
# The output may be wrapped: runs of white space count as one space.
flat() {
    tr -s ' \n' '  ' <<<"$out"
}
expect() {
    grep -qF -- "$1" <<<"$(flat)" || fail "output lacks: $1"
}
expect_not() {
    ! grep -qF -- "$1" <<<"$(flat)" || fail "output has: $1"
}
# Waits until a command succeeds, at most so many seconds.
wait_for() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $limit ] || fail "waited too long for: $*"
        sleep 0.05
    done
}
# Pids of the processes whose working directory is at or below the folder $1: all of a run are, from
# the guard to the brokers, but for the shells and tools of the test itself.
processes_of() {
    local cwd pid
    find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$1" -o -lname "$1/*" -o -lname "$1 (deleted)" \) 2>/dev/null |
        while read -r cwd; do
            pid=${cwd#/proc/} pid=${pid%/cwd}
            case $(readlink "/proc/$pid/exe" 2>/dev/null) in
            */kaos* | */java) echo "$pid" ;;
            esac
        done
}
none_left() {
    [ -z "$(processes_of "$PWD")" ]
}
# at_work N: so many runs of this folder work; an interrupt makes those drain. "latest" is one of them.
at_work() {
    [ "$(grep -la faults_on .kaos/runs/*-*/history/runner-*.seg 2>/dev/null | wc -l)" -ge "$1" ]
}
# start_broker ARG...: `kaos broker` on a free port, its address in $at; stop_broker ends it, which it
# does by itself, without a fault.
at='' broker=''
start_broker() {
    "$KAOS" broker --listen 127.0.0.1:0 "$@" >broker.txt 2>&1 &
    broker=$!
    trap 'kill -9 $broker' EXIT
    wait_for 10 grep -q listening broker.txt
    at=$(awk '/^listening/ { print $3 }' broker.txt)
}
stop_broker() {
    kill "$broker"
    wait "$broker" || fail "the broker ended with $?: $(tail -n 20 broker.txt)"
    trap - EXIT
}
# run_client NAME [LIBRARY]: the loop of tests/system/clients.lua on three embedded nodes; its programs
# must say that they use the library.
run_client() {
    run_kaos run "$KAOS_ROOT/tests/system/clients.lua" "client/$1" --cluster embedded --brokers 3 --seed 1
    expect_code 0
    expect "PASS client/$1"
    [ $# -lt 2 ] || grep -hm 1 "^$2 [0-9v]" .kaos/runs/latest/logs/worker-*.log || fail "no program has used $2"
    wait_for 5 none_left
}
