-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = { run = function() end, conf = { ["session.timeout.ms"] = 2000, ["heartbeat.interval.ms"] = 1500 } } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", role `a`, conf: heartbeat.interval.ms (1500) is above half of session.timeout.ms (2000): members would be thrown out while they live
