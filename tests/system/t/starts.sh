# Instances that start when others have said something, or later; one that never starts is said. A
# reader without a group that does nothing else is waited for by the drain, and the drain ends.
. "$KAOS_ROOT/tests/system/lib.sh"

cat >starts.lua <<'L'
local function reader(w)
  local consumer = w:consumer { topics = "numbers", group = false }
  w:done(("reader %d"):format(w.index))
  for _ in consumer:messages() do w:reached "read" end
end
local function silent(w)
  local consumer = w:consumer { topics = "numbers", group = false }
  for _ in consumer:messages() do w:sleep "1ms" end
end
local function writer(w)
  for i = 1, 20 do w:send("numbers", { value = i }) end
  w:done "sent"
end
local function sc(name, second)
  scenario(name) {
    topics = { numbers = { partitions = 2 } },
    roles  = {
      writer = { run = writer, start_after = "reader 2" },
      reader = { run = reader, count = 2, start_after = { "300ms", second } },
      silent = { run = silent, count = 2 },
      last   = { run = function(w) w:done "all" end, start_after = "sent" },
    },
    expect = {
      no_loss { from = "numbers", to = "silent" },
      no_loss { from = "numbers", to = "reader" },
      sometimes "read",
    },
    stop   = { after = "all", drain = "20s", timeout = "15s" },
  }
end
sc("right", "reader 1")
L
sed 's/sc("right", "reader 1")/sc("never", "nobody says so")/; s/timeout = "15s"/timeout = "2s"/; s/numbers/others/g' \
    starts.lua >never.lua

# positions that on_assign returns and that make no sense: one scenario for each
position() {
    cat <<L
scenario "$1" {
  topics = { $1 = {} },
  roles  = { reader = function(w)
    local consumer = w:consumer { topics = "$1", group = "g",
                                  on_assign = function() return { $2 } end }
    for m in consumer:messages() do w:log("%s", m.value) end
  end },
  expect = { messages { topic = "$1" } },
  stop   = { after = "1s" },
}
L
}
position far '{ "far", 9, 0 }' >far.lua
position odd '{ "odd", 0, "start" }' >odd.lua
position flat '"end"' >flat.lua

run_kaos run starts.lua --seed 1
expect_code 0
expect "20 judged"
run_kaos run never.lua --seed 1
expect_code 2
expect "an instance was never started: reader-2 waited for \"nobody says so\""
expect "an instance was never started: writer-1 waited for \"reader 2\""
try() {
    run_kaos run "$1.lua" --seed 1
    expect_code 3
    expect "$2"
}
try far "far[9] is not being assigned"
try odd "start is no position; write an offset"
try flat "it returns a list of"
