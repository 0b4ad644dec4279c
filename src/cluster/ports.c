/* SPDX-License-Identifier: Apache-2.0 */
/* Free ports: random candidates outside the ephemeral range, each tried by binding. See ports.h. */
#include "cluster/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"

enum {
    PORT_FIRST = 10240,
    PORT_LAST = 65535,
    ROOM_MIN = 1000, /* fewer ports than that outside the ephemeral range: use any */
    TRIES_PER_PORT = 200,
};

struct range {
    int first, last;
};

static struct range usable_range(void)
{
    struct range all = {PORT_FIRST, PORT_LAST}, r = all;
    struct buf b = {0};
    struct err ignored;
    if (path_read("/proc/sys/net/ipv4/ip_local_port_range", 4096, &b, &ignored) < 0) {
        buf_free(&b);
        return all;
    }
    char *end = b.data ? b.data : (char *)"";
    long low = strtol(end, &end, 10), high = strtol(end, &end, 10);
    buf_free(&b);
    if (low - PORT_FIRST >= ROOM_MIN && low <= PORT_LAST) {
        r.last = (int)low - 1;
    } else if (high >= PORT_FIRST && PORT_LAST - high >= ROOM_MIN) {
        r.first = (int)high + 1;
    } else {
        return all;
    }
    return r;
}

static bool can_bind(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bool ok = bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0;
    close(fd);
    return ok;
}

static bool among(const int *ports, size_t n, int port)
{
    for (size_t i = 0; i < n; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return false;
}

int ports_pick(int *out, size_t n, struct err *e)
{
    struct range r = usable_range();
    uint32_t span = (uint32_t)(r.last - r.first + 1);
    size_t got = 0;
    for (size_t tries = 0; got < n && tries < n * TRIES_PER_PORT; tries++) {
        uint32_t x;
        if (getrandom(&x, sizeof x, 0) != (ssize_t)sizeof x) {
            return err_sys(e, "drawing a random port");
        }
        int port = r.first + (int)(x % span);
        if (!among(out, got, port) && can_bind(port)) {
            out[got++] = port;
        }
    }
    if (got < n) {
        return err_set(e, ERR_SYSTEM, 0, "looking for %zu free ports in %d to %d: found %zu", n,
                       r.first, r.last, got);
    }
    return 0;
}
