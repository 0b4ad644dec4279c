-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end },
  stop = { drain = "60s" },
  expect = { eventually "x" { no_loss { from = "x", to = "a" }, within = "90s" } } }
--> error 4: scenario "t", expect[1] (eventually "x"), within: 90000 ms are longer than the drain (60000 ms), raise stop.drain
