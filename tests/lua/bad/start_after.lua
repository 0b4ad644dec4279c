local function run() end
scenario "empty" {
  roles = { a = { run = run, start_after = {} } },
  expect = { sometimes "x" },
}
scenario "number" {
  roles = { a = { run = run, start_after = 5 } },
  expect = { sometimes "x" },
}
scenario "second" {
  roles = { a = { run = run, start_after = { "1s", "2" } } },
  expect = { sometimes "x" },
}
scenario "param" {
  params = { late = "1s" },
  roles = { a = { run = run, start_after = { "1s", param "lat" } } },
  expect = { sometimes "x" },
}
--> error 2: scenario "empty", role `a`, start_after: is empty, write a name, a duration or a list of them
--> error 6: scenario "number", role `a`, start_after: a duration needs a unit, write "5s" or "5ms"
--> error 10: scenario "second", role `a`, start_after: [2]: a duration needs a unit, write "2s" or "2ms"
--> error 14: scenario "param", role `a`, start_after: no param `lat` (did you mean `late`?)
