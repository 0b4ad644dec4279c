-- The exactly-once copy by programs in other languages: `script/workers` builds them. They are
-- black boxes: kaos starts, kills, pauses and ends them, and judges what stands in the log. Each
-- worker has twins, the same program with one bug switched on by its environment.

-- Begins when the workers are up: a JVM takes its time, and faults wait for it.
---@param c kaos.Ctx
local function seed(c)
  for n = 1, c.params.ids do
    c:send("input", { key = n % 64, value = n })
    c:pace(c.params.rate)
  end
  c:done "all ids sent"
end
local controller = { run = seed, start_after = "100ms" }

local TOPICS = {
  input  = { partitions = 4, replicas = 3 },
  output = { partitions = 4, replicas = 3 },
}

---@param language string
---@param bug string
--- Times in milliseconds.
---@param conf { session: integer, transaction: integer, give_up: integer?, protocol: string? }
local function worker(language, bug, conf)
  return {
    exec    = { "eos-worker-" .. language },
    build   = "script/workers " .. language,
    group   = "copy",
    count   = param "workers",
    restart = "500ms",
    -- kaos cannot set this; it is what env says, for the limit of the drain
    conf    = { ["transaction.timeout.ms"] = conf.transaction },
    env     = {
      BOOTSTRAP = "{bootstrap}", GROUP = "copy", INPUT = "input", OUTPUT = "output",
      TRANSACTIONAL_ID = "{role}-{index}", BATCH = 10, WORK_MS = param "work", BUG = bug,
      SESSION_TIMEOUT_MS = conf.session, TRANSACTION_TIMEOUT_MS = conf.transaction,
      GIVE_UP_MS = conf.give_up or 0, GROUP_PROTOCOL = conf.protocol or "classic",
    },
  }
end

local function once() return exactly_once { from = "input", to = "output", id = "value" } end

local STOP <const> = { after = "all ids sent", drain = "60s", timeout = "3m" }

-- What holds of a worker without a bug.
local function right()
  return {
    always     "exactly once"               { once() },
    always     "no aborted reads"           { committed_only { topic = "output" } },
    always     "every marker is in the log" { markers {} },
    eventually "every id arrives"           {
      no_loss { from = "input", to = "output", id = "value" }, within = "60s",
    },
    eventually "the group settles"          { stable_group "copy", within = "60s" },
  }
end

for _, language in ipairs { "python", "java", "go" } do
  scenario("eos-exec/" .. language) {
    doc    = "the " .. language .. " worker copies exactly once under kills, rebalances and pauses",
    tags   = { "eos", "txn", "exec", language },
    params = { workers = 3, ids = 600, rate = "30/s", work = 40 },
    topics = TOPICS,
    roles  = {
      controller = controller,
      worker     = worker(language, "none", { session = 2000, transaction = 5000 }),
    },
    faults = {
      kill      { role = "worker", every = "4s..6s" },
      rebalance { group = "copy", every = "5s..8s" },
      -- longer than the session and shorter than the transaction: the generation must refuse
      pause     { role = "worker", every = "5s..7s", hold = "2500ms..4s" },
      -- longer than both, and replaced meanwhile: the epoch must refuse
      pause     { role = "worker", every = "8s..10s", hold = "7s..8s", replace = true },
    },
    expect = right(),
    stop   = STOP,
  }
end

------------------------------------------------------------------- groups of the consumer protocol

-- The broker assigns (KIP-848), and what a session is, is the broker's to say.
for _, language in ipairs { "python", "java" } do
  scenario("eos-exec/" .. language .. "/consumer-protocol") {
    doc     = "the " .. language .. " worker in a group of the consumer protocol",
    tags    = { "eos", "txn", "exec", language },
    params  = { workers = 3, ids = 400, rate = "30/s", work = 40 },
    cluster = { config = { ["group.consumer.session.timeout.ms"] = 2000,
                           ["group.consumer.heartbeat.interval.ms"] = 300 } },
    topics  = TOPICS,
    roles   = {
      controller = controller,
      worker     = worker(language, "none",
                          { session = 2000, transaction = 5000, protocol = "consumer" }),
    },
    faults  = {
      kill      { role = "worker", every = "4s..6s" },
      rebalance { group = "copy", every = "5s..8s" },
      -- longer than the session and shorter than the transaction: the member's epoch must refuse
      pause     { role = "worker", every = "5s..7s", hold = "2500ms..4s" },
    },
    expect  = right(),
    stop    = STOP,
  }
end

---------------------------------------------------------------------------------------------- twins

local KILLS <const> = { kill { role = "worker", every = "1500ms..3s" } }

local bugs = {
  ["auto-commit"] = {
    doc = "auto-commit left on", faults = KILLS,
    -- librdkafka commits what it has handed out, in the background; the others commit, in the next
    -- poll, what the poll before has returned
    fails_with = { python = "lost", java = "duplicate", go = "duplicate" },
    conf = { session = 2000, transaction = 5000 },
  },
  ["offsets-after-transaction"] = {
    doc = "offsets committed by the consumer after the transaction", faults = KILLS,
    fails_with = { python = "duplicate", java = "duplicate", go = "duplicate" },
    conf = { session = 2000, transaction = 5000 },
  },
  ["no-rewind"] = {
    doc = "no rewind after an abort",
    fails_with = { python = "lost", java = "lost", go = "lost" },
    -- the worker gives up what took longer than that, while session and transaction live on: an
    -- abort without a rebalance, and without a fenced producer, after which no client goes on
    faults = { pause { role = "worker", every = "1500ms..2500ms", hold = "2s..3s" } },
    conf = { session = 12000, transaction = 10000, give_up = 1500 },
  },
}

for _, language in ipairs { "python", "java", "go" } do
  for bug, twin in pairs(bugs) do
    scenario("eos-exec/" .. language .. "/" .. bug) {
      doc        = "the " .. language .. " worker with a bug: " .. twin.doc,
      tags       = { "eos", "exec", "twin", language },
      fails_with = twin.fails_with[language],
      params     = { workers = 3, ids = 400, rate = "30/s", work = 40 },
      topics     = TOPICS,
      roles      = {
        controller = controller,
        worker     = worker(language, bug, twin.conf),
      },
      faults     = twin.faults,
      expect     = { always "exactly once" { once() } },
      stop       = STOP,
    }
  end
end
