# Groups that may be full, and walks of a group of the consumer protocol, whose members live on.
export KAFKA_TEST_CONFIG="group.max.size=2 group.consumer.session.timeout.ms=45000"
exec "$KAOS_ROOT/tests/system/with-broker" "$KAOS_ROOT/tests/differential/run" "a full group" "a walk of a consumer group"
