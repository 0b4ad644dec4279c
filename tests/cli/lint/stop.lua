scenario "t" {
  topics = { x = {} },
  roles  = { a = function(w) w:send("x", { value = 1 }) w:done "all" end },
  expect = { messages { topic = "x" } },
  stop   = { afetr = "all" },
}
