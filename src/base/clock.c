/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
    return now(CLOCK_MONOTONIC);
}

uint64_t clock_real_ns(void)
{
    return now(CLOCK_REALTIME);
}

#ifdef __x86_64__

/* The counter is trusted for SPAN ticks (a fraction of a millisecond), then the kernel is asked
 * again. Its rate comes from two answers at least RATE_NS apart. */
enum { SPAN = 1 << 20, ASK_TICKS = 1500, RATE_NS = 10000000 };

struct counter {
    bool known, usable;
    uint64_t first_ns, first_ticks; /**< where the measuring of the rate began */
    uint64_t ns, ticks;             /**< the kernel's last answer */
    uint64_t rate;                  /**< ns per tick << 32, 0 = not measured yet */
    uint64_t last;
};

/** Only where the kernel itself uses the counter is it constant and the same on all processors. */
static bool counter_is_clock(void)
{
    char name[16] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof name - 1);
    if (fd >= 0) {
        close(fd);
    }
    return n > 0 && strncmp(name, "tsc\n", (size_t)n) == 0;
}

static uint64_t ask(struct counter *c)
{
    c->ticks = __builtin_ia32_rdtsc();
    c->ns = clock_mono_ns();
    if (__builtin_ia32_rdtsc() - c->ticks > ASK_TICKS) {
        c->ticks -= SPAN; /* interrupted: the two are not one moment, ask again next time */
        return c->ns;
    }
    if (!c->known) {
        c->known = true;
        c->usable = counter_is_clock();
        c->first_ns = c->ns;
        c->first_ticks = c->ticks;
    }
    uint64_t ns = c->ns - c->first_ns, passed = c->ticks - c->first_ticks;
    if (c->usable && ns >= RATE_NS && passed > 0) {
        c->rate = ns < UINT32_MAX ? (ns << 32) / passed : c->rate;
    }
    return c->ns;
}

uint64_t clock_fast_ns(void)
{
    static _Thread_local struct counter c;
    uint64_t ticks = __builtin_ia32_rdtsc(), since = ticks - c.ticks;
    uint64_t now = c.rate != 0 && since < SPAN ? c.ns + (since * c.rate >> 32) : ask(&c);
    c.last = now > c.last ? now : c.last;
    return c.last;
}

#else

uint64_t clock_fast_ns(void)
{
    return clock_mono_ns();
}

#endif
