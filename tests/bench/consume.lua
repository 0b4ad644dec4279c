-- The consumer's loop, from the first record to the last of RECORDS.
local RECORDS <const> = tonumber(env("BENCH_RECORDS", "20000"))
-- More than is read, as in the C loop: at its limit of 100,000 records librdkafka stops fetching
-- for a whole second, and the figure would say who gets there.
local PREFETCH <const> = {
  ["queued.min.messages"] = 10000000,
  ["queued.max.messages.kbytes"] = 1000000,
}

scenario "bench-consume" {
  doc    = "what a record costs that a role is given",
  topics = { feed = { partitions = 1, existing = true } },
  roles  = {
    consumer = function(w)
      local consumer = w:consumer { topics = "feed", conf = PREFETCH }
      local n, bytes, last = 0, 0, 0
      for m in consumer:messages() do
        n = n + 1
        bytes, last = bytes + #m.value, m.offset
        if n == 1 then w:log("mark begin 1 %.6f", os.clock()) end
        if n == RECORDS then break end
      end
      w:log("mark end %d %.6f", n, os.clock())
      w:log("%d bytes up to offset %d", bytes, last)
      w:reached "measured"
    end,
  },
  expect = { sometimes "measured" },
  stop   = { drain = "30s" },
}
