# Hostile clients: malformed frames, half-open connections, readers that do not read, floods, too many of
# everything. The broker answers others, and its memory is bounded. Under KAOS=build/asan/kaos as well.
exec "$KAOS_ROOT/tests/hostile/run"
