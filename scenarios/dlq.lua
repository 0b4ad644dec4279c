-- A dead-letter queue: a record that cannot be handled is given up after some attempts, and written
-- to the topic `dlq` in the same transaction as its offset, with headers that say what was wrong,
-- where it came from and how often it was tried.
-- Claim: every poison record is in `dlq` exactly once, every other one in `output` exactly once,
-- none in both, although workers die at any point and transactions are aborted.
-- The twins: poison is skipped without a letter; the letter is written outside the transaction.

local MAX_TRIES <const> = 3

---@param w kaos.Ctx
local function writer(w)
  for n = 1, w.params.records do
    local partition = n % 2
    local poison = n == 1 or w:chance(w.params.poison, "poison", n)
    local offset = w:send("input", { key = n, partition = partition,
                                     value = { n = n, poison = poison } })
    if poison then
      w:emit("dead letter", { n = n, where = ("input[%d]@%d"):format(partition, offset) })
    end
    w:pace(w.params.rate)
  end
  w:done "all records sent"
end

-- What is done with a record: poison never works, some others only the second time.
local function handle(w, m, try)
  if m.value.poison then return nil, "poison" end
  if try == 1 and w:chance(0.1, "hiccup", m.value.n) then return nil, "hiccup" end
  return true
end

-- The number of attempts, and the error if the last one failed too.
local function attempts(w, m)
  local ok, why
  for try = 1, MAX_TRIES do
    ok, why = handle(w, m, try)
    if ok then return try end
  end
  return MAX_TRIES, why
end

local function letter(m, tries, why)
  return { from = m, key = m.key, value = m.value, headers = {
    { "error", why }, { "attempts", tostring(tries) }, { "topic", m.topic },
    { "partition", tostring(m.partition) }, { "offset", tostring(m.offset) },
  } }
end

---@param bury fun(w: kaos.Ctx): fun(tx: kaos.Tx, record: table)  what becomes of a dead letter
local function worker(bury)
  ---@param w kaos.Ctx
  return function(w)
    local consumer = w:consumer {
      group = "handlers", topics = "input", on_assign = function() w:done "somebody reads" end,
    }
    local producer = w:producer { transactional = true }
    local write = bury(w)
    for batch in consumer:batches { max = 5, wait = "50ms" } do
      local tx <close> = producer:begin(consumer)
      for _, m in ipairs(batch) do
        local tries, why = attempts(w, m)
        if why then
          write(tx, letter(m, tries, why))
        else
          tx:send("output", { from = m, key = m.key, value = m.value })
        end
      end
      tx:commit()
    end
  end
end

-- Somebody looks after the dead letters.
---@param w kaos.Ctx
local function keeper(w)
  local consumer = w:consumer { topics = "dlq", isolation = "read_committed" }
  for m in consumer:messages() do
    w:emit("dead letter", {
      n = m.value.n, read = true, error = m:header "error", attempts = m:header "attempts",
      where = ("%s[%s]@%s"):format(m:header "topic", m:header "partition", m:header "offset"),
    })
  end
end

-- Of each poison record: where it was written, and what its letter says.
local told = invariant "letters tell their story" {
  on    = "dead letter",
  init  = function() return { sent = {}, read = {} } end,
  step  = function(letters, ev)
    local side = ev.read and letters.read or letters.sent
    side[ev.n] = ev
    if ev.read and (ev.error ~= "poison" or ev.attempts ~= tostring(MAX_TRIES)) then
      return violation("the letter of record %d says error %s, attempts %s", ev.n,
        tostring(ev.error), tostring(ev.attempts), { ev })
    end
  end,
  final = function(letters)
    for n, sent in pairs(letters.sent) do
      local read = letters.read[n]
      if not read then return violation("nobody read a letter of record %d", n, { sent }) end
      if read.where ~= sent.where then
        return violation("record %d stands at %s, its letter says %s", n, sent.where, read.where,
          { sent, read })
      end
    end
  end,
}

local function poisoned(m) return m.value.poison and m.value.n or nil end
local function healthy(m) return not m.value.poison and m.value.n or nil end

local function into_transaction()
  return function(tx, record) tx:send("dlq", record) end
end

local twins = {
  ["skip"] = {
    doc = "a record that fails too often is skipped", fails_with = "lost",
    bury = function() return function() end end,
  },
  ["outside"] = {
    doc = "dead letters are written outside the transaction", fails_with = "duplicate",
    bury = function(w)
      local plain = w:producer { idempotent = true }
      return function(_, record)
        plain:send("dlq", record)
        plain:flush()
      end
    end,
  },
}

local function system(bury, faults)
  return {
    params = { workers = 2, records = 200, poison = 0.15, rate = "40/s", session = 2000 },
    topics = {
      input  = { partitions = 2, value = "json" },
      output = { partitions = 2, value = "json" },
      dlq    = { partitions = 1, value = "json" },
    },
    roles  = {
      writer = { run = writer, start_after = "somebody reads" },
      worker = { run = worker(bury), count = param "workers", restart = "300ms",
                 conf = { ["session.timeout.ms"] = param "session",
                          ["transaction.timeout.ms"] = 6000 } },
      keeper = keeper,
    },
    faults = faults,
    expect = {
      always "every poison record is in the DLQ once" {
        exactly_once { from = "input", to = "dlq", id = poisoned },
      },
      always "every record ends in one place" {
        accounted { from = "input", to = { "output", "dlq" } },
      },
      always "the rest is handled once" {
        exactly_once { from = "input", to = "output", id = healthy },
      },
    },
    stop   = { after = "all records sent", drain = "25s", timeout = "1m" },
  }
end

local right = system(into_transaction, {
  crash { role = "worker", p = 0.06, point = "any", max = 3 },
  abort { role = "worker", p = 0.2, max = 6 },
})
right.doc = "every poison record reaches the dead-letter queue exactly once, the rest is unaffected"
right.tags = { "errors", "txn" }
right.expect[#right.expect + 1] = always "a letter says what failed and where" { told }
right.expect[#right.expect + 1] = sometimes "a poison record reached the DLQ" {
  messages { topic = "dlq", at_least = 1 },
}
scenario "dlq" (right)

for bug, twin in pairs(twins) do
  local wrong = system(twin.bury, { abort { role = "worker", p = 0.15 } })
  wrong.doc = twin.doc
  wrong.tags = { "errors", "twin" }
  wrong.fails_with = twin.fails_with
  scenario("dlq/" .. bug)(wrong)
end
