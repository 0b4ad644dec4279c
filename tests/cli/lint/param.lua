scenario "t" {
  params = { workers = 3 },
  topics = { x = {} },
  roles  = { a = { count = param "wrokers", run = function(w) w:send("x", { value = 1 }) end } },
  expect = { messages { topic = "x" } },
}
