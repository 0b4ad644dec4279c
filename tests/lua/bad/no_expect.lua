-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, expect = {} }
--> error 2: scenario "t": expects nothing; a scenario without `expect` can only pass
--> error 3: scenario "u": expects nothing; a scenario without `expect` can only pass
