-- The exactly-once copy by each client library that is tested against the embedded broker: short,
-- with kills, rebalances and pauses that outlast the session, slow ends of transactions, and
-- connections that die around a request. tests/system/t/client-*.sh run them.

local SESSION <const>, TRANSACTION <const> = 1500, 4000 -- milliseconds

---@param c kaos.Ctx
local function seed(c)
  for n = 1, c.params.ids do
    c:send("input", { key = n % 64, value = n })
    c:pace(c.params.rate)
  end
  c:done "all ids sent"
end

---@param protocol string?  of the group, "classic" by default
local function program(language, count, protocol)
  return {
    exec    = { "eos-worker-" .. language },
    build   = "script/workers " .. language,
    group   = "copy",
    count   = count,
    restart = "100ms",
    conf    = { ["transaction.timeout.ms"] = TRANSACTION }, -- what env says
    env     = {
      BOOTSTRAP = "{bootstrap}", GROUP = "copy", INPUT = "input", OUTPUT = "output",
      TRANSACTIONAL_ID = "{role}-{index}", BATCH = 10, WORK_MS = 10,
      SESSION_TIMEOUT_MS = SESSION, TRANSACTION_TIMEOUT_MS = TRANSACTION,
      GROUP_PROTOCOL = protocol or "classic",
    },
  }
end

-- kaos's own roles: librdkafka as it is linked
---@param w kaos.Ctx
local function copy(w)
  local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "200ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do
      tx:send("output", { from = m, key = m.key, value = m.value })
      w:sleep "10ms"
    end
    tx:commit()
  end
end

local workers = {
  librdkafka = {
    run = copy, count = 3, restart = "100ms",
    conf = { ["session.timeout.ms"] = SESSION, ["transaction.timeout.ms"] = TRANSACTION },
  },
  python = program("python", 3),
  java   = program("java", 2),
  go     = program("go", 3),
  ["python-consumer"] = program("python", 3, "consumer"),
  ["java-consumer"]   = program("java", 2, "consumer"),
}

for name, worker in pairs(workers) do
  scenario("client/" .. name) {
    params = { ids = 160, rate = "50/s", completion = 100, lost = 2 },
    cluster = { config = {
      ["kaos.completion.max.ms"] = param "completion",
      ["kaos.lost.connections.percent"] = param "lost",
      -- groups of the consumer protocol do not choose their session
      ["group.consumer.session.timeout.ms"] = SESSION,
      ["group.consumer.heartbeat.interval.ms"] = SESSION // 6,
    } },
    topics = { input = { partitions = 4 }, output = { partitions = 4 } },
    roles  = { controller = { run = seed, start_after = "100ms" }, worker = worker },
    faults = {
      kill      { role = "worker", every = "800ms..1500ms", max = 2 },
      rebalance { group = "copy", every = "600ms..900ms" },
      pause     { role = "worker", at = "1s", hold = "2s" },
    },
    expect = {
      always     "exactly once"               {
        exactly_once { from = "input", to = "output", id = "value" },
      },
      always     "no aborted reads"           { committed_only { topic = "output" } },
      always     "every marker is in the log" { markers {} },
      eventually "every id arrives"           {
        no_loss { from = "input", to = "output", id = "value" }, within = "30s",
      },
      eventually "the group settles"          { stable_group "copy", within = "30s" },
    },
    stop   = { after = "all ids sent", drain = "30s", timeout = "1m" },
  }
end
