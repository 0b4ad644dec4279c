-- SPDX-License-Identifier: Apache-2.0
-- Limits: what is wrong is said with its column.
local function t(name, thresholds, expect)
  scenario(name) {
    params = { limit = "p99 < 5s" },
    topics = { output = {}, input = {} },
    roles  = { worker = function() end },
    expect = expect or { no_loss { from = "input", to = "output" } },
    thresholds = thresholds,
  }
end
t("a", { ["e2e.latency"] = "p99 < 5x" })
t("b", { ["e2e.latency"] = "p99 < 5" })
t("c", { ["e2e.latency"] = "p101 < 5s" })
t("d", { ["e2e.latency"] = "mean < 5s" })
t("e", { ["e2e.latency"] = "p99 = 5s" })
t("f", { ["e2e.latency"] = "p99 5s" })
t("g", { ["e2e.latency"] = "p99 <" })
t("h", { ["e2e.latency"] = "p99 < 5s or so" })
t("i", { ["e2e.latency"] = "" })
t("j", { ["e2e.latncy"] = "p99 < 5s" })
t("k", { ["outptu.rate"] = "avg > 1/s" })
t("l", { ["output.rate"] = "p99 > 1/s" })
t("m", { ["output.rate"] = "avg > 1/d" })
t("n", { ["output.rate"] = "avg > 1s" })
t("o", { ["e2e.latency"] = { "p99 < 5s", "p99  <  5s" } })
t("p", { ["e2e.latency"] = "p99 < 5s" }, { liveness {} })
t("q", { "p99 < 5s" })
t("r", "p99 < 5s")
t("s", { ["send.latency"] = 5 })
t("u", { ["send.latency"] = param "limti" })
t("v", { ["send.latency"] = "p0 < 5s" })
t("w", { ["send.latency"] = "  avge  < 5s" })
t("x", { ["send.latency"] = "avg < -5s" })
t("y", { ["send.latency"] = "avg < 99999999h" })
--> error 4: scenario "a", thresholds, e2e.latency: in "p99 < 5x" at column 8: unknown unit "x", units are ms, s, m, h
--> error 4: scenario "b", thresholds, e2e.latency: in "p99 < 5" at column 8: a duration needs a unit, write "5s" or "5ms"
--> error 4: scenario "c", thresholds, e2e.latency: in "p101 < 5s" at column 1: "p101" is no percentile, they go from above 0 to 100
--> error 4: scenario "d", thresholds, e2e.latency: in "mean < 5s" at column 1: "mean" is no statistic, write p50, p99, p99.9, avg, min or max (did you mean `max`?)
--> error 4: scenario "e", thresholds, e2e.latency: in "p99 = 5s" at column 5: "=" is not <, <=, > or >=
--> error 4: scenario "f", thresholds, e2e.latency: in "p99 5s" at column 5: needs <, <=, > or >= here, not "5s"
--> error 4: scenario "g", thresholds, e2e.latency: in "p99 <" at column 6: needs a duration like "250ms" or "5s" here, not its end
--> error 4: scenario "h", thresholds, e2e.latency: in "p99 < 5s or so" at column 10: nothing may follow here, not "or"
--> error 4: scenario "i", thresholds, e2e.latency, limit: an empty name
--> error 4: scenario "j", thresholds, e2e.latncy: no such metric (did you mean `e2e.latency`?), there are e2e.latency, send.latency, recovery and TOPIC.rate
--> error 4: scenario "k", thresholds, outptu.rate: no topic `outptu` (did you mean `output`?)
--> error 4: scenario "l", thresholds, output.rate: in "p99 > 1/s" at column 1: a rate has no percentiles, write avg, min or max (of whole seconds)
--> error 4: scenario "m", thresholds, output.rate: in "avg > 1/d" at column 9: "d" is no unit of a rate, units are /s, /m, /h
--> error 4: scenario "n", thresholds, output.rate: in "avg > 1s" at column 8: a rate ends with "/s", "/m" or "/h", not with "s"
--> error 4: scenario "o", thresholds, e2e.latency: "p99  <  5s" stands there twice
--> error 4: scenario "p", thresholds, e2e.latency: latency from where to where? `expect` needs an exactly_once, no_loss or no_duplicates, they name the ends
--> error 4: scenario "q", thresholds: entries have names, [1] has none
--> error 4: scenario "r", thresholds: needs a plain table { ["metric"] = "p99 < 5s" }, not "p99 < 5s"
--> error 4: scenario "s", thresholds, send.latency, limit: 5 is not a string
--> error 4: scenario "u", thresholds, send.latency, limit: no param `limti` (did you mean `limit`?)
--> error 4: scenario "v", thresholds, send.latency: in "p0 < 5s" at column 1: "p0" is no percentile, they go from above 0 to 100
--> error 4: scenario "w", thresholds, send.latency: in "  avge  < 5s" at column 3: "avge" is no statistic, write p50, p99, p99.9, avg, min or max (did you mean `avg`?)
--> error 4: scenario "x", thresholds, send.latency: in "avg < -5s" at column 7: needs a duration like "250ms" or "5s" here, not "-5s"
--> error 4: scenario "y", thresholds, send.latency: in "avg < 99999999h" at column 7: longer than a year
