scenario "t" {
  topics = { x = {} },
  roles  = { a = function(w) w:send("x", { value = 1 }) end },
  faults = { crash { role = "a", p = 2 } },
  expect = { messages { topic = "x" } },
}
