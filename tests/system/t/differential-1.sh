# The rows about transactions with transaction.version 1, and transactional ids that expire.
export KAFKA_TEST_FEATURE=transaction.version=1
export KAFKA_TEST_CONFIG="transactional.id.expiration.ms=10000 transaction.remove.expired.transaction.cleanup.interval.ms=200"
exec "$KAOS_ROOT/tests/system/with-broker" "$KAOS_ROOT/tests/differential/run" A04 F K01 K02 m1 m2 m3 m4 m5 m6 m7 m9 X01 E- O05
