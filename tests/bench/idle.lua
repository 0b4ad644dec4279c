-- A group in which nothing happens must stay as it is. The faults' clock runs for HOLD.
local MEMBERS <const> = tonumber(env("BENCH_MEMBERS", "100"))

scenario "bench-idle" {
  doc    = "a large group of idle members keeps its generation",
  topics = { quiet = { partitions = MEMBERS } },
  roles  = {
    member = { count = MEMBERS, run = function(w)
      w:reached "measured"
      for m in w:messages "quiet" do w:log("unexpected %d", m.offset) end
    end },
  },
  expect = { sometimes "measured" },
  stop   = { after = env("BENCH_HOLD", "100s"), drain = "30s" },
}
