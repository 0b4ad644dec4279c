# A roll restarts every node once, each when the one before it serves again: of a real cluster and of
# the embedded one.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >roll.lua <<'L'
local function source(c)
  for n = 1, c.params.seconds * 10 do c:send("input", { key = n, value = n }) c:pace "10/s" end
  c:done "sent"
end
local function reader(r)
  for m in r:messages "input" do r:log("%s", m.value) end
end
scenario "roll" {
  cluster = { brokers = 3 }, params = { seconds = 35 },
  topics = { input = { partitions = 3, replicas = 3 } },
  roles  = { source = source, reader = reader },
  faults = { broker { action = "roll", at = "500ms" } },
  expect = { no_loss { from = "input", to = "reader" } },
  stop   = { after = "sent", drain = "60s" },
}
L
# rolls CLUSTER SECONDS: how long the source writes, so that the roll comes to its end
rolls() {
    run_kaos run roll.lua --seed 1 --cluster "$1" -p "seconds=$2"
    expect_code 0
    run_kaos export latest -o all.jsonl
    python3 - <<'P' || fail "the nodes were not restarted in turn"
import json
seen = []
for line in open("all.jsonl"):
    e = json.loads(line)
    if e["kind"] == "node":
        seen.append((e["fields"]["node"], e["fields"]["what"]))
nodes = [n for n, what in seen if what == "down"]
assert sorted(nodes) == [1, 2, 3], seen
assert seen == [x for n in nodes for x in ((n, "down"), (n, "up"))], seen
P
}
rolls embedded 5
rolls kafka 35
