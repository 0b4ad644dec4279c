/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the resolver, which knows no deadline: numeric addresses are read here and now, names are
 * looked up by glibc's helper thread while this one waits. A look-up that cannot be cancelled keeps
 * its few bytes until it ends, on purpose: the helper thread still writes there. */
#include "wire/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

struct lookup {
    struct gaicb cb;
    struct addrinfo hints;
    char service[16];
    char host[];
};

static struct lookup *lookup_new(const char *host, int port, int flags)
{
    struct lookup *l = xcalloc(1, sizeof *l + strlen(host) + 1);
    memcpy(l->host, host, strlen(host) + 1);
    snprintf(l->service, sizeof l->service, "%d", port);
    l->hints.ai_socktype = SOCK_STREAM;
    l->hints.ai_flags = AI_NUMERICSERV | flags;
    l->cb = (struct gaicb){.ar_name = l->host, .ar_service = l->service, .ar_request = &l->hints};
    return l;
}

/** @return the state of the look-up after waiting: EAI_INPROGRESS = the deadline passed. */
static int wait_lookup(struct lookup *l, uint64_t deadline_ns)
{
    const struct gaicb *list[] = {&l->cb};
    int state = gai_error(&l->cb);
    while (state == EAI_INPROGRESS) {
        uint64_t now = clock_mono_ns();
        if (now >= deadline_ns) {
            break;
        }
        uint64_t left = deadline_ns - now;
        struct timespec ts = {.tv_sec = (time_t)(left / 1000000000),
                              .tv_nsec = (long)(left % 1000000000)};
        gai_suspend(list, 1, &ts);
        state = gai_error(&l->cb);
    }
    return state;
}

struct addrinfo *resolve(const char *host, int port, uint64_t deadline_ns, struct err *e)
{
    struct lookup *l = lookup_new(host, port, AI_NUMERICHOST);
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(l->host, l->service, &l->hints, &found);
    if (rc == 0) {
        free(l);
        return found;
    }
    l->hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    struct gaicb *list[] = {&l->cb};
    rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (rc == 0) {
        rc = wait_lookup(l, deadline_ns);
    }
    if (rc == EAI_INPROGRESS) {
        int cancelled = gai_cancel(&l->cb);
        if (cancelled == EAI_ALLDONE && l->cb.ar_result) {
            freeaddrinfo(l->cb.ar_result);
        }
        if (cancelled != EAI_NOTCANCELED) {
            free(l);
        }
        err_set(e, ERR_TIMEOUT, 0, "looking up host %s: no answer", host);
        return NULL;
    }
    found = l->cb.ar_result;
    free(l);
    if (rc != 0) {
        err_set(e, ERR_SYSTEM, 0, "looking up host %s: %s", host, gai_strerror(rc));
        return NULL;
    }
    return found;
}
