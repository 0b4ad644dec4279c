-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, doc = ("d"):rep(5000), expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, tags = { ("t"):rep(5000) }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", doc: a string of more than 4096 bytes
--> error 3: scenario "u", tags: [1]: a string of more than 4096 bytes
