-- SPDX-License-Identifier: Apache-2.0
-- Nodes by role: topics, partitions and roles must be declared.
local function t(name, node, action)
  scenario(name) {
    params = { parts = 3 },
    topics = { output = { partitions = param "parts" }, plain = {} },
    roles  = { worker = function() end },
    faults = { broker { action = action or "kill", node = node, at = "1s" } },
    expect = { no_loss { from = "output", to = "worker" } },
  }
end
t("a", "leader of outptu/0")
t("b", "leader of output/3")
t("c", "leader of plain/1")
t("d", "leader of output")
t("e", "leeder of output/0")
t("f", "controler")
t("g", "group coordinator")
t("h", "controller of output")
t("i", "transaction coordinator of wroker")
t("j", "any of 2")
t("k", 0)
t("l", true)
t("m", "controller", "roll")
t("n", "leader of output/99999999999999999999")
t("o", "")
--> error 8: scenario "a", faults[1] (broker), node: no topic `outptu` (did you mean `output`?)
--> error 8: scenario "b", faults[1] (broker), node: no partition 3, topic `output` has 3 (0 to 2)
--> error 8: scenario "c", faults[1] (broker), node: no partition 1, topic `plain` has 1 (0 to 0)
--> error 8: scenario "d", faults[1] (broker), node: "leader of output": which partition? write "leader of TOPIC/PARTITION"
--> error 8: scenario "e", faults[1] (broker), node: "leeder of output/0" is no node: write a number from 1, "any", "controller", "leader of TOPIC/PARTITION", "group coordinator of GROUP" or "transaction coordinator of ROLE" (did you mean `leader`?)
--> error 8: scenario "f", faults[1] (broker), node: "controler" is no node: write a number from 1, "any", "controller", "leader of TOPIC/PARTITION", "group coordinator of GROUP" or "transaction coordinator of ROLE" (did you mean `controller`?)
--> error 8: scenario "g", faults[1] (broker), node: "group coordinator": of what? write "group coordinator of ..."
--> error 8: scenario "h", faults[1] (broker), node: "controller of output": "controller" stands alone
--> error 8: scenario "i", faults[1] (broker), node: no role `wroker` (did you mean `worker`?), or write "transaction coordinator of id TRANSACTIONAL-ID"
--> error 8: scenario "j", faults[1] (broker), node: "any of 2": "any" stands alone
--> error 8: scenario "k", faults[1] (broker), node: 0 is not a number of a node (from 1) or "any"
--> error 8: scenario "l", faults[1] (broker), node: true is not a number of a node (from 1) or "any"
--> error 8: scenario "m", faults[1] (broker): a roll takes every node in turn, it has no `node`
--> error 8: scenario "n", faults[1] (broker), node: no partition 99999999999999999999, topic `output` has 3 (0 to 2)
--> error 8: scenario "o", faults[1] (broker), node: "" is no node: write a number from 1, "any", "controller", "leader of TOPIC/PARTITION", "group coordinator of GROUP" or "transaction coordinator of ROLE"
