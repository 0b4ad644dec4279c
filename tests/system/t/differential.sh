# The same requests to the embedded broker and to a real Kafka: the same answers.
exec "$KAOS_ROOT/tests/system/with-broker" "$KAOS_ROOT/tests/differential/run"
