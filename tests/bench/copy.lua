-- The transactional copy, 1000 records a transaction; TRANSACTIONS after a warm-up. Form "message"
-- hands the record on as it is, form "table" makes a new one.
local TRANSACTIONS <const> = tonumber(env("BENCH_TRANSACTIONS", "20"))
local FORM <const> = env("BENCH_FORM", "message")
local WARM <const>, BATCH <const> = 5, 1000

local send = {
  message = function(tx, batch)
    for _, m in ipairs(batch) do tx:send("out", m) end
  end,
  table = function(tx, batch)
    for _, m in ipairs(batch) do tx:send("out", { from = m, key = m.key, value = m.value }) end
  end,
}

local function copy(producer, consumer, batch)
  local tx <close> = producer:begin(consumer)
  send[FORM](tx, batch)
  assert(tx:commit())
  return #batch
end

scenario "bench-copy" {
  doc    = "what a record costs that a role copies in a transaction",
  topics = {
    input = { partitions = 1, existing = true },
    out   = { partitions = 1, existing = true },
  },
  roles  = {
    copier = function(w)
      local consumer = w:consumer { group = "bench", topics = "input" }
      local producer = w:producer { transactional = true }
      local txns, records = 0, 0
      for batch in consumer:batches { max = BATCH, wait = "1s" } do
        records, txns = records + copy(producer, consumer, batch), txns + 1
        if txns == WARM then w:log("mark begin %d %.6f", records, os.clock()) end
        if txns == WARM + TRANSACTIONS then break end
      end
      w:log("mark end %d %.6f", records, os.clock())
      w:reached "measured"
    end,
  },
  expect = { sometimes "measured" },
  stop   = { drain = "30s" },
}
