# franz-go's GroupTransactSession against the embedded broker: killed, rebalanced, paused.
. "$KAOS_ROOT/tests/system/lib.sh"
run_client go franz-go
