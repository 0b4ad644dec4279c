-- SPDX-License-Identifier: Apache-2.0
scenario "nodes" {
  params = { parts = 3, victim = "leader of output/2" },
  topics = { output = { partitions = param "parts" } },
  roles  = { worker = function(w) w:log "a group of mine" end },
  faults = {
    broker { action = "kill", at = "1s" },
    broker { action = "kill", node = 2, at = "1s" },
    broker { action = "stop", node = param "victim", at = "1s" },
    broker { action = "pause", node = "group coordinator of a group of mine", at = "1s",
      hold = "1s" },
    broker { action = "restart", node = "transaction coordinator of worker", at = "1s" },
    broker { action = "kill", node = "transaction coordinator of id worker", at = "1s" },
    broker { action = "kill", node = "controller", at = "1s" },
    broker { action = "roll", at = "1s", hold = "1s..2s" },
  },
  expect = { no_loss { from = "output", to = "worker" } },
}

scenario "mixes" {
  params = { stable = "30s" },
  topics = { output = {} },
  roles  = { worker = function() end },
  faults = {
    kill { role = "worker", every = "1s" },
    mix { stable = param "stable",
      pause { role = "worker", every = "2s", hold = "4s" },
      crash { role = "worker", p = 0.1 },
    },
    mix { stable = "5s", broker { action = "roll", every = "1s" } },
  },
  expect = { no_loss { from = "output", to = "worker" } },
}

scenario "thresholds" {
  params = { limit = "p99.9<=1.5m" },
  topics = { input = {}, output = {}, dlq = {} },
  roles  = { worker = function() end },
  expect = {
    always "once" { exactly_once { from = "input", to = "output" } },
    eventually "all" { no_loss { from = "input", to = "output" } },
  },
  faults = { kill { role = "worker", every = "1s" } },
  thresholds = {
    ["e2e.latency"]  = { "p99 < 5s", param "limit" },
    ["send.latency"] = "avg<0.5ms",
    ["output.rate"]  = { "avg > 2k/m", "min >= 1/s" },
    recovery         = "max < 10s",
  },
}

scenario "two ways" {
  topics = { input = {}, output = {}, dlq = {} },
  roles  = { worker = function() end },
  expect = {
    no_loss { from = "input", to = "dlq" },
    no_duplicates { from = "input", to = "output" },
  },
  thresholds = { ["e2e.latency"] = "p50 < 1s" },
}

scenario "instances" {
  topics = { output = {} },
  roles  = { worker = { run = function() end, count = 3 } },
  faults = {
    kill { role = "worker", index = 2, at = "1s" },
    crash { role = "worker", index = 3, at = "1500ms", point = "before_commit" },
    abort { role = "worker", at = "2s" },
    crash { role = "worker", p = 0.5 },
  },
  expect = { no_loss { from = "output", to = "worker" } },
}
