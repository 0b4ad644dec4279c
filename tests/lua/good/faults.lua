-- SPDX-License-Identifier: Apache-2.0
scenario "nodes" {
  params = { parts = 3, victim = "leader of output/2" },
  topics = { output = { partitions = param "parts" } },
  roles  = { worker = function() end },
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
