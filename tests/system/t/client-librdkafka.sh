# kaos's own roles, librdkafka as Debian has it, against the embedded broker: killed, rebalanced, paused.
. "$KAOS_ROOT/tests/system/lib.sh"
run_client librdkafka
