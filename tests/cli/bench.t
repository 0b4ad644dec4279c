The table of script/bench broker. A ratio misses its target when it lies below it; how far it can be
trusted is its standard error.

  $ table() { awk -f $TESTDIR/../bench/broker/table.awk -v text=produce -v unit=records/s -v targets="$1" | sed -E 's/.*  (mock|kafka)/\1/'; echo "${PIPESTATUS[0]}"; }
  $ rounds() { for v in "$@"; do n=$((n + 1)); echo "embedded $n $v"; echo "mock $n 100"; done; }
  $ rounds 101 102 100 103 101 | table "mock 1"
  mock >= 1 (+-0.01)   ok
  0
  $ rounds 90 99 110 97 101 98 | table "mock 1"
  mock >= 1 (+-0.03)   MISSED
  1
  $ rounds 97 98 97 98 97 | table "mock 1"
  mock >= 1 (+-0.00)   MISSED
  1
  $ rounds 93 80 120 94 70 | table "mock 1"
  mock >= 1 (+-0.11)   MISSED
  1
  $ rounds 97 | table "mock 1"
  mock >= 1 (+-0.00)   MISSED
  1
  $ echo "mock 1 5" | table "mock 1"
  produce: nothing was measured
  1

A peer with rounds of its own: the medians of both, and the errors of both.

  $ { rounds 101 102 100 103 101; echo "kafka 1 9"; echo "kafka 2 10"; echo "kafka 3 11"; } | table "kafka 10"
  kafka >= 10 (+-0.07)   ok
  0
  $ { rounds 101 102 100 103 101; echo "kafka 1 12"; echo "kafka 2 10"; echo "kafka 3 11"; } | table "kafka 10"
  kafka >= 10 (+-0.07)   MISSED
  1

A round that measured nothing, as memory that did not grow, has no ratio; the others have.

  $ { rounds 101 0 100 103 101; echo "mock 6 0"; echo "embedded 6 99"; } | table "mock 1"
  mock >= 1 (+-0.01)   ok
  0
