-- SPDX-License-Identifier: Apache-2.0
scenario "t" { roles = { a = function() end }, expect = { exactly_onec { from = "a" } } }
--> error 2: unknown name `exactly_onec`, did you mean `exactly_once`?
