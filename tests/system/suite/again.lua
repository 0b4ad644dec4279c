-- For sweeps on a cluster that is there: the topics of copy/drops, after it has made them.
local SUITE <const> = env("SUITE", "suite")
local from, to = SUITE .. "-drops-in", SUITE .. "-drops-out"

scenario "drops" {
  params = { odd = false },
  topics = { [from] = { existing = true }, [to] = { existing = true } },
  roles = {
    writer = function(w) for i = 1, 10 do w:send(from, { value = i }) end end,
    copier = function(w)
      for m in w:messages(from) do
        if w.params.odd or m.value % 2 == 0 then w:send(to, { from = m, value = m.value }) end
      end
    end,
  },
  expect = { eventually "every id arrives" { no_loss { from = from, to = to, id = "value" } } },
}
