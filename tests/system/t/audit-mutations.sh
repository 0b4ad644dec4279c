# One record removed, doubled or invented in a stored audit: analyze names id, partition and offset.
. "$KAOS_ROOT/tests/system/lib.sh"
"$KAOS" new eos.lua -t eos
run_kaos run eos.lua --seed 4 --no-faults -p ids=300 -p rate=200/s
run=$(readlink -f .kaos/runs/latest)
mutate=$(dirname "$KAOS")/tests/mutate_audit
for change in remove double invent; do
    rm -rf copy
    cp -r "$run" copy
    what=$("$mutate" copy/history --$change output 7)
    echo "$what"
    run_kaos analyze copy
    expect_code 1
    id=$(sed -n 's/.*id=\([^ ]*\).*/\1/p' <<<"$what") offset=$(sed -n 's/.*offset=\([0-9]*\).*/\1/p' <<<"$what")
    partition=$(sed -n 's/.*partition=\([0-9]*\).*/\1/p' <<<"$what")
    expect "$id"
    case $change in
    remove) expect lost ;;
    double) expect duplicate && expect "output[$partition]@$offset" ;;
    invent) expect invented && expect "output[$partition]@$offset" ;;
    esac
done
