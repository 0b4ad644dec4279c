One line, or one object.

  $ kaos version | sed -E 's/[0-9]+(\.[0-9]+)+/N/g'
  kaos N (Lua N, librdkafka N, default Apache Kafka N)
  $ kaos --version | diff - <(kaos version)
  $ kaos version --json | python3 -c 'import json, sys; print(*json.load(sys.stdin))'
  kaos lua librdkafka kafka
