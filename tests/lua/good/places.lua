-- Instances that start later, and predicates with several places or a limit.
scenario "places" {
  params = { late = "2s", session = 2000 },
  topics = { input = {}, output = {}, dlq = {} },
  roles  = {
    first  = function() end,
    named  = { run = function() end, count = 2, start_after = "first is done" },
    timed  = { run = function() end, start_after = param "late" },
    rising = { run = function() end, count = 4, start_after = { "0s", "first is done", "1s" } },
  },
  expect = {
    always "somewhere" { accounted { from = "input", to = { "output", "dlq", "named" } } },
    accounted { from = "input", to = "dlq", id = "key" },
    takeover { group = "g", within = "1500ms" },
  },
}
