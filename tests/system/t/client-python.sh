# confluent-kafka with the librdkafka it brings, against the embedded broker: killed, rebalanced, paused.
. "$KAOS_ROOT/tests/system/lib.sh"
run_client python confluent-kafka
