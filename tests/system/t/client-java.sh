# Java's kafka-clients against the embedded broker: killed, rebalanced, paused.
. "$KAOS_ROOT/tests/system/lib.sh"
run_client java kafka-clients
