# Groups of the consumer protocol (KIP-848) of confluent-kafka and of kafka-clients, against the embedded
# broker: killed, rebalanced, paused.
. "$KAOS_ROOT/tests/system/lib.sh"
# There the members' ids are UUIDs that the clients make; of the classic protocol they begin with the
# name of the client.
expect_consumer_protocol() {
    "$KAOS" export latest -o run.jsonl >/dev/null
    grep -qE '"kind":"group".*"state":"Stable".*"member_ids":"[A-Za-z0-9+/_-]{22}[,"]' run.jsonl ||
        fail "no group of the consumer protocol was seen"
    ! grep -qE '"kind":"group".*"member_ids":"[^"]*(rdkafka|consumer)-' run.jsonl || fail "a classic group was seen"
}
run_client python-consumer confluent-kafka
expect_consumer_protocol
run_client java-consumer kafka-clients
expect_consumer_protocol
