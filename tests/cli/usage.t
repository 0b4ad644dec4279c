Wrong words are told at once: exit code 64, and 5 when nothing was selected.

  $ kaos new smoke.lua >/dev/null
  $ kaos dance
  kaos: no verb dance; see `kaos help`
  [64]
  $ kaos run --fast smoke.lua
  kaos: run: unknown option --fast; see `kaos help run`
  [64]
  $ kaos run smoke.lua --seed
  kaos: run: --seed needs a value (N)
  [64]
  $ kaos run smoke.lua --seed=-1
  kaos: --seed: -1 is not a 64-bit number, decimal or 0x
  [64]
  $ kaos run smoke.lua --seed 12x
  kaos: --seed: 12x is not a 64-bit number, decimal or 0x
  [64]
  $ kaos run smoke.lua --repeat 0
  kaos: --repeat: 0 is not a number from 1 to 1000000
  [64]
  $ kaos run smoke.lua --repeat 2 --at-least 3
  kaos: --at-least: 3 is not a number from 0 to 2
  [64]
  $ kaos run smoke.lua --brokers 9
  kaos: --brokers: 9 is not a number from 1 to 5
  [64]
  $ kaos run smoke.lua --timeout 5
  kaos: --timeout: 5 is not a duration (250ms, 90s, 2m)
  [64]
  $ kaos run smoke.lua --no-faults=yes
  kaos: run: --no-faults takes no value
  [64]
  $ kaos run smoke.lua -p nosuch=1
  kaos: smoke: no param `nosuch`; declared: none
  [64]
  $ kaos run smoke.lua -p ids
  kaos: --param: ids is not NAME=VALUE
  [64]
  $ kaos run smoke.lua -r pdf=x
  kaos: --report: pdf=x is not KIND or KIND=PATH with a kind that exists (terminal, junit, tap, github, md, json, jsonl)
  [64]
  $ kaos run smoke.lua -r junit=
  kaos: --report: junit= is not KIND or KIND=PATH with a kind that exists (terminal, junit, tap, github, md, json, jsonl)
  [64]
  $ kaos run smoke.lua -r 'junit=out/{nam}.xml'
  kaos: --report: junit=out/{nam}.xml: {nam} is not {name}, {run} or {seed}
  [64]
  $ kaos run smoke.lua --cluster rabbit
  kaos: --cluster: there is no kind of cluster 'rabbit'; known are kafka[:VERSION], embedded[:transaction-version=1], reuse[:NAME], HOST:PORT[,HOST:PORT]
  [64]
  $ kaos run nothing.lua
  kaos: nothing.lua: no such file
  [64]
  $ kaos run smoke.lua -g nosuch
  kaos: nothing selected; `kaos list` shows what there is
  [5]
  $ kaos lint --format xml smoke.lua
  kaos: --format: xml is not text, json or github
  [64]
  $ kaos show
  kaos: show: name one run, as in `kaos show latest`
  [64]
  $ kaos show nosuch
  kaos: nosuch names no run in .kaos/runs
  [64]
  $ kaos analyze nosuch
  kaos: nosuch names no run in .kaos/runs
  [64]
  $ kaos export nosuch
  kaos: nosuch names no run in .kaos/runs
  [64]
