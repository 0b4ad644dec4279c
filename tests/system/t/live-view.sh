# The live view of a run on a terminal, by keys that are really typed: details, logs, kill, faults off
# and on, Ctrl-Z and back, a small window, stop and judge. The terminal is left as it was.
. "$KAOS_ROOT/tests/system/lib.sh"
command -v tmux >/dev/null || skip "tmux is missing"
cat >view.lua <<'L'
scenario "view" {
  topics = { input = { partitions = 2 }, output = { partitions = 2 } },
  roles  = {
    writer = function(w) for i = 1, 100000 do w:send("input", { key = i, value = i }) w:pace "50/s" end end,
    copier = { count = 2, run = function(w)
      local p = w:producer { transactional = true }
      local c = w:consumer { group = "copy", topics = "input" }
      for batch in c:batches { max = 5, wait = "100ms" } do
        local tx <close> = p:begin(c)
        for _, m in ipairs(batch) do tx:send("output", m) end
        tx:commit()
        w:log("copied %d", #batch)
      end
    end },
  },
  faults = { crash { role = "copier", p = 0.001 } },
  expect = { always "exactly once" { exactly_once { from = "input", to = "output" } },
             sometimes "a copier crashed" { crashed { role = "copier" } } },
}
L
"$KAOS" lint view.lua || fail "the scenario has errors"
tm() { tmux -f /dev/null -S "$PWD/tmux" "$@"; }
trap 'tm kill-server 2>/dev/null || true' EXIT
screen() { tm capture-pane -p -t a; }
shows() { screen | grep -qF -- "$1"; }
hides() { ! shows "$1"; }
see() { wait_for "${2:-10}" shows "$1"; }
# Something that changes all the time proves that the view is alive.
clock() { screen | sed -n 's/.* \([0-9][0-9]:[0-9][0-9]\) of .*/\1/p'; }
runner_state() { ps -o stat= -p "$runner" | cut -c1; }
is_stopped() { [ "$(runner_state)" = T ]; }
runs_again() { [ "$(runner_state)" != T ]; }
roles_stopped() {
    local pids states
    pids=$(pgrep -P "$(pgrep -P "$runner" | head -n 1)")
    states=$(ps -o stat= -p "$(paste -sd, <<<"$pids")" | cut -c1 | sort -u)
    [ "$states" = T ]
}
# For one command of the shell in the pane.
prompt() { screen | grep -v '^$' | tail -n 1 | grep -qx '%'; }

env -u NO_COLOR -u CI LC_ALL=C.UTF-8 tmux -f /dev/null -S "$PWD/tmux" -u \
    new-session -d -s a -x 100 -y 30 "exec bash --norc --noprofile -i"
tm send-keys -t a "PS1='%'; unset PROMPT_COMMAND; stty -a >before; clear" Enter
wait_for 10 prompt
tm send-keys -t a "'$KAOS' run view.lua --seed 3 --store '$PWD/.kaos'" Enter
see "working" 60
see "copier      2/2 up"
see "a preview"
see "t details"
runner=$(pgrep -f "^$KAOS run view.lua --seed 3 --store $PWD/.kaos" | head -n 1)
[ -n "$runner" ] || fail "the runner is not found"

tm send-keys -t a t
see "pid "
see "| copied"
see "kaos-reader.1#1"
tm send-keys -t a t
wait_for 5 hides "pid "
tm send-keys -t a l
see "logs/copier-1.1.log"
see "copied"
tm send-keys -t a l
see "logs/copier-2."
tm send-keys -t a x
see "exactly once"

tm send-keys -t a k
see "kill with SIGKILL"
tm send-keys -t a 1
see "copier.1: killed"
see "☠ 1"
see "copier      2/2 up" # and started again

tm send-keys -t a f
see "faults off"
tm send-keys -t a f
see "faults on"

# SIGUSR1 turns to the details here, standard error being the same terminal
kill -USR1 "$runner"
see "pid "
tm send-keys -t a t

tm resize-window -t a -x 62 -y 12
see "t f k l q"
[ "$(screen | wc -L)" -le 62 ] || fail "lines are wider than the window"
tm resize-window -t a -x 100 -y 30
see "t details"

tm send-keys -t a C-z
see "Stopped"
wait_for 5 is_stopped
wait_for 5 roles_stopped
stty_now=$(tm send-keys -t a "stty -a >stopped" Enter && wait_for 5 test -s stopped && cat stopped)
grep -q " icanon" <<<"$stty_now" || fail "the shell got a raw terminal"
tm send-keys -t a "fg; echo code=\$?; stty -a >after" Enter
wait_for 5 runs_again
see "working"
at=$(clock)
moved() { [ "$(clock)" != "$at" ]; }
wait_for 10 moved

tm send-keys -t a q
see "code=2" 60
screen >end
out=$(cat end)
expect "INCONCLUSIVE"
expect "interrupted"
wait_for 5 test -s after
cmp before after || fail "the terminal is not as it was"
wait_for 5 none_left
run_kaos export latest
grep -q '"person"' <<<"$out" || fail "switching faults is not in the history"
