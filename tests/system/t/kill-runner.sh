# SIGKILL of the runner at random moments: nothing of the run is left after 2 s, grandchildren
# included, and what it recorded is never judged PASS.
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
rounds=${KAOS_ROUNDS:-20}
for i in $(seq "$rounds"); do
    rm -rf .kaos
    "$KAOS" run long.lua --seed "$i" >out.log 2>&1 &
    runner=$!
    sleep "$(printf '0.%03d' $((RANDOM % 1000)))" # a random moment, not a wait
    # half of the rounds wait until the roles are at work first
    if [ $((i % 2)) -eq 0 ]; then
        wait_for 60 bash -c 'ls .kaos/runs/*/history/worker-* >/dev/null 2>&1'
        sleep "$(printf '0.%03d' $((RANDOM % 1000)))" # a random moment, not a wait
    fi
    kill -9 $runner 2>/dev/null || fail "the runner had ended: $(cat out.log)"
    wait $runner 2>/dev/null || true
    limit=$((SECONDS + 3))
    while [ -n "$(processes_of "$PWD")" ]; do
        [ $SECONDS -lt $limit ] || fail "round $i left: $(ps -fp "$(processes_of "$PWD" | head -1)")"
        sleep 0.05
    done
    if ls .kaos/runs/*/history/*.seg >/dev/null 2>&1; then
        run_kaos analyze latest >analyze.log
        [ "$code" -ne 0 ] && [ "$code" -ne 70 ] || fail "round $i: analyze exits with $code: $out"
    fi
done
