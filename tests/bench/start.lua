-- How long a role takes from its spawn to its first line of Lua: it is killed and started again and
-- again, so that one start runs at a time.
scenario "bench-start" {
  doc    = "how fast a role process starts",
  topics = { unused = {} },
  roles  = {
    starter = { restart = "100ms", run = function(w)
      w:log "here"
      w:reached "measured"
      w:sleep "1h"
    end },
  },
  faults = { kill { role = "starter", every = "400ms" } },
  expect = { sometimes "measured" },
  stop   = { after = "12s", drain = "30s" },
}
