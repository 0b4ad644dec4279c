# shellcheck shell=bash
# Sourced by every system test. The working directory is fresh and private.
# run_kaos ARGS...: runs the binary; output in $out, exit code in $code.
out='' code=0
run_kaos() {
    code=0
    out=$("$KAOS" "$@" 2>&1) || code=$?
    printf '%s\n' "$out"
}
fail() {
    echo "FAILED: $*"
    exit 1
}
expect_code() {
    [ "$code" -eq "$1" ] || fail "exit code is $code, not $1"
}
expect() {
    grep -qF -- "$1" <<<"$out" || fail "output lacks: $1"
}
expect_not() {
    ! grep -qF -- "$1" <<<"$out" || fail "output has: $1"
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
# Processes whose environment or arguments name this directory's run.
processes_of() {
    pgrep -f -- "$1" || true
}
