-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "1s", at = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, faults = { pause { role = "a", every = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = function() end }, faults = { broker { every = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, faults = { broker { action = "pause", every = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "z" { topics = { x = {} }, roles = { a = function() end }, faults = { broker { action = "stopp", every = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "q" { topics = { x = {} }, roles = { a = function() end }, cluster = { brokers = 3 }, faults = { broker { action = "kill", node = 4, every = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "r" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { p = 0.5 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "s" { topics = { x = {} }, roles = { a = function() end }, faults = { rebalance { every = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "o" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { role = "a", p = 0.5, point = "after_pol" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "m" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "1s", max = 0 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "n" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "1s", signal = "HUP" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "k" { topics = { x = {} }, roles = { a = function() end }, faults = { kill }, expect = { no_loss { from = "x", to = "a" } } }
scenario "l" { topics = { x = {} }, roles = { a = function() end }, faults = { every = "1s" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "j" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", at = "1s" }, nil, kill { role = "a", at = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "i" { topics = { x = {} }, roles = { a = function() end }, faults = { broker { action = "restart", hold = "1s", at = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "p" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { role = "a" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "e" { topics = { x = {} }, roles = { a = function() end }, faults = { abort { role = "a", p = 0.1, at = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "f" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", index = 0, at = "1s" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", faults[1] (kill): needs `every` or `at`
--> error 3: scenario "u", faults[1] (kill): give `every` or `at`, not both
--> error 4: scenario "v", faults[1] (pause): needs `hold`
--> error 5: scenario "w", faults[1] (broker): needs `action`
--> error 6: scenario "y", faults[1] (broker): a pause needs `hold`
--> error 7: scenario "z", faults[1] (broker), action: "stopp" is not one of "kill", "stop", "pause", "restart", "roll" (did you mean `stop`?)
--> error 8: scenario "q", faults[1] (broker), node: no node 4, the cluster has 3
--> error 9: scenario "r", faults[1] (crash): needs `role`
--> error 10: scenario "s", faults[1] (rebalance): needs `group`
--> error 11: scenario "o", faults[1] (crash), point: no crash point `after_pol` (did you mean `after_poll`?)
--> error 12: scenario "m", faults[1] (kill), max: 0 is too small, at least 1
--> error 13: scenario "n", faults[1] (kill), signal: "HUP" is not one of "KILL", "TERM"
--> error 14: scenario "k", faults[1]: a function is not a fault, write crash { ... }, kill { ... }, ...
--> error 15: scenario "l", faults: a list has no field `every`
--> error 16: scenario "j", faults: has a hole (nil)
--> error 17: scenario "i", faults[1] (broker): a restart has no `hold`
--> error 18: scenario "p", faults[1] (crash): needs `p` or `at`
--> error 19: scenario "e", faults[1] (abort): give `p` or `at`, not both
--> error 20: scenario "f", faults[1] (kill), index: 0 is too small, at least 1
