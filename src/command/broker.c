/* SPDX-License-Identifier: Apache-2.0 */
/* kaos broker: the embedded broker as a program of its own. Prints where it listens, serves until
 * SIGINT or SIGTERM, keeps nothing. */
#include "broker/broker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "command/command.h"
#include "io/lines.h"
#include "io/pipe.h"
#include "io/proc.h"

enum { DEFAULT_PORT = 9092, PORT_MAX = 65535, PARTITIONS_MAX = 10000 };

struct serve {
    const struct cli *c;
    struct broker_opts o;
    char *hosts[BROKER_LISTENERS_MAX];
    struct {
        struct broker_setting *items;
        size_t n, cap;
    } settings;
    FILE *trace;
    struct broker *b;
    struct line_reader *lines; /**< commands of a person */
    struct pipe_reader *pipe;  /**< commands of kaos itself */
};

/** "host:port", "[v6]:port", ":port", "port" or "host". */
static int parse_address(struct serve *s, int i, const char *text)
{
    const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');
    const char *port = colon && (!bracket || colon > bracket) ? colon + 1 : NULL;
    size_t len = port ? (size_t)(port - 1 - text) : strlen(text);
    char *end = NULL;
    long n = port ? strtol(port, &end, 10) : DEFAULT_PORT;
    if (port && (end == port || *end || n < 0 || n > PORT_MAX)) {
        return cli_fail(EXIT_USAGE, "--listen: %s is not HOST:PORT", text);
    }
    bool v6 = len > 1 && text[0] == '[';
    s->hosts[i] =
        len == 0 ? xstrdup("127.0.0.1") : xmemdup0(v6 ? text + 1 : text, v6 ? len - 2 : len);
    s->o.listen[i].host = s->hosts[i];
    s->o.listen[i].port = (int)n;
    return 0;
}

static int parse_listen(struct serve *s)
{
    const char *text;
    while ((text = cli_nth(s->c, "listen", (size_t)s->o.listeners))) {
        if (s->o.listeners == BROKER_LISTENERS_MAX) {
            return cli_fail(EXIT_USAGE, "--listen: at most %d times", BROKER_LISTENERS_MAX);
        }
        int rc = parse_address(s, s->o.listeners++, text);
        if (rc) {
            return rc;
        }
    }
    return s->o.listeners ? 0 : parse_address(s, s->o.listeners++, "127.0.0.1:9092");
}

static int parse_settings(struct serve *s)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(s->c, "config", k)); k++) {
        const char *eq = strchr(text, '=');
        struct err e;
        if (!eq) {
            return cli_fail(EXIT_USAGE, "--config: %s is not NAME=VALUE", text);
        }
        char *name = xmemdup0(text, (size_t)(eq - text));
        *VEC_PUSH(&s->settings) = (struct broker_setting){name, eq + 1};
        if (broker_check_setting(name, eq + 1, &e) < 0) {
            return cli_fail(EXIT_USAGE, "--config: %s", e.msg);
        }
    }
    s->o.settings = s->settings.items;
    s->o.nsettings = s->settings.n;
    return 0;
}

/** "512", "64k", "100m", "2g": bytes. */
static int parse_memory(struct serve *s)
{
    const char *text = cli_get(s->c, "memory");
    static const char units[] = "kmg";
    char *end;
    if (!text) {
        return 0;
    }
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
    if (errno || end == text || *text == '-' || (*end && (!unit || end[1])) || n > 1ULL << 40) {
        return cli_fail(EXIT_USAGE, "--memory: %s is not a size (512m, 2g)", text);
    }
    s->o.memory = (uint64_t)n << (unit ? 10 * (unit - units + 1) : 0);
    return 0;
}

static int parse_seed(struct serve *s)
{
    const char *text = cli_get(s->c, "seed");
    char *end;
    if (!text) {
        return 0;
    }
    errno = 0;
    s->o.seed = strtoull(text, &end, 0);
    return errno || end == text || *end || *text == '-'
               ? cli_fail(EXIT_USAGE, "--seed: %s is not a number (decimal or 0x)", text)
               : 0;
}

static void write_trace(void *arg, const char *line)
{
    fprintf(arg, "%s\n", line);
    fflush(arg);
}

static int open_trace(struct serve *s)
{
    const char *path = cli_get(s->c, "trace");
    if (!path) {
        return 0;
    }
    s->trace = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (!s->trace) {
        return cli_fail(EXIT_ENVIRONMENT, "--trace: %s: %s", path, strerror(errno));
    }
    s->o.trace = write_trace;
    s->o.trace_arg = s->trace;
    return 0;
}

static int create_topics(struct serve *s)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(s->c, "topic", k)); k++) {
        const char *colon = strrchr(text, ':');
        char *end = NULL;
        long n = colon ? strtol(colon + 1, &end, 10) : 1;
        struct err e;
        if (colon && (end == colon + 1 || *end || n < 1 || n > PARTITIONS_MAX)) {
            return cli_fail(EXIT_USAGE, "--topic: %s is not NAME:PARTITIONS", text);
        }
        char *name = xmemdup0(text, colon ? (size_t)(colon - text) : strlen(text));
        int rc = broker_create_topic(s->b, name, (int32_t)n, &e);
        free(name);
        if (rc < 0) {
            return cli_fail(EXIT_USAGE, "--topic: %s", e.msg);
        }
    }
    return 0;
}

/** As many connections as the system allows this process. */
static void raise_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* ---- commands for nodes -----------------------------------------------------------------------
 */

static void on_node(void *arg, int node, const char *what)
{
    printf("node %d %s\n", node, what);
    fflush(stdout);
}

static void on_line(void *arg, const char *line)
{
    struct serve *s = arg;
    struct err e;
    if (line && *line && broker_command(s->b, line, &e) < 0) {
        fprintf(stderr, "kaos: %s\n", e.msg);
    }
}

static void on_frame(void *arg, uint8_t type, const char *data, size_t len)
{
    if (type != PIPE_EOF) {
        char *line = xmemdup0(data, len);
        on_line(arg, line);
        free(line);
    }
}

/** From standard input, or from the pipe of the process that started us. */
static int open_control(struct serve *s)
{
    const char *from = cli_get(s->c, "control");
    struct err e;
    if (!from) {
        return 0;
    }
    if (strcmp(from, "pipe") == 0) {
        s->pipe = pipe_reader_new(s->o.loop, PROC_CONTROL_FD, on_frame, s);
        return 0;
    }
    s->lines = line_reader_new(s->o.loop, STDIN_FILENO, on_line, s, &e);
    return s->lines ? 0 : cli_fail(EXIT_ENVIRONMENT, "--control: %s", e.msg);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static int serve(struct serve *s)
{
    struct err e;
    raise_limit();
    struct loop *l = loop_new();
    s->o.loop = l;
    s->b = broker_start(&s->o, &e);
    if (!s->b) {
        loop_free(l);
        return cli_fail(e.kind == ERR_USAGE ? EXIT_USAGE : EXIT_ENVIRONMENT, "%s", e.msg);
    }
    struct signals *in = signals_start(l, SIGINT, stop, l);
    struct signals *term = signals_start(l, SIGTERM, stop, l);
    int rc = create_topics(s);
    rc = rc ? rc : open_control(s);
    if (rc == 0) {
        for (int i = 0; i < s->o.listeners; i++) {
            printf("listening on %s\n", broker_bootstrap(s->b, i));
        }
        fflush(stdout);
        loop_run(l);
    }
    signals_stop(in);
    signals_stop(term);
    line_reader_free(s->lines);
    pipe_reader_free(s->pipe);
    broker_free(s->b);
    loop_free(l);
    return rc;
}

int command_broker(const struct cli *c)
{
    struct serve s = {.c = c, .o = {.nodes = 1}};
    long long nodes = 1, version = BROKER_TXN_VERSION_MAX;
    int rc = 0;
    if (cli_nargs(c) > 0) {
        return cli_fail(EXIT_USAGE, "broker: takes no arguments, only options");
    }
    if (cli_int(c, "nodes", 1, BROKER_NODES_MAX, &nodes) < 0 ||
        cli_int(c, "transaction-version", 1, BROKER_TXN_VERSION_MAX, &version) < 0) {
        return EXIT_USAGE;
    }
    const char *control = cli_get(c, "control");
    if (control && strcmp(control, "-") != 0 && strcmp(control, "pipe") != 0) {
        return cli_fail(EXIT_USAGE, "--control: %s is not - (standard input)", control);
    }
    s.o.on_node = on_node;
    s.o.nodes = (int)nodes;
    s.o.transaction_version = (int)version;
    rc = parse_listen(&s);
    rc = rc ? rc : parse_settings(&s);
    rc = rc ? rc : parse_memory(&s);
    rc = rc ? rc : parse_seed(&s);
    rc = rc ? rc : open_trace(&s);
    rc = rc ? rc : serve(&s);
    for (size_t i = 0; i < s.settings.n; i++) {
        free((char *)s.settings.items[i].name);
    }
    free(s.settings.items);
    for (int i = 0; i < BROKER_LISTENERS_MAX; i++) {
        free(s.hosts[i]);
    }
    if (s.trace && s.trace != stdout) {
        fclose(s.trace);
    }
    return rc;
}
