# A check that looked at nothing, a fault that never fired, a sometimes never reached: exit 2.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >empty.lua <<'L'
scenario "empty" {
  topics = { numbers = {} },
  roles  = { writer = function(w) w:log "nothing to send" end,
             reader = function(w) for m in w:messages "numbers" do w:log("%s", m.value) end end },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
L
run_kaos run empty.lua --seed 1
expect_code 2
expect "INCONCLUSIVE"
cat >never.lua <<'L'
local roles = { writer = function(w) for i = 1, 20 do w:send("numbers", { value = i }) end end,
                reader = function(w) for m in w:messages "numbers" do w:log("%s", m.value) end end }
scenario "unfired" {
  topics = { numbers = {} }, roles = roles,
  faults = { kill { role = "reader", at = "100s" } },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
scenario "unreached" {
  topics = { numbers = {} }, roles = roles,
  expect = { no_loss { from = "numbers", to = "reader" }, sometimes "pigs fly" },
}
L
run_kaos run never.lua -g unfired --seed 1
expect_code 2
expect "kill"
run_kaos run never.lua -g unreached --seed 1
expect_code 2
expect "pigs fly"
