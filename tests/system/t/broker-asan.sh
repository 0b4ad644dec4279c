# The embedded broker of the sanitizer build under hostile clients and the sequences of the differential
# test: it ends with 0, so no sanitizer had anything to say. All hostile rows: broker-hostile.
"$KAOS_ROOT/tests/hostile/run" malformed half_open slow churn begun
exec "$KAOS_ROOT/tests/hostile/sequences" T O F I
