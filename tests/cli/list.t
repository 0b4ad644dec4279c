One line per scenario, or JSON.

  $ mkdir scenarios
  $ kaos list
  kaos: no scenario found
  [5]
  $ kaos new scenarios/smoke.lua >/dev/null
  $ kaos new scenarios/eos.lua -t eos >/dev/null
  $ kaos list
  scenarios/eos.lua:42  eos  #eos #txn
  scenarios/smoke.lua:2  smoke
  $ kaos list scenarios/eos.lua
  scenarios/eos.lua:42  eos  #eos #txn
  $ kaos list -g smo
  scenarios/smoke.lua:2  smoke
  $ kaos list -g nosuch
  kaos: no scenario has such a name
  [5]
  $ kaos list --json | python3 -c 'import json, sys; print(*[s["name"] for s in json.load(sys.stdin)])'
  eos smoke
  $ kaos list nothing.lua
  kaos: nothing.lua: no such file
  [64]

The scenarios of the repository: the twins of eos say how they fail.

  $ kaos list "$TESTDIR/../../scenarios/eos.lua" | sed 's/.*  eos/eos/'
  eos  #eos #txn
  eos/auto-commit  #eos #twin  fails with lost
  eos/no-rewind  #eos #twin  fails with lost
  eos/offsets-after  #eos #twin  fails with duplicate
  eos/offsets-before  #eos #twin  fails with lost
  eos/plain-output  #eos #twin  fails with duplicate
  eos/read-uncommitted  #eos #twin  fails with aborted_read
  eos/same-offset  #eos #twin  fails with duplicate
  eos/shared-id  #eos #twin  fails with stall
  eos/stale-generation  #eos #twin  fails with duplicate
