-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = { value = "avro" } }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {}, ["a b"] = {} }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {}, __offsets = {} }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { "x" }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = 3 }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "z" { topics = { x = { partitions = 1.5 } }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "q" { topics = { x = { config = { ["retention.ms"] = {} } } }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "r" { topics = { x = { existing = "yes" } }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", topic `x`, value: "avro" is not one of "bytes", "json"
--> error 3: scenario "u", topic `a b`: Kafka's topic names have up to 249 letters, digits, `.`, `_`, `-`
--> error 4: scenario "v", topic `__offsets`: names with `__` in front belong to Kafka
--> error 5: scenario "w", topics: entries have names, [1] has none
--> error 6: scenario "y", topic `x`: needs a plain table { ... }, not 3
--> error 7: scenario "z", topic `x`, partitions: 1.5 is not a whole number
--> error 8: scenario "q", topic `x`, config, `retention.ms`: a table is not a string, number or boolean
--> error 9: scenario "r", topic `x`, existing: "yes" is not true or false
