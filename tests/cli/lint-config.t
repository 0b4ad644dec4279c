Lints about settings that fit together badly; the forms of the output.

  $ cat >config.lua <<'L'
  > local function work(w)
  >   local producer = w:producer { transactional = "copy-" .. w.index .. "-" .. w.incarnation }
  >   for batch in w:consumer({ group = "copy", topics = "input" }):batches { max = 10 } do
  >     local tx <close> = producer:begin()
  >     tx:commit()
  >   end
  > end
  > scenario "bites" {
  >   topics = { input = {} },
  >   roles  = { w = { run = work, conf = { ["transaction.timeout.ms"] = 15000, ["message.timeout.ms"] = 300000 } } },
  >   faults = {
  >     pause { role = "w", every = "5s", hold = "2s" },
  >     broker { action = "kill", node = "group coordinator of cpoy", at = "1s" },
  >   },
  >   expect = { eventually "it goes on" { liveness {}, within = "12s" } },
  >   thresholds = { recovery = "max < 5s" },
  >   stop = { after = "60s", drain = "30s" },
  > }
  > L
  $ kaos lint config.lua
  config.lua:8: warning: scenario "bites", role `w`, conf: message.timeout.ms (300000) is longer than the drain (30000 ms): unknown outcomes may stay open
  config.lua:8: warning: scenario "bites", thresholds, recovery: no fault ends an instance (crash, exit, kill), there will be nothing to measure
  config.lua:12: warning: scenario "bites", faults[1] (pause), hold: 2000 ms are not longer than the session timeout of role `w` (3000 ms): the group will not notice this pause
  config.lua:13: warning: scenario "bites", faults[2] (broker): no role contains the name of the group "cpoy" (did you mean `copy`?)
  config.lua:15: warning: scenario "bites", expect[1] (eventually "it goes on"), within: 12000 ms are shorter than transaction.timeout.ms of role `w` (15000), its transactional.id may change with each start (it names `incarnation`): read_committed readers may stall longer than the limit
  config.lua: 1 scenario, no errors
  $ kaos lint --format github config.lua
  ::warning file=config.lua,line=8,title=kaos lint::scenario "bites", role `w`, conf: message.timeout.ms (300000) is longer than the drain (30000 ms): unknown outcomes may stay open
  ::warning file=config.lua,line=8,title=kaos lint::scenario "bites", thresholds, recovery: no fault ends an instance (crash, exit, kill), there will be nothing to measure
  ::warning file=config.lua,line=12,title=kaos lint::scenario "bites", faults[1] (pause), hold: 2000 ms are not longer than the session timeout of role `w` (3000 ms): the group will not notice this pause
  ::warning file=config.lua,line=13,title=kaos lint::scenario "bites", faults[2] (broker): no role contains the name of the group "cpoy" (did you mean `copy`?)
  ::warning file=config.lua,line=15,title=kaos lint::scenario "bites", expect[1] (eventually "it goes on"), within: 12000 ms are shorter than transaction.timeout.ms of role `w` (15000), its transactional.id may change with each start (it names `incarnation`): read_committed readers may stall longer than the limit
  $ kaos lint --format gitlab config.lua
  kaos: --format: gitlab is not text, json or github
  [64]
  $ cat >heartbeat.lua <<'L'
  > scenario "heart" {
  >   topics = { input = {} }, roles = { w = { run = function() end, conf = { ["heartbeat.interval.ms"] = 2000 } } },
  >   expect = { liveness {} },
  > }
  > L
  $ kaos lint --format github heartbeat.lua
  ::error file=heartbeat.lua,line=1,title=kaos lint::scenario "heart", role `w`, conf: heartbeat.interval.ms (2000) is above half of session.timeout.ms (3000): members would be thrown out while they live
  [3]
