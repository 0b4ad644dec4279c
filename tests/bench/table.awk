# The rows of script/bench. Input: two lines of results side by side, "records wall cpu records wall
# cpu", one per round. mode "speed": C and kaos; mode "cost": with history and without, and lines
# "alone records wall cpu" of the history by itself. Exit 1 when the target is missed.
function median(a, n,    i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
            t = a[j]
            a[j] = a[j - 1]
            a[j - 1] = t
        }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function verdict(good) {
    print good ? "   ok" : "   MISSED"
    exit !good
}
$1 == "alone" && $2 > 0 { alone[++nalone] = 1e6 * $4 / $2 }
NF == 6 && $1 > 0 && $4 > 0 {
    n++
    wall1[n] = 1e6 * $2 / $1
    cpu1[n] = 1e6 * $3 / $1
    wall2[n] = 1e6 * $5 / $4
    cpu2[n] = 1e6 * $6 / $4
    if (mode == "cost") {
        ratio = log(cpu1[n] / cpu2[n])
        sum += ratio
        squares += ratio * ratio
    } else {
        wall[n] = wall1[n] / wall2[n]
        cpu[n] = cpu1[n] / cpu2[n]
    }
}
END {
    if (n == 0) {
        print name ": nothing was measured"
        exit 1
    }
    if (mode == "cost") {
        # The mean of the pairs and its standard error: missed when they say so clearly, or when the
        # calls by themselves are too dear.
        mean = sum / n
        error = n > 1 ? sqrt((squares / n - mean * mean) / (n - 1)) : 1
        used = median(cpu2, n)
        own = median(alone, nalone)
        printf "%-18s %5.3f us of %5.3f us CPU: %3.1f %%   pairs %+5.1f %% (+-%.1f)   <= %s %%", name,
            own, used, 100 * own / used, 100 * (exp(mean) - 1), 100 * error, target
        verdict(nalone > 0 && 100 * own / used <= target && 100 * (mean - 2 * error) <= target)
    }
    ratio = median(wall, n)
    printf "%-28s %7.3f %7.3f   %7.3f %7.3f   %6.2f %6.2f", name, median(wall1, n),
        median(cpu1, n), median(wall2, n), median(cpu2, n), ratio, median(cpu, n)
    if (target == "") {
        print ""
        exit 0
    }
    printf "   >= %s", target
    verdict(ratio >= target)
}
