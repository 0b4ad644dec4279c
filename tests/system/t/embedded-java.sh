# Apache Kafka's own tools, a producer and a group that reads, against the embedded broker.
. "$KAOS_ROOT/tests/system/lib.sh"
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
tool() {
    timeout 60 "$java" -Xmx128m -cp "$KAOS_HOME/kafka/4.3.1/libs/*" "$@"
}

"$KAOS" broker --listen 127.0.0.1:0 --topic words:1 >broker.txt 2>&1 &
broker=$!
trap 'kill $broker' EXIT
wait_for 10 grep -q listening broker.txt
at=$(awk '{ print $3 }' broker.txt)
seq 1 50 | tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$at" --topic words
tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$at" --topic words --group readers \
    --from-beginning --isolation-level read_committed --max-messages 50 >got.txt 2>got.err ||
    fail "the consumer ended with $?: $(tail -n 3 got.err)"
[ "$(sort -n got.txt | uniq | wc -l)" -eq 50 ] || fail "50 words were sent, got $(wc -l <got.txt)"
tool org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$at" --describe \
    --group readers >group.txt 2>&1 || fail "describing the group: $(cat group.txt)"
grep -q words group.txt || fail "the group's offsets are not described: $(cat group.txt)"
