scenario "t" {
  topics = { x = {} },
  roles  = { a = function(w) w:send("x", { value = 1 }) end },
  expect = { no_loss { from = "nosuch", to = "x" } },
}
