/* SPDX-License-Identifier: Apache-2.0 */
/* kaos doctor --bootstrap: a cluster as a client meets it. Resolve, connect, ApiVersions, Metadata,
 * then the same for the address that each broker advertises, because that is where clients really
 * go; at last whether there are enough brokers for the replication that is configured. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/doctor.h"
#include "wire/admin.h"
#include "wire/conn.h"
#include "wire/resolve.h"

enum { STEP_MS = 2500, NS_PER_MS = 1000000 };

/** An address, and how it was learnt. */
struct place {
    char *host;
    int port;
    int broker; /**< -1: given by the user; else advertised by this broker */
};

static uint64_t deadline(void)
{
    return clock_mono_ns() + (uint64_t)STEP_MS * NS_PER_MS;
}

/** What to do about an address, by who gave it. */
static const char *fix_of(const struct place *p, const char *given)
{
    return p->broker < 0
               ? given
               : "set advertised.listeners of that broker to a name and port which clients reach "
                 "from here, or make the name known (DNS, /etc/hosts)";
}

static const char *label(const struct place *p, const char *step, char out[32])
{
    if (p->broker < 0) {
        snprintf(out, 32, "%s", step);
    } else {
        snprintf(out, 32, "broker %d", p->broker);
    }
    return out;
}

static bool check_name(struct doctor *d, const struct place *p, struct addrinfo **list)
{
    char what[32];
    struct err e;
    *list = resolve(p->host, p->port, deadline(), &e);
    if (!*list) {
        doctor_say(d, DOCTOR_BAD, label(p, "resolve", what),
                   fix_of(p, "check the spelling; look the name up with `getent hosts NAME`"),
                   p->broker < 0 ? NULL : "every client that this broker leads a partition for",
                   "%s%s:%d: the name is not known: %s", p->broker < 0 ? "" : "advertises ",
                   p->host, p->port, e.msg);
        return false;
    }
    return true;
}

/** @return 0, or errno; ETIMEDOUT after STEP_MS. */
static int try_connect(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), problem = 0;
    if (fd < 0) {
        return errno;
    }
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
        problem = errno;
    }
    if (problem == EINPROGRESS) {
        struct pollfd w = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof problem;
        problem = ETIMEDOUT;
        if (poll(&w, 1, STEP_MS) == 1) {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len);
        }
    }
    close(fd);
    return problem;
}

static bool check_connect(struct doctor *d, const struct place *p, const struct addrinfo *list)
{
    char what[32];
    int problem = ECONNREFUSED;
    for (const struct addrinfo *ai = list; ai && problem; ai = ai->ai_next) {
        problem = try_connect(ai);
    }
    if (!problem) {
        return true;
    }
    const char *given = problem == ECONNREFUSED
                            ? "is the broker up? does it listen on this port (listeners in "
                              "server.properties)?"
                            : "a firewall may drop the packets; try from the broker's machine";
    doctor_say(d, DOCTOR_BAD, label(p, "connect", what), fix_of(p, given), NULL, "%s%s:%d: %s",
               p->broker < 0 ? "" : "advertises ", p->host, p->port,
               problem == ECONNREFUSED ? "the name is known, but nobody listens there"
               : problem == ETIMEDOUT  ? "no answer at all"
                                       : strerror(problem));
    return false;
}

static bool check_protocol(struct doctor *d, const struct place *p)
{
    char what[32];
    struct err e;
    struct conn *c = conn_open(p->host, p->port, "kaos-doctor", deadline(), &e);
    if (c) {
        doctor_say(d, DOCTOR_OK, label(p, "protocol", what), NULL, NULL, "%s:%d speaks Kafka%s",
                   p->host, p->port, p->broker < 0 ? "" : " where it says it is");
        conn_close(c);
        return true;
    }
    if (e.kind == ERR_TIMEOUT) {
        doctor_say(d, DOCTOR_BAD, label(p, "protocol", what),
                   "is this a TLS or SASL listener (kaos speaks PLAINTEXT), or another program? a "
                   "broker that hangs shows so, too",
                   NULL, "%s:%d accepts connections and says nothing", p->host, p->port);
    } else if (e.kind == ERR_PROTOCOL) {
        doctor_say(d, DOCTOR_BAD, label(p, "protocol", what),
                   "something else listens on this port, or it is a TLS listener", NULL,
                   "%s:%d answers, but not as Kafka does: %s", p->host, p->port, e.msg);
    } else {
        doctor_say(d, DOCTOR_BAD, label(p, "protocol", what),
                   "a TLS or SASL listener, or a controller's, does so: use the broker's PLAINTEXT "
                   "listener",
                   NULL, "%s:%d hangs up: %s", p->host, p->port, e.msg);
    }
    return false;
}

static bool check_place(struct doctor *d, const struct place *p)
{
    struct addrinfo *list;
    if (!check_name(d, p, &list)) {
        return false;
    }
    bool ok = check_connect(d, p, list) && check_protocol(d, p);
    freeaddrinfo(list);
    return ok;
}

/* ---- replication ---- */

/** Voters of the quorum that are not registered as brokers, as text: "3". */
static void put_missing(struct buf *b, const char *voters, const struct admin_metadata *m)
{
    for (const char *p = voters ? voters : ""; *p;) {
        int id = (int)strtol(p, NULL, 10);
        bool there = false;
        for (size_t i = 0; i < m->nbrokers; i++) {
            there = there || m->brokers[i].id == id;
        }
        if (!there) {
            buf_printf(b, "%s%d", b->len ? ", " : "", id);
        }
        p += strcspn(p, ",");
        p += *p == ',';
    }
}

static void check_replication(struct doctor *d, struct admin *a, const struct admin_metadata *m)
{
    static const char *const names[] = {
        "offsets.topic.replication.factor", "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr", "default.replication.factor", "min.insync.replicas"};
    struct admin_configs configs;
    struct err e;
    char id[16];
    size_t bad = 0;
    snprintf(id, sizeof id, "%d", (int)m->brokers[0].id);
    if (admin_describe_configs(a, ADMIN_BROKER, id, STEP_MS, &configs, &e) < 0) {
        doctor_say(d, DOCTOR_WARN, "replication",
                   "give this user the right to describe the cluster", NULL,
                   "the brokers do not tell their settings: %s", e.msg);
        return;
    }
    struct buf missing = {0};
    put_missing(&missing, admin_config_get(&configs, "controller.quorum.voters"), m);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = admin_config_get(&configs, names[i]);
        long n = value ? strtol(value, NULL, 10) : 0;
        if (n > (long)m->nbrokers) {
            bad++;
            doctor_say(d, DOCTOR_BAD, "replicas",
                       "start the missing brokers, or lower the setting on all of them",
                       i < 3 ? "groups and transactions: they find no coordinator" : "new topics",
                       "%s is %ld, but only %zu broker%s registered%s%s", names[i], n, m->nbrokers,
                       m->nbrokers == 1 ? " is" : "s are", missing.len ? "; missing: " : "",
                       missing.len ? missing.data : "");
        }
    }
    if (!bad) {
        doctor_say(d, DOCTOR_OK, "replicas", NULL, NULL,
                   "%zu broker%s enough for what is configured", m->nbrokers,
                   m->nbrokers == 1 ? " is" : "s are");
    }
    buf_free(&missing);
    admin_configs_free(&configs);
}

/* ---- the whole ---- */

static void check_cluster(struct doctor *d, const char *address)
{
    static const char *const none[] = {NULL};
    struct admin_metadata m;
    struct err e;
    struct admin *a = admin_open(address, "kaos-doctor", &e);
    if (!a || admin_metadata(a, none, 0, STEP_MS, &m, &e) < 0) {
        doctor_say(d, DOCTOR_BAD, "metadata", "look into the log of the broker", NULL, "%s", e.msg);
        if (a) {
            admin_close(a);
        }
        return;
    }
    doctor_say(d, m.nbrokers && m.controller >= 0 ? DOCTOR_OK : DOCTOR_BAD, "metadata",
               "the quorum of controllers has no majority: start the missing nodes", NULL,
               "cluster %s, %zu broker%s, controller %d", m.cluster_id ? m.cluster_id : "(unnamed)",
               m.nbrokers, m.nbrokers == 1 ? "" : "s", (int)m.controller);
    size_t reached = 0;
    for (size_t i = 0; i < m.nbrokers; i++) {
        struct place p = {(char *)m.brokers[i].host, m.brokers[i].port, m.brokers[i].id};
        reached += check_place(d, &p);
    }
    if (m.nbrokers && reached == m.nbrokers) {
        check_replication(d, a, &m);
    }
    admin_metadata_free(&m);
    admin_close(a);
}

/** "host:port" and "[v6]:port". @return false when it is neither. */
static bool split(const char *text, size_t len, struct place *p)
{
    char *copy = xmemdup0(text, len), *colon = strrchr(copy, ':'), *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : 0;
    bool ok = colon && colon > copy && end != colon + 1 && *end == '\0' && port > 0 && port < 65536;
    if (ok) {
        *colon = '\0';
        size_t n = strlen(copy);
        bool v6 = copy[0] == '[' && copy[n - 1] == ']';
        *p = (struct place){xmemdup0(copy + v6, n - 2 * (size_t)v6), (int)port, -1};
    }
    free(copy);
    return ok;
}

void doctor_bootstrap(struct doctor *d, const char *bootstrap)
{
    bool asked = false;
    for (const char *p = bootstrap; *p;) {
        size_t n = strcspn(p, ",");
        struct place place;
        if (!split(p, n, &place)) {
            doctor_say(d, DOCTOR_BAD, "address", "write HOST:PORT, as in localhost:9092", NULL,
                       "'%.*s' is not HOST:PORT", (int)n, p);
        } else {
            bool ok = check_place(d, &place);
            if (ok && !asked) {
                char *address = xmemdup0(p, n);
                asked = true;
                check_cluster(d, address);
                free(address);
            }
            free(place.host);
        }
        p += n + (p[n] == ',');
    }
}
