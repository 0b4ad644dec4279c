# SPDX-License-Identifier: Apache-2.0
# One row of the broker's table: lines "SERVER ROUND VALUE"; the median of each server, and how many times
# better the embedded broker was: the median over the rounds, or, where a peer had rounds of its own, the
# medians of both. Behind a target stands the standard error of its ratio. Exit 1 when a target is missed.
function median(list, n,    i, k, t) {
    for (i = 2; i <= n; i++) {
        t = list[i]
        for (k = i - 1; k >= 1 && list[k] > t; k--) list[k + 1] = list[k]
        list[k + 1] = t
    }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function values(s, list,    i) {
    for (i = 1; i <= count[s]; i++) list[i] = value[s, i]
    return count[s]
}
function middle(s,    list) {
    return median(list, values(s, list))
}
function times(mine, its) {
    return unit ~ /\/s$/ ? mine / its : its / mine
}
# Relative; that of a median is about 1.25 times that of a mean.
function standard_error(list, n,    i, k, sum, squares) {
    for (i = 1; i <= n; i++) {
        if (list[i] > 0) {
            k++
            sum += log(list[i])
            squares += log(list[i]) ^ 2
        }
    }
    squares = k ? squares / k - (sum / k) ^ 2 : 0
    return k > 1 && squares > 0 ? 1.25 * sqrt(squares / (k - 1)) : 0
}
# Sets `error`. What is not above 0 (memory that did not grow) has no ratio.
function better(s,    i, k, n, mine, its, list) {
    error = 0
    if (middle("embedded") <= 0 || middle(s) <= 0) return 0
    n = values("embedded", mine)
    if (values(s, its) != n) {
        error = sqrt(standard_error(mine, n) ^ 2 + standard_error(its, count[s]) ^ 2)
        return times(median(mine, n), median(its, count[s]))
    }
    for (i = 1; i <= n; i++) {
        if (mine[i] > 0 && its[i] > 0) list[++k] = times(mine[i], its[i])
    }
    error = standard_error(list, k)
    return k ? median(list, k) : 0
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
