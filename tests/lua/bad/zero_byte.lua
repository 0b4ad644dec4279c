-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, doc = "a\0b", expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", doc: a string with a zero byte
