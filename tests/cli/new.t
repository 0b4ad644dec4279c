Two templates; nothing is overwritten; what is written has no errors.

  $ kaos new smoke.lua
  smoke.lua written; next: kaos run smoke.lua
  $ kaos new eos.lua -t eos
  eos.lua written; next: kaos run eos.lua
  $ kaos new eos.lua -t eos
  kaos: new: eos.lua: exists already; nothing was written
  [64]
  $ kaos new a.lua -t nosuch
  kaos: new: no template nosuch; there are: eos, smoke
  [64]
  $ kaos new
  kaos: new: name one file, as in `kaos new eos.lua -t eos`
  [64]
  $ kaos lint smoke.lua eos.lua
  smoke.lua: 1 scenario, no errors
  eos.lua: 1 scenario, no errors
  $ kaos new nowhere/a.lua
  kaos: new: nowhere/a.lua: No such file or directory
  [64]
