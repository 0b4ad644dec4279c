# kcat against the embedded broker: metadata, produce and consume, offsets by time, a transaction that
# commits and one that is killed, a group whose member is killed.
. "$KAOS_ROOT/tests/system/lib.sh"
command -v kcat >/dev/null || fail "there is no kcat: run script/setup --dev"
start_broker --topic words:3 --topic out:1 --config group.min.session.timeout.ms=500
kc() {
    timeout 20 kcat -b "$at" "$@"
}

kc -L >metadata.txt
grep -q 'topic "words" with 3 partitions' metadata.txt || fail "metadata: $(cat metadata.txt)"

# every codec there and back, with keys and headers
for codec in none gzip snappy lz4 zstd; do
    seq 1 100 | sed "s/.*/k&:$codec-&/" | tee -a sent.txt | kc -P -t words -K: -z $codec -H from=$codec
done
kc -C -t words -o beginning -e -q -f '%k:%s %h\n' | sort >got.txt
sed 's/.*:\(.*\)-.*/& from=\1/' sent.txt | sort | cmp - got.txt || fail "got $(wc -l <got.txt) of 500"

# offsets by time: of all partitions the end, and of one a time before all
ends=$(kc -Q -t words:0:-1 -t words:1:-1 -t words:2:-1 | awk '{ sum += $NF } END { print sum }')
[ "$ends" = 500 ] || fail "the ends sum up to $ends"
kc -Q -t words:0:1 >first.txt
grep -qx 'words \[0\] offset 0' first.txt || fail "offset of time 1: $(cat first.txt)"

# a transaction; then one that is killed while it is open: hidden, and aborted when its owner returns
seq 1 10 | kc -P -t out -X transactional.id=copy
mkfifo lines
kcat -b "$at" -P -t out -X transactional.id=copy -X linger.ms=0 <lines &
open=$!
exec 3>lines
seq 1000 9999 >&3 # kcat reads by blocks
written() {
    [ "$(kc -C -t out -o beginning -e -q -X isolation.level=read_uncommitted | wc -l)" -gt "$1" ]
}
committed() {
    kc -C -t out -o beginning -e -q | cmp - "$1"
}
wait_for 10 written 10
kill -9 "$open"
exec 3>&-
committed <(seq 1 10) || fail "an open transaction is seen"
seq 21 30 | kc -P -t out -X transactional.id=copy
committed <(seq 1 10; seq 21 30) || fail "not what was committed"

# a group: what a killed member had goes to the other one, and nothing is left out
member() {
    exec kcat -b "$at" -u -G readers -X auto.offset.reset=earliest -X session.timeout.ms=1000 \
        -X heartbeat.interval.ms=200 -X auto.commit.interval.ms=100 -f '%k:%s\n' words >"$1" 2>"$1.err"
}
# the partitions of a member by its last assignment
owned() {
    grep 'rebalanced.*assigned' "$1.err" | tail -n 1 | grep -o 'words \[[0-9]\]'
}
shared() {
    [ -n "$(owned a)" ] && [ -n "$(owned b)" ] && [ "$( (owned a; owned b) | sort -u | wc -l)" -eq 3 ]
}
all_read() {
    sort -u a b | cmp -s - <(sort sent.txt)
}
member a &
first=$!
member b &
second=$!
wait_for 10 shared
kill -9 "$first"
seq 501 600 | sed 's/.*/k&:v-&/' | tee -a sent.txt | kc -P -t words -K:
wait_for 10 all_read
kill "$second"
wait "$second" || fail "the member ended with $?: $(tail -n 2 b.err)"
stop_broker
