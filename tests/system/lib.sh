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
# Pids of kaos and java processes that belong to a run below the folder $1.
processes_of() {
    local proc exe
    for proc in /proc/[0-9]*; do
        exe=$(readlink "$proc/exe" 2>/dev/null) || continue
        [[ $exe == */kaos* || $exe == */java || $exe == */sleep ]] || continue
        if [[ $(readlink "$proc/cwd" 2>/dev/null) == "$1"* ]] ||
            tr '\0' ' ' <"$proc/cmdline" 2>/dev/null | grep -qF -- "$1"; then
            echo "${proc#/proc/}"
        fi
    done
}
