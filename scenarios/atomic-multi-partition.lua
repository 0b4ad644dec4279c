-- Claim: a transaction that writes several partitions of several topics is there as a whole or not
-- at all, wherever its writer dies.
-- A writer makes transfers: one record each in `debits`, `credits` and `journal`, which the key
-- spreads over their partitions. It dies between them, and begins with new transfers when it is
-- back; nobody finishes the old ones. A second reader shows that there was something to hide.
-- The twin writes the same three records without a transaction: halves of transfers stay.

local function names() return { "debits", "credits", "journal" } end

---@param w kaos.Ctx
local function transfer(w, n)
  local id = ("transfer-%d-%d"):format(w.incarnation, n)
  return {
    debits  = { key = ("account-%d"):format(w:int(1, 40, "from", id)), value = id },
    credits = { key = ("account-%d"):format(w:int(1, 40, "to", id)), value = id },
    journal = { key = id, value = id },
  }
end

---@param w kaos.Ctx
local function in_transactions(w)
  local producer = w:producer { transactional = true }
  for n = 1, w.params.transfers do
    local records = transfer(w, n)
    local tx <close> = producer:begin()
    for _, topic in ipairs(names()) do
      tx:send(topic, records[topic])
      producer:flush()                                 -- it is in the log before the next one
    end
    tx:commit()
  end
end

---@param w kaos.Ctx
local function one_by_one(w)
  local producer = w:producer { idempotent = true }
  for n = 1, w.params.transfers do
    local records = transfer(w, n)
    for _, topic in ipairs(names()) do
      producer:send(topic, records[topic])
      producer:flush()
    end
  end
end

---@param isolation "read_committed"|"read_uncommitted"
local function reader(isolation)
  ---@param r kaos.Ctx
  return function(r)
    local consumer = r:consumer { topics = names(), isolation = isolation }
    local n = 0
    for _ in consumer:messages() do n = n + 1 end
    r:log("read %d records", n)
  end
end

local function topics()
  local t = {}
  for i, name in ipairs(names()) do t[name] = { partitions = 4 - i } end
  return t
end

scenario "atomic-multi-partition" {
  doc    = "a transaction over partitions and topics is there as a whole or not at all",
  tags   = { "txn", "atomic", "claim" },
  params = { transfers = 60 },
  topics = topics(),
  roles  = {
    writer = { run = in_transactions, restart = "100ms" },
    reader = reader "read_committed",
    spy    = reader "read_uncommitted",
  },
  faults = { crash { role = "writer", p = 0.08, max = 6 } },
  expect = {
    always    "transfers are whole" { together { topics = names(), id = "value" } },
    always    "transactions are whole" { atomic {} },
    always    "a reader sees no half" {
      committed_only { topic = "debits", role = "reader" },
      committed_only { topic = "credits", role = "reader" },
      committed_only { topic = "journal", role = "reader" },
    },
    sometimes "died inside a transaction" {
      crashed { role = "writer", point = { "before_send", "after_send", "before_commit" } },
    },
    sometimes "a half was in the log" { messages { topic = "debits", aborted = true } },
    sometimes "the other reader saw it" { saw_aborted { topic = "debits", role = "spy" } },
  },
  stop   = { drain = "20s", timeout = "1m" },
}

scenario "atomic-multi-partition/one-by-one" {
  doc        = "the same records without a transaction",
  tags       = { "atomic", "twin" },
  fails_with = "torn_write",
  params     = { transfers = 60 },
  topics     = topics(),
  roles      = { writer = { run = one_by_one, restart = "100ms" } },
  faults     = { crash { role = "writer", p = 0.08, max = 6, point = "before_send" } },
  expect     = { always "transfers are whole" { together { topics = names(), id = "value" } } },
  stop       = { drain = "20s", timeout = "1m" },
}
