-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { role = "a", p = 2 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, faults = { abort { role = "a", p = "2%" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { role = "a", p = -0.1 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { role = "a", p = 0/0 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, params = { p = 2 }, faults = { crash { role = "a", p = param "p" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", faults[1] (crash), p: 2 is not a probability, write 0..1 (2 % is 0.02)
--> error 3: scenario "u", faults[1] (abort), p: 2% is not a probability, write 0..1 (2 % is 0.02)
--> error 4: scenario "v", faults[1] (crash), p: -0.1 is not a probability, write 0..1 (2 % is 0.02)
--> error 5: scenario "w", faults[1] (crash), p: -nan is not a probability, write 0..1 (2 % is 0.02)
--> error 6: scenario "y", faults[1] (crash), p: 2 is not a probability, write 0..1 (2 % is 0.02)
