-- The producer's loop; RECORDS after a warm-up. Form "table" writes each record as a table, form
-- "plain" gives value and key, form "message" is in copy.lua.
local RECORDS <const> = tonumber(env("BENCH_RECORDS", "20000"))
local FORM <const> = env("BENCH_FORM", "table")
local WARM <const>, KEYS <const> = 1000, 64
local VALUE <const> = ("x"):rep(100)

local send = {
  table = function(producer, records)
    for n = 1, records do producer:send("out", { key = n % KEYS, value = VALUE }) end
  end,
  plain = function(producer, records)
    for n = 1, records do producer:send("out", VALUE, n % KEYS) end
  end,
}

scenario "bench-produce" {
  doc    = "what a record costs that a role sends",
  topics = { out = { partitions = 1, existing = true } },
  roles  = {
    producer = function(w)
      local producer, loop = w:producer {}, send[FORM]
      loop(producer, WARM)
      assert(producer:flush())
      w:log("mark begin 0 %.6f", os.clock())
      loop(producer, RECORDS)
      assert(producer:flush())
      w:log("mark end %d %.6f", RECORDS, os.clock())
      w:reached "measured"
    end,
  },
  expect = { sometimes "measured" },
  stop   = { drain = "30s" },
}
