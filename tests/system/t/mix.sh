# A mix turns its faults on and off: nothing fires in a period without it, what is held is let go at
# the end of a period, and one period has none. --no-faults has no periods.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >mix.lua <<'L'
local function source(c)
  for n = 1, 300 do c:send("input", { key = n, value = n }) c:pace "20/s" end
  c:done "sent"
end
local function worker(w)
  local consumer = w:consumer { group = "copy", topics = "input" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "200ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do tx:send("output", { from = m, key = m.key, value = m.value }) end
    tx:commit()
  end
end
scenario "mix" {
  topics = { input = { partitions = 2 }, output = { partitions = 2 } },
  roles  = { source = source, worker = { run = worker, count = 2, restart = "200ms" } },
  faults = { mix { stable = "3s",
    pause { role = "worker", every = "700ms", hold = "4s" },
    crash { role = "worker", p = 0.2 },
    rebalance { group = "copy", every = "500ms" } } },
  expect = { always "once" { exactly_once { from = "input", to = "output" } } },
  stop   = { after = "sent", drain = "40s" },
}
L
run_kaos run mix.lua --seed 1
expect_code 0
run_kaos export latest -o all.jsonl
expect_code 0
python3 - <<'P' || fail "faults fired outside of their periods"
import json
names, on, calm, fired, held = ["pause", "crash", "rebalance"], set(), 0, 0, 0
for line in open("all.jsonl"):
    e = json.loads(line)
    f = e["fields"]
    if e["kind"] == "crash":
        assert f["fault"] in on, e
        fired += 1
    if e["kind"] != "fault":
        continue
    edge, number = f["edge"], f["fault"]
    if edge == "period":
        calm += f["detail"] == "none"
    elif edge == "on":
        on.add(number)
    elif edge == "off":
        on.discard(number)
    elif edge in ("fire", "begin"):
        assert number in on, e
        fired += 1
        held += edge == "begin"
    elif edge == "end":
        held -= 1
assert calm >= 1 and fired >= 3 and held == 0 and not on, (calm, fired, held, on)
P
run_kaos run mix.lua --seed 1 --no-faults
expect_code 0
run_kaos export latest -o none.jsonl
! grep -q '"edge":"period"' none.jsonl || fail "a mix went on without faults"
