-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} },
  roles = { a = { run = function() end, conf = { ["session.timeout.ms"] = 4000 } } },
  faults = { pause { role = "a", every = "15s", hold = "2s..4s" } },
  stop = { drain = "5s" },
  expect = { no_loss { from = "x", to = "a" } } }
--> warning 2: scenario "t", stop, drain: 5000 ms are shorter than transaction timeout and clean-up interval together (20000 ms): an abandoned transaction may hold back readers longer
--> warning 4: scenario "t", faults[1] (pause), hold: 4000 ms are not longer than the session timeout of role `a` (4000 ms): the group will not notice this pause
