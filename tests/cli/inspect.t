What a scenario means, as JSON.

  $ kaos new eos.lua -t eos >/dev/null
  $ kaos inspect eos.lua --seed 7 -p workers=2 > plan.json
  $ q() { python3 -c "import json; p = json.load(open('plan.json'))[0]; print($1)"; }
  $ q "p['name'], p['seed'], p['seed_origin']"
  eos 0x0000000000000007 flag
  $ q "p['params']['workers']['value'], p['params']['workers']['origin'], p['params']['ids']['origin']"
  2 flag scenario
  $ q "p['roles']['worker']['count'], sorted(p['topics'])"
  2 ['input', 'output']
  $ q "p['needs'][0], p['time']['timeout_ms']"
  transactions 180000

The same seed draws the same faults, another one others; what a hash of records decides has no times.

  $ cat > timed.lua <<'L'
  > scenario "timed" {
  >   topics = { numbers = {} },
  >   roles  = { writer = function(w) w:send("numbers", { value = 1 }) end },
  >   faults = { kill { role = "writer", every = "2s..4s", max = 5 }, crash { role = "writer", p = 0.5 },
  >              pause { role = "writer", at = "1s", hold = "2s..3s" } },
  >   expect = { messages { topic = "numbers" } },
  >   stop   = { after = "15s" },
  > }
  > L
  $ kaos inspect timed.lua --seed 1 > plan.json
  $ kaos inspect timed.lua --seed 1 | diff - plan.json
  $ kaos inspect timed.lua --seed 2 | cmp -s - plan.json
  [1]
  $ q "[f['kind'] for f in p['faults']], p['faults'][1]['p'], 'schedule' in p['faults'][1]"
  ['kill', 'crash', 'pause'] 0.5 False
  $ q "all(2000 <= b['at_ms'] - a['at_ms'] <= 4000 for s in [p['faults'][0]['schedule']] for a, b in zip(s, s[1:])), len(p['faults'][0]['schedule']) in range(3, 6)"
  True True
  $ q "[(s['at_ms'], 2000 <= s['hold_ms'] <= 3000) for s in p['faults'][2]['schedule']]"
  [(1000, True)]
  $ q "p['time']['work_ms']"
  15000

Secrets are not shown. FILE:NAME and FILE:LINE choose.

  $ cat > secret.lua <<'L'
  > for _, name in ipairs { "one", "two" } do
  > scenario(name) {
  >   params = { password = "hunter2", tokens = 3 },
  >   topics = { numbers = {} },
  >   roles  = { writer = { run = function(w) w:send("numbers", { value = 1 }) end, conf = { ["sasl.password"] = "hunter2" } } },
  >   expect = { messages { topic = "numbers" } },
  > }
  > end
  > L
  $ kaos inspect secret.lua:two > plan.json
  $ q "p['name'], p['params']['password']['value'], p['roles']['writer']['conf']"
  two (redacted) {'sasl.password': '(redacted)'}
  $ grep hunter2 plan.json
  [1]
  $ kaos inspect secret.lua | grep -c '"where": "secret.lua:2"'
  [0-9]+ (re)
  $ kaos inspect secret.lua:nosuch
  kaos: secret.lua:nosuch: no such scenario; `kaos list` shows what there is
  [5]
  $ kaos inspect
  kaos: inspect: name one scenario, as in `kaos inspect eos.lua:eos`
  [64]
  $ kaos inspect timed.lua -p x=1 2>&1 | head -n 1
  kaos: * (glob)
