-- SPDX-License-Identifier: Apache-2.0
local function t(name, fault)
  scenario(name) {
    topics = { x = {} }, roles = { a = function() end },
    faults = { fault }, expect = { no_loss { from = "x", to = "a" } },
  }
end
t("a", mix { kill { role = "a", every = "1s" } })
t("b", mix { stable = "5s" })
t("c", mix { stable = "5s", kill { role = "a", at = "1s" } })
t("d", mix { stable = "5s", mix { stable = "5s", kill { role = "a", every = "1s" } } })
t("e", mix { stable = "5s", kill })
t("f", mix { stable = "5s", kill { role = "b", every = "1s" } })
t("g", mix { stable = "5s", nil, kill { role = "a", every = "1s" } })
t("h", mix { stable = "0s", kill { role = "a", every = "1s" } })
t("i", mix { stable = "5s..6s", kill { role = "a", every = "1s" } })
--> error 8: scenario "a", faults[1] (mix): needs `stable`
--> error 9: scenario "b", faults[1] (mix): has no faults, write mix { stable = "30s", kill { ... }, ... }
--> error 10: scenario "c", faults[1] (mix)[1] (kill): a fault in a mix fires while it is on, it needs `every`, not `at`
--> error 11: scenario "d", faults[1] (mix)[1] (mix): a mix holds no other mix
--> error 12: scenario "e", faults[1] (mix)[1]: a function is not a fault, write crash { ... }, kill { ... }, ...
--> error 13: scenario "f", faults[1] (mix)[1] (kill): no role `b` (did you mean `a`?)
--> error 14: scenario "g", faults[1] (mix): has a hole (nil)
--> error 15: scenario "h", faults[1] (mix), stable: must be longer than 0
--> error 16: mix.stable: "5s..6s" is a range, one duration is needed here ("5s")
