# The history's disk is full: an error with a name and exit code 4, no SIGBUS, no hang; what is there
# can be read, and is never judged PASS.
. "$KAOS_ROOT/tests/system/lib.sh"
mkdir store
mount -t tmpfs -o size=20m none store 2>/dev/null || skip "no right to mount a tmpfs here"
trap 'umount -l store 2>/dev/null || true' EXIT
cat >full.lua <<'L'
scenario "full" {
  topics = { numbers = {} },
  roles  = { writer = function(w)
    for i = 1, 1000000 do
      w:log(("a line of two hundred bytes "):rep(7) .. "%d", i)
      if i % 100 == 0 then w:send("numbers", { value = i }) end
    end
  end },
  expect = { messages { topic = "numbers" } },
  stop   = { timeout = "60s" },
}
L
run_kaos run full.lua --seed 1 --store store
expect_code 4
expect "No space left on device"
expect_not "signal 7"
run_kaos analyze latest --store store
[ "$code" -ne 0 ] && [ "$code" -ne 70 ] && [ "$code" -lt 128 ] || fail "analyze exits with $code"
