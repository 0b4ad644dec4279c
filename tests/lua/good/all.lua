-- SPDX-License-Identifier: Apache-2.0
local mod = require "tools.mod"
for _, bug in ipairs { "none", "one" } do
  scenario("all/" .. bug) {
    doc = "every field", tags = { "a", "b" },
    params = { n = { 3, "a number", min = 1, max = 9 }, p = 0.25, s = "5s", b = true },
    cluster = { brokers = 3, kind = "kafka:4.3.1", config = { ["x.y"] = 5 } },
    topics = { input = { partitions = 4, replicas = 2, config = { ["retention.ms"] = -1 } },
      output = { value = "json", existing = true } },
    roles = {
      src = function(w)
        w:done "all sent" w:reached "reached" w:assert(true, "asserted")
        if mod.answer() ~= 42 then w:reached "bad" end
      end,
      plain = function() return mod.answer(), "g" end,
      work = { run = function() return bug end, count = param "n", restart = "2.5s",
        conf = { ["session.timeout.ms"] = 2000, flag = true, ratio = 0.5 }, env = { A = "b" } },
      last = { run = function() end, restart = "never" },
    },
    faults = {
      crash { role = "work", p = param "p", per = "batch", point = { "after_poll",
        "in_on_revoke" }, max = 7 },
      exit { role = { "src", "work" }, at = "3s" }, kill { role = "work", every = "1s..2s",
        signal = "TERM" },
      pause { role = "work", every = param "s", hold = "4s..6s", replace = true },
        abort { role = "work", p = 1 },
      rebalance { group = "g", every = "5s..10s" }, broker { action = "kill", node = "any",
        every = "10s", hold = "3s" },
    },
    expect = {
      always "exact" { exactly_once { from = "input", to = "output", id = "header:n", times = 2 },
        no_duplicates { from = "input", to = "output", id = "key" } },
      eventually "arrives" { no_loss { from = "input", to = "work",
        id = function(m) return m.value end }, within = "40s" },
      sometimes "died" { crashed { role = "work", point = "any", at_least = 2 } },
        sometimes "reached", never "bad", always "asserted",
      never "too many" { messages { topic = "output", at_least = 1000 } },
      committed_only "output", atomic {}, markers "input", order { topic = "output",
        per = "key" }, stable_group "g", liveness {},
      always "own" { invariant "sorted" { on = "e", init = function() return { last = 0 } end,
        step = function(st, ev)
        if ev.n < st.last then return violation("%d after %d", ev.n, st.last, { ev }) end
        st.last = ev.n
      end } },
      never "late" { late { from = "input", to = "output", id = "value", over = "3s" },
        held_back { topic = "output", over = "2500ms", at_least = 2 } },
      sometimes "seen" { saw_aborted { topic = "output", role = "work" },
        messages { topic = "output", aborted = true },
        repeated { from = "input", to = "output" } },
      always "ids" { unique { topic = "output", id = "key" },
        together { topics = { "input", "output" }, id = "header:n", times = 2 },
        committed_only { topic = "input", role = { "work", "plain" } } },
    },
    stop = { after = "all sent", drain = "45s", timeout = "3m" },
    fails_with = bug ~= "none" and { "lost", "invariant" } or nil,
  }
end
