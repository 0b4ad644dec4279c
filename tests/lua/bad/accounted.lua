local function run() end
local function sc(name, p)
  scenario(name) {
    topics = { input = {}, output = {}, dlq = {} },
    roles = { a = run },
    expect = { p },
  }
end
sc("same", accounted { from = "input", to = { "output", "input" } })
sc("twice", accounted { from = "input", to = { "dlq", "dlq" } })
sc("unknown", accounted { from = "input", to = { "output", "dlp" } })
sc("none", accounted { from = "input", to = {} })
sc("role", accounted { from = "a", to = "output" })
sc("lacks", takeover { group = "g" })
sc("bare", takeover { group = "g", within = 5 })
--> error 9: scenario "same", expect[1] (accounted): `from` and `to` are the same
--> error 10: scenario "twice", expect[1] (accounted), to: "dlq" stands there twice
--> error 11: scenario "unknown", expect[1] (accounted), to: no topic or role `dlp` (did you mean `dlq`?)
--> error 12: scenario "none", expect[1] (accounted), to: an empty list
--> error 13: scenario "role", expect[1] (accounted), from: no topic `a`
--> error 14: scenario "lacks", expect[1] (takeover): needs `within`
--> error 15: scenario "bare", expect[1] (takeover), within: a duration needs a unit, write "5s" or "5ms"
