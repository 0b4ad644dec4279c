# SIGKILL of the runner at random moments: nothing of the run is left after 2 s, grandchildren
# included (roles and brokers are the guard's children), and what it recorded is never judged PASS.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >long.lua <<'L'
scenario "long" {
  topics = { input = { partitions = 2 }, output = { partitions = 2 } },
  roles  = {
    writer = function(w) for i = 1, 100000 do w:send("input", { value = i }) w:pace "200/s" end end,
    worker = { count = 2, run = function(w)
      local c, p = w:consumer { group = "g", topics = "input" }, w:producer { transactional = true }
      for batch in c:batches { max = 10, wait = "200ms" } do
        local tx <close> = p:begin(c)
        for _, m in ipairs(batch) do tx:send("output", { from = m, value = m.value }) end
        tx:commit()
      end
    end },
  },
  expect = { exactly_once { from = "input", to = "output", id = "value" } },
}
L
has_roles() {
    compgen -G ".kaos/runs/*/history/worker-*" >/dev/null
}
random_moment() {
    sleep "$(printf '0.%03d' $((RANDOM % 1000)))" # a random moment, not a wait
}
judged=0 with_roles=0
for i in $(seq "${KAOS_ROUNDS:-20}"); do
    rm -rf .kaos
    cluster=embedded
    [ "$i" -gt 4 ] || cluster=kafka # brokers that take seconds to start
    "$KAOS" run long.lua --seed "$i" --cluster $cluster >out.log 2>&1 &
    runner=$!
    # half of the rounds wait until the roles are at work first
    if [ $((i % 2)) -eq 0 ]; then
        wait_for 60 has_roles
        with_roles=$((with_roles + 1))
    fi
    random_moment
    [ $((i % 2)) -eq 1 ] || [ -n "$(processes_of "$PWD")" ] || fail "no process of the run was found"
    kill -9 $runner 2>/dev/null || fail "the runner had ended: $(cat out.log)"
    killed=$(date +%s%N)
    wait $runner 2>/dev/null || true
    until none_left; do
        [ $((($(date +%s%N) - killed) / 1000000)) -lt 2000 ] ||
            fail "round $i left: $(ps -fp "$(processes_of "$PWD" | paste -sd,)")"
        sleep 0.05
    done
    if compgen -G ".kaos/runs/*/history/*.seg" >/dev/null; then
        run_kaos analyze latest >analyze.log
        case $code in
        1 | 2 | 3) judged=$((judged + 1)) ;;
        *) fail "round $i: analyze exits with $code: $out" ;;
        esac
    fi
    if [ $((i % 2)) -eq 0 ]; then
        [ "$code" -eq 1 ] || [ "$code" -eq 2 ] || fail "round $i: a history with roles: exit code $code: $out"
    fi
done
echo "$judged histories judged, $with_roles with roles"
[ "$with_roles" -gt 0 ] || fail "no round with roles"
[ "$judged" -ge "$with_roles" ] || fail "too few histories"
