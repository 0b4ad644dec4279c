-- Made from lib/kaos/schema.lua. Do not edit.
std = "lua54"
max_line_length = 100
unused_args = false
self = false
exclude_files = { "build", ".kaos", "tests/lua/bad", "lib/kaos/_meta.lua" }
stds.kaos = {
  read_globals = {
    "scenario",
    "param",
    "env",
    "always",
    "eventually",
    "sometimes",
    "never",
    "invariant",
    "violation",
    "abort",
    "broker",
    "crash",
    "exit",
    "kill",
    "mix",
    "pause",
    "rebalance",
    "accounted",
    "atomic",
    "committed_only",
    "crashed",
    "exactly_once",
    "held_back",
    "late",
    "liveness",
    "markers",
    "messages",
    "no_duplicates",
    "no_loss",
    "order",
    "repeated",
    "saw_aborted",
    "stable_group",
    "takeover",
    "together",
    "unique",
  },
}
files["scenarios/**/*.lua"].std = "lua54+kaos"
files["lib/templates/*.lua"].std = "lua54+kaos"
files["tests/lua/**/*.lua"].std = "lua54+kaos"
