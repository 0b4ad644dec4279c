# SPDX-License-Identifier: Apache-2.0
# One row of the broker's table: lines "SERVER ROUND VALUE"; medians of each server, and the median over
# the rounds of how many times better the embedded broker was. Behind a target
# stands the standard error of its ratio. Exit 1 when a target is missed.
function median(list, n,    i, k, t) {
    for (i = 2; i <= n; i++) {
        t = list[i]
        for (k = i - 1; k >= 1 && list[k] > t; k--) list[k + 1] = list[k]
        list[k + 1] = t
    }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function middle(s,    i, list) {
    for (i = 1; i <= count[s]; i++) list[i] = value[s, i]
    return median(list, count[s])
}
# Sets `error`, relative: that of a median is about 1.25 times that of a mean.
function better(s,    i, n, list, mine, its, sum, squares) {
    for (i = 1; i <= count[s] && i <= count["embedded"]; i++) {
        mine = value["embedded", i]
        its = value[s, i]
        if (mine > 0 && its > 0) {
            list[++n] = unit ~ /\/s$/ ? mine / its : its / mine
            sum += log(list[n])
            squares += log(list[n]) ^ 2
        }
    }
    error = n > 1 ? 1.25 * sqrt(max(squares / n - (sum / n) ^ 2, 0) / (n - 1)) : 0
    return n ? median(list, n) : 0
}
function max(a, b) {
    return a > b ? a : b
}
function show(x) {
    return x >= 10000 ? sprintf("%.0f", x) : x >= 100 ? sprintf("%.1f", x) : sprintf("%.3g", x)
}
{ value[$1, $2] = $3; count[$1] = $2 }
END {
    if (!count["embedded"]) {
        print text ": nothing was measured"
        exit 1
    }
    split("mock kfake kafka", peers)
    line = sprintf("%-36s %-10s %9s", text, unit, show(middle("embedded")))
    for (i = 1; i <= 3; i++) {
        x = count[peers[i]] ? middle(peers[i]) : 0
        line = line sprintf(" %9s", x ? show(x) : "")
    }
    line = line "  "
    for (i = 1; i <= 3; i++) {
        x = count[peers[i]] ? better(peers[i]) : 0
        line = line sprintf(" %6s", x ? sprintf("%.2f", x) : "")
    }
    n = split(targets, t)
    for (i = 1; i < n; i += 2) {
        if (t[i] == "max") {
            ok = middle("embedded") <= t[i + 1]
            line = line "   <= " t[i + 1]
        } else {
            ok = better(t[i]) >= t[i + 1]
            line = line sprintf("   %s >= %s (+-%.2f)", t[i], t[i + 1], error)
        }
        missed = missed || !ok
    }
    sub(/ +$/, "", line)
    print line (n ? (missed ? "   MISSED" : "   ok") : "")
    exit missed
}
