# A program as a role: what it is told, killed and paused with all that it started, restarted after a
# death of its own, ended politely; its output and its hash are kept; one that is missing is named.
. "$KAOS_ROOT/tests/system/lib.sh"
mkdir boxes
cat >boxes/box.sh <<'END'
#!/bin/sh
echo "told $KAOS_ROLE $KAOS_INDEX $KAOS_INCARNATION $KAOS_SEED $NAME $COLOR / $* / ${PWD##*/}"
echo "bootstrap $KAOS_BOOTSTRAP $BOOTSTRAP"
# the program is a wrapper, and what it started takes a session of its own
setsid sh -c 'trap "echo polite; exit 0" TERM; echo "child $$"; while :; do sleep 0.02; done' &
if [ "$KAOS_INDEX.$KAOS_INCARNATION" = 2.1 ]; then
    kill -9 -- "-$!" 2>/dev/null || kill -9 "$!"
    exit 3
fi
wait
END
chmod +x boxes/box.sh
cat >boxes/box.lua <<'END'
local roles = {
  writer = function(w)
    for i = 1, 80 do w:send("numbers", { value = i }); w:pace "20/s" end
    w:done "sent"
  end,
  reader = function(w) for m in w:messages "numbers" do w:log("%d", m.value) end end,
}
local function with(box)
  local t = { box = box }
  for k, v in pairs(roles) do t[k] = v end
  return t
end
scenario "box" {
  params = { color = "red" },
  topics = { numbers = {} },
  roles = with { exec = { "./box.sh", "{role}", "{color}" }, count = 2, restart = "200ms",
    env = { NAME = "{role}-{index}.{incarnation}", COLOR = param "color",
      BOOTSTRAP = "{bootstrap}" } },
  faults = {
    kill { role = "box", every = "800ms", max = 2 }, pause { role = "box", at = "500ms", hold = "300ms" },
  },
  expect = { no_loss { from = "numbers", to = "reader" } },
  stop = { after = "sent" },
}
scenario "missing" {
  topics = { numbers = {} }, roles = with { exec = { "no-such-box" }, build = "make box" },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
END
run_kaos run boxes/box.lua missing
expect_code 4
expect 'role box: there is no program no-such-box on PATH'
expect 'build it with `make box`'
[ ! -e .kaos/runs/latest ] || fail "a run was begun without its program"

run_kaos run boxes/box.lua box --seed 77 --param color=blue
expect_code 0
run=.kaos/runs/latest
log=$run/logs/box-1.1.log
grep -qx 'told box 1 1 77 box-1.1 blue / box blue / boxes' $log || fail "what was told: $(cat $log)"
read -r _ ours theirs < <(grep '^bootstrap' $log)
[ -n "$ours" ] && [ "$ours" = "$theirs" ] || fail "the bootstrap is $ours and $theirs"
grep -qF "$(sha256sum boxes/box.sh | cut -d ' ' -f 1)" $run/run.json || fail "run.json lacks the hash"
run_kaos show latest --role box
for text in 'died, code 3' 'fault, signal 9' 'signal 19' 'signal 18' 'signal 15' 'restart, pid'; do
    expect "$text"
done
expect_not 'effect not seen'
# both were ended politely in the end, also those behind the wrapper
for index in 1 2; do
    last=$(printf '%s\n' $run/logs/box-$index.*.log | sort -t . -k 2 -n | tail -n 1)
    grep -qx polite "$last" || fail "not polite: $(cat "$last")"
done
# and nobody is left of any of them
for pid in $(sed -n 's/^child //p' $run/logs/box-*.log); do
    [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" != "$PWD/boxes" ] || fail "$pid is left"
done
