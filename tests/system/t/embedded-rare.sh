# What the embedded broker does on purpose: connections that die on either side of an append, ends of
# transactions that take their time. An exactly-once loop survives both; a producer without idempotence
# does not, which proves that outcomes were unknown.
. "$KAOS_ROOT/tests/system/lib.sh"
export JAVA_HOME=/nowhere

cat >rare.lua <<'L'
local rare <const> = {
  config = { ["kaos.completion.max.ms"] = "80", ["kaos.lost.connections.percent"] = "8" },
}
local function sender(idempotent)
  return function(s)
    local producer = s:producer { idempotent = idempotent, conf = {
    ["linger.ms"] = 0, ["reconnect.backoff.max.ms"] = 200 } }
    for n = 1, 200 do
      producer:send("input", { value = n })
      s:pace "100/s"
    end
  end
end
local function copy(w)
  local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "200ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do tx:send("output", { from = m, value = m.value }) end
    tx:commit()
  end
end
scenario "loop" {
  cluster = rare,
  topics  = { input = { partitions = 3 }, output = { partitions = 3 } },
  roles   = { sender = { run = sender(true), restart = "never" },
              worker = { run = copy, count = 2, conf = {
                ["session.timeout.ms"] = 2000, ["reconnect.backoff.max.ms"] = 200 } } },
  expect  = {
    always     "exactly once"     { exactly_once { from = "input", to = "output", id = "value" } },
    always     "one transaction"  { markers {} },
    eventually "every id arrives" { no_loss { from = "input", to = "output", id = "value" }, within = "30s" },
  },
}
scenario "plain" {
  fails_with = "duplicate",
  cluster = rare,
  topics  = { input = { partitions = 3 } },
  roles   = { sender = { run = sender(false), restart = "never" } },
  expect  = { always "each once" { exactly_once { from = "sender", to = "input" } } },
}
L
for level in 1 2; do
    run_kaos run rare.lua loop --cluster "embedded:transaction-version=$level" --seed 1
    expect_code 0
    expect "PASS loop"
    wait_for 5 none_left
done
run_kaos run rare.lua plain --cluster embedded --seed 1
expect_code 0
expect "FAIL plain as declared"
wait_for 5 none_left

# a real Kafka does no such thing
run_kaos run rare.lua plain --cluster kafka --seed 1
expect_code 4
expect "only the embedded broker has the property"
