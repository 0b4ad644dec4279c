# One record removed, doubled or invented in a stored audit: analyze names id, partition and offset.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new eos.lua -t eos
run_kaos run eos.lua --seed 4 --no-faults -p ids=300 -p rate=200/s
[ "$code" -eq 0 ] || [ "$code" -eq 2 ] || fail "the run itself: exit code $code"
run=$(readlink -f .kaos/runs/latest)
mutate=$(dirname "$KAOS")/tests/mutate-audit
run_kaos analyze "$run"
expect_not "FAIL"
part() {
    sed -n "s/.*\\b$1=\\([^ ]*\\).*/\\1/p" <<<"$what"
}
for change in remove double invent; do
    rm -rf copy
    cp -r "$run" copy
    what=$("$mutate" copy/history --$change output 7)
    echo "$what"
    run_kaos analyze copy
    expect_code 1
    expect "output[$(part partition)]@"
    case $change in
    remove) expect "lost $(part value)" && expect "output[$(part partition)]@$(part offset)" ;;
    double) expect duplicate && expect "id $(part value)" && expect "output[$(part partition)]@$(part at)" ;;
    invent) expect invented && expect "id $(part value)" && expect "output[$(part partition)]@$(part at)" ;;
    esac
done
