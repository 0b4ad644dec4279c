scenario "t" {
  topics = { x = {} },
  roles  = { a = function(w) w:send("x", { value = 1 }) end },
  faults = { kill { role = "a" } },
  expect = { messages { topic = "x" } },
}
