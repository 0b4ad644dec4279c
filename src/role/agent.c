/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: one seat per connection, and in it one role process under the agent's guard. The role
 * writes its history into a folder of the seat; a timer carries what is new to the runner. A seat
 * whose connection ends kills its role; a seat whose role ends sends what is left, then FAR_EXIT,
 * and waits for the runner to hang up.
 *
 *   HELLO -> START -> running -> ended -> hung up -> gone
 *      `--------`--------`-- hung up (kill) -^           */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/deliveries.h"
#include "history/mirror.h"
#include "io/link.h"
#include "io/proc.h"
#include "role/far.h"
#include "role/proto.h"

enum {
    CARRY_MS = 20,
    CARRY_BYTES = 4 << 20,  /* per turn and seat */
    QUEUE_BYTES = 16 << 20, /* above it the network has to catch up first */
    HELLO_MS = 10000,
    HANGUP_MS = 10000, /* how long the runner may take to hang up */
    OUTPUT_BYTES = 64 << 10,
    DELIVERIES_LOG2 = 20,
};

struct agent {
    struct loop *loop;
    struct guard *guard;
    struct link_server *server;
    const char *token; /**< or NULL */
    char *dir;
    uint64_t seats, live;
    bool ending;
};
struct seat {
    struct agent *agent;
    struct link *link;
    struct proc *proc;
    struct mirror_source *mirror;
    struct timer *timer; /**< limit of HELLO, then the carrier, then the limit of the hang-up */
    char *dir, *log, *history;
    long output; /**< bytes of the log that were sent */
    bool welcome, stopping, failed;
};

static void seat_free(struct seat *s)
{
    struct agent *a = s->agent;
    struct err e;
    timer_stop(s->timer);
    link_free(s->link);
    mirror_source_free(s->mirror);
    proc_free(s->proc);
    if (s->dir && path_remove_all(s->dir, &e) < 0) {
        log_warn("%s", e.msg);
    }
    free(s->dir);
    free(s->log);
    free(s->history);
    free(s);
    if (--a->live == 0 && a->ending) {
        loop_stop(a->loop);
    }
}

/* From the role to the runner. */

static void send_piece(void *arg, const char *piece, size_t len)
{
    link_send(((struct seat *)arg)->link, FAR_HISTORY, piece, (uint32_t)len);
}

static void send_output(struct seat *s)
{
    FILE *f = fopen(s->log, "re");
    char *bytes = xmalloc(OUTPUT_BYTES);
    size_t n;
    if (f && fseek(f, s->output, SEEK_SET) == 0) {
        while ((n = fread(bytes, 1, OUTPUT_BYTES, f)) > 0) {
            link_send(s->link, FAR_OUTPUT, bytes, (uint32_t)n);
            s->output += (long)n;
        }
    }
    free(bytes);
    if (f) {
        fclose(f);
    }
}

/** @return whether everything was sent. */
static bool carry(struct seat *s, size_t limit)
{
    struct err e;
    int more = s->failed ? 0 : mirror_source_poll(s->mirror, limit, send_piece, s, &e);
    send_output(s);
    if (more < 0) {
        /* The runner will find a segment that nobody closed: an incomplete history. */
        s->failed = true;
        log_warn("%s", e.msg);
        proc_signal(s->proc, SIGKILL, true);
    }
    return more <= 0;
}

static void on_carry(void *arg)
{
    struct seat *s = arg;
    if (link_queued(s->link) < QUEUE_BYTES) {
        carry(s, CARRY_BYTES);
    }
    if (s->stopping && proc_state(s->proc) == 'T') {
        s->stopping = false;
        link_send(s->link, FAR_STOPPED, NULL, 0);
    }
}

static void on_patience(void *arg)
{
    struct seat *s = arg;
    s->timer = NULL;
    seat_free(s);
}

static void on_exit_of_role(void *arg, struct proc *p, struct proc_end end)
{
    struct seat *s = arg;
    int32_t how[2] = {end.code, end.signal};
    timer_stop(s->timer);
    s->timer = NULL;
    if (!s->link) { /* the runner has hung up: nobody wants to know */
        seat_free(s);
        return;
    }
    while (!carry(s, SIZE_MAX)) {
    }
    link_send(s->link, FAR_EXIT, how, sizeof how);
    s->timer = timer_start(s->agent->loop, HANGUP_MS, 0, on_patience, s);
}

/* From the runner to the role. */

static void hang_up(struct seat *s)
{
    link_free(s->link);
    s->link = NULL;
    timer_stop(s->timer);
    s->timer = NULL;
    if (s->proc && proc_alive(s->proc)) {
        proc_signal(s->proc, SIGKILL, true); /* on_exit_of_role frees */
    } else {
        seat_free(s);
    }
}

static void refuse(struct seat *s, const char *why)
{
    log_warn("agent: a connection was refused: %s", why);
    link_send(s->link, FAR_REFUSED, why, (uint32_t)strlen(why));
    timer_stop(s->timer);
    s->timer = timer_start(s->agent->loop, HANGUP_MS, 0, on_patience, s);
    s->welcome = false;
    s->failed = true;
}

/** Compares in the same time wherever the difference stands. */
static bool same_token(const char *mine, const char *theirs)
{
    size_t n = strlen(mine), m = strlen(theirs), i;
    unsigned char differ = n != m;
    for (i = 0; i < n; i++) {
        differ |= (unsigned char)(mine[i] ^ theirs[i < m ? i : m]);
    }
    return differ == 0;
}

static void on_hello(struct seat *s, const char *data, size_t len)
{
    json_t *j = json_loadb(data, len, 0, NULL);
    const char *version = json_string_value(json_object_get(j, "kaos"));
    const char *token = json_string_value(json_object_get(j, "token"));
    char why[256] = "";
    if (!version || strcmp(version, KAOS_VERSION) != 0) {
        snprintf(why, sizeof why, "this agent is kaos %s, the runner is %s", KAOS_VERSION,
                 version ? version : "something else");
    } else if (s->agent->token && !same_token(s->agent->token, token ? token : "")) {
        snprintf(why, sizeof why, "wrong token: set the same " FAR_TOKEN " for agent and runner");
    }
    json_decref(j);
    if (why[0]) {
        refuse(s, why);
        return;
    }
    s->welcome = true;
    timer_stop(s->timer);
    s->timer = NULL;
}

static int prepare(struct seat *s, struct err *e)
{
    struct agent *a = s->agent;
    s->dir = xasprintf("%s/%llu", a->dir, (unsigned long long)++a->seats);
    s->log = path_join(s->dir, "log");
    s->history = path_join(s->dir, "history");
    s->mirror = mirror_source_new(s->history);
    return path_mkdirs(s->history, 0700, e);
}

static int spawn(struct seat *s, struct err *e)
{
    static const char *const argv[] = {NULL, "__role", NULL};
    if (prepare(s, e) < 0) {
        return -1;
    }
    const struct proc_opts o = {
        .argv = argv, .log_path = s->log, .control = true, .on_exit = on_exit_of_role, .arg = s};
    s->proc = proc_spawn(s->agent->guard, &o, e);
    if (!s->proc) {
        return -1;
    }
    s->timer = timer_start(s->agent->loop, CARRY_MS, CARRY_MS, on_carry, s);
    return 0;
}

/** START with our folders. Delivery numbers are counted by each agent for itself. */
static void send_start(struct seat *s, const char *data, size_t len)
{
    struct err e;
    json_t *j = json_loadb(data, len, 0, NULL);
    char *table = path_join(s->agent->dir, "deliveries");
    struct deliveries *d =
        access(table, F_OK) == 0 ? NULL : deliveries_open(table, DELIVERIES_LOG2, &e);
    deliveries_close(d);
    if (json_is_object(j)) {
        json_object_set_new(j, "history", json_string(s->history));
        json_object_set_new(j, "deliveries", json_string(table));
    }
    char *text = json_dumps(j ? j : json_null(), JSON_COMPACT | JSON_ENCODE_ANY);
    proc_send(s->proc, ROLE_START, text, (uint32_t)strlen(text));
    free(text);
    free(table);
    json_decref(j);
}

static void on_signal_frame(struct seat *s, const char *data, size_t len)
{
    int32_t signum;
    if (len != sizeof signum) {
        return;
    }
    memcpy(&signum, data, sizeof signum);
    if (signum > 0 && signum < NSIG) {
        proc_signal(s->proc, signum, signum == SIGKILL);
        s->stopping = signum == SIGSTOP;
    }
}

static void on_frame(void *arg, uint8_t type, const char *data, size_t len)
{
    struct seat *s = arg;
    struct err e;
    if (type == PIPE_EOF) {
        hang_up(s);
    } else if (s->failed) {
        return;
    } else if (!s->welcome) {
        if (type == FAR_HELLO) {
            on_hello(s, data, len);
        } else {
            refuse(s, "the first frame is not a greeting");
        }
    } else if (!s->proc && spawn(s, &e) < 0) {
        refuse(s, e.msg);
    } else if (type == ROLE_SIGNAL) {
        on_signal_frame(s, data, len);
    } else if (type == ROLE_START) {
        send_start(s, data, len);
    } else if (type < ROLE_SIGNAL) {
        proc_send(s->proc, type, data, (uint32_t)len);
    }
}

static void on_silence(void *arg)
{
    struct seat *s = arg;
    s->timer = NULL;
    refuse(s, "no greeting came");
}

static void on_connection(void *arg, int fd)
{
    struct agent *a = arg;
    struct seat *s = xcalloc(1, sizeof *s);
    s->agent = a;
    a->live++;
    s->link = link_new(a->loop, fd, on_frame, s);
    s->timer = timer_start(a->loop, HELLO_MS, 0, on_silence, s);
}

/* The agent. */

static void on_end(void *arg)
{
    struct agent *a = arg;
    a->ending = true;
    loop_stop(a->loop);
}

static bool is_local(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost:", 10) == 0;
}

static int check_token(const struct agent *a, const char *listen)
{
    if (a->token && strlen(a->token) < FAR_TOKEN_MIN) {
        fprintf(stderr, "kaos agent: " FAR_TOKEN " is shorter than %d characters\n", FAR_TOKEN_MIN);
        return 64;
    }
    if (!a->token && !is_local(listen)) {
        fprintf(stderr,
                "kaos agent: %s can be reached by other hosts, and an agent runs what it is sent:\n"
                "  set the same secret " FAR_TOKEN " for agent and runner, or listen on "
                "127.0.0.1:PORT\n",
                listen);
        return 64;
    }
    return 0;
}

int agent_main(const char *listen)
{
    struct agent a = {.token = getenv(FAR_TOKEN)};
    struct err e;
    const char *tmp = getenv("TMPDIR");
    int code = check_token(&a, listen);
    if (code) {
        return code;
    }
    a.dir = xasprintf("%s/kaos-agent-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(a.dir)) {
        fprintf(stderr, "kaos agent: %s cannot be made\n", a.dir);
        free(a.dir);
        return 4;
    }
    a.loop = loop_new();
    struct signals *term = signals_start(a.loop, SIGTERM, on_end, &a),
                   *intr = signals_start(a.loop, SIGINT, on_end, &a);
    a.guard = guard_start(a.loop, &e);
    a.server = a.guard ? link_listen(a.loop, listen, on_connection, &a, &e) : NULL;
    if (a.server) {
        printf("agent of kaos %s on port %d\n", KAOS_VERSION, link_server_port(a.server));
        fflush(stdout);
        loop_run(a.loop);
    } else {
        fprintf(stderr, "kaos agent: %s\n", e.msg);
        code = 4;
    }
    link_server_free(a.server);
    if (a.guard) {
        guard_stop(a.guard);
    }
    signals_stop(term);
    signals_stop(intr);
    path_remove_all(a.dir, &e);
    free(a.dir);
    _exit(code); /* seats may be open: what they hold ends with the process */
}
