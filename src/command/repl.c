/* SPDX-License-Identifier: Apache-2.0 */
/* kaos repl: puts the three parts of a prompt together: the Lua of it (lua/repl.h), the cluster and
 * the roles (run/session.h), and the person, at a terminal (command/line.h) or as lines of standard
 * input. What Lua asks for is answered in repl_calls.c and its sisters.
 *
 *   line -> repl_line -> runs -> done -> next line ...       Ctrl-C: cancel; Ctrl-D: quit
 *
 * Not a terminal: nothing is decorated, the first error ends it with its exit code. */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"
#include "command/repl_priv.h"
#include "io/input.h"

enum { CLOSE_MS = 2000 };

/* ---- the signal ---- */

/* One prompt per process: a signal handler has no argument. */
static struct prompt *at_prompt;
static int signal_pipe[2] = {-1, -1};

static void on_signal(int signum)
{
    char byte = (char)signum;
    ssize_t n = write(signal_pipe[1], &byte, 1);
    (void)n;
    repl_interrupt(at_prompt->repl);
}

/* ---- writing ---- */

void prompt_write(struct prompt *p, const char *text, size_t len)
{
    if (p->line) {
        line_print(p->line, text, len);
    } else {
        fwrite(text, 1, len, stdout);
        fflush(stdout);
    }
}

static void say(struct prompt *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct prompt *p, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    prompt_write(p, b.data, b.len);
    buf_free(&b);
}

static void on_write(void *arg, const char *text, size_t len)
{
    prompt_write(arg, text, len);
}

/* ---- quitting ---- */

static void on_session_closed(void *arg, const struct err *e)
{
    struct prompt *p = arg;
    loop_stop(p->loop);
}

static void on_repl_closed(void *arg)
{
    struct prompt *p = arg;
    session_close(p->session, on_session_closed, p);
}

static void quit(struct prompt *p)
{
    if (p->quitting) {
        return;
    }
    p->quitting = true;
    if (p->line) {
        line_hide(p->line);
    }
    repl_close(p->repl, CLOSE_MS, on_repl_closed, p);
}

/* ---- lines ---- */

static void next_line(struct prompt *p);

static void take(struct prompt *p, const char *text)
{
    enum repl_line what = repl_line(p->repl, text);
    p->interrupts = 0;
    if (what == REPL_RUNS) {
        return; /* on_done goes on */
    }
    if (what == REPL_WRONG && !p->tty) {
        p->code = EXIT_SCENARIO;
        quit(p);
        return;
    }
    next_line(p);
}

static void on_done(void *arg, enum repl_end end)
{
    struct prompt *p = arg;
    if (end == REPL_QUIT || (end == REPL_FAILED && !p->tty)) {
        p->code = end == REPL_FAILED ? EXIT_SCENARIO : p->code;
        quit(p);
    } else if (!p->quitting) {
        next_line(p);
    }
}

/* Lines of standard input, read on a pool thread so that the loop goes on. */
struct reading {
    struct prompt *p;
    char *text;
    size_t cap;
    ssize_t len;
};

static void read_work(void *arg)
{
    struct reading *rd = arg;
    rd->len = getline(&rd->text, &rd->cap, stdin);
}

static void read_done(void *arg)
{
    struct reading *rd = arg;
    struct prompt *p = rd->p;
    bool end = rd->len < 0;
    if (!end && rd->len > 0 && rd->text[rd->len - 1] == '\n') {
        rd->text[rd->len - 1] = '\0';
    }
    if (p->quitting) {
        end = false;
    } else if (!end) {
        take(p, rd->text);
    } else if (repl_prompt(p->repl) && repl_line(p->repl, "") == REPL_WRONG) {
        p->code = EXIT_SCENARIO; /* an incomplete chunk at the end */
    }
    free(rd->text);
    free(rd);
    if (end) {
        quit(p);
    }
}

static void next_line(struct prompt *p)
{
    if (p->then) {
        char *text = p->then;
        p->then = NULL;
        take(p, text);
        free(text);
        return;
    }
    if (p->line) {
        line_show(p->line);
        return;
    }
    struct reading *rd = xcalloc(1, sizeof *rd);
    rd->p = p;
    loop_work(p->loop, read_work, read_done, rd);
}

static const char *give_prompt(void *arg)
{
    return repl_prompt(((struct prompt *)arg)->repl);
}

static void on_entered(void *arg, const char *text)
{
    struct prompt *p = arg;
    if (text) {
        take(p, text);
    } else {
        quit(p);
    }
}

static void on_complete(void *arg, const char *text, size_t point, struct line_words *out)
{
    struct repl_completion c;
    repl_complete(((struct prompt *)arg)->repl, text, point, &c);
    *out = (struct line_words){.start = c.start, .items = c.items, .n = c.n};
}

static void free_words(struct line_words *w)
{
    struct repl_completion c = {.items = w->items, .n = w->n};
    repl_completion_free(&c);
}

/* ---- Ctrl-C ---- */

static void on_interrupt(void *arg)
{
    struct prompt *p = arg;
    char signum, end = 0;
    while (read(signal_pipe[0], &signum, 1) > 0) {
        end = signum != SIGINT ? signum : end;
    }
    if (end) {
        p->code = 128 + end;
        repl_cancel(p->repl);
        quit(p);
        return;
    }
    bool fresh = repl_interrupted(p->repl);
    if (p->quitting) {
        return;
    }
    if (!repl_busy(p->repl)) {
        bool any = p->line && fresh && line_clear(p->line);
        any = repl_reset(p->repl) || any;
        if (p->line && fresh && !any) {
            say(p, "Ctrl-D or .quit leaves\n");
        }
        if (!p->line) {
            p->code = 128 + SIGINT;
            quit(p);
        }
        return;
    }
    if (++p->interrupts == 1) {
        session_interrupt(p->session);
        repl_cancel(p->repl);
    } else if (p->interrupts == 2) {
        say(p, "\nstill at work; Ctrl-C once more quits\n");
    } else {
        quit(p);
    }
}

static int catch_interrupts(struct prompt *p, struct err *e)
{
    at_prompt = p;
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
        return err_sys(e, "creating a pipe");
    }
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    return input_start(p->loop, signal_pipe[0], on_interrupt, p, e) ? 0 : -1;
}

/* ---- what the session says ---- */

static void on_notice(void *arg, const char *text, const char *why)
{
    struct prompt *p = arg;
    if (p->nchanges == PROMPT_CHANGES) {
        free(p->changes[0].text);
        free(p->changes[0].why);
        memmove(p->changes, p->changes + 1, sizeof p->changes - sizeof p->changes[0]);
        p->nchanges--;
    }
    p->changes[p->nchanges++] = (struct prompt_change){xstrdup(text), xstrdup(why)};
    if (!p->quiet && !p->quitting) {
        say(p, "%s %s\n", p->tty ? "*" : "--", text);
    }
}

static void on_ready(void *arg, const struct err *e, const char *log)
{
    struct prompt *p = arg;
    if (p->tty && !e) {
        say(p, "* %s is up\n", session_cluster_text(p->session));
    } else if (p->tty) {
        say(p, "* there is no cluster: %s\n%s%s", e->msg, log ? log : "", log && *log ? "\n" : "");
    }
    prompt_cluster(p, e);
}

/* ---- start ---- */

static bool is_address(const char *s)
{
    struct err e;
    const char *colon = strrchr(s, ':');
    return colon && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
           cluster_check(s, &e) == 0;
}

static int choose_cluster(struct prompt *p, const char **cluster, struct err *e)
{
    const char *attach = cli_get(p->c, "attach");
    const char *given = cli_get(p->c, "cluster");
    *cluster = given ? given : CLUSTER_DEFAULT;
    if (attach && is_address(attach)) {
        *cluster = attach;
        return 0;
    }
    if (attach) {
        *cluster = NULL;
        p->attached = true;
        return stored_open(p->store, attach, &p->stored, e);
    }
    if (strcmp(*cluster, "none") == 0) {
        *cluster = NULL;
        return 0;
    }
    return cluster_check(*cluster, e);
}

/* The history file, caller frees; NULL without a home. */
static char *history_file(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct err e;
    char *dir = state && *state == '/' ? xasprintf("%s/kaos", state)
                : home && *home        ? xasprintf("%s/.local/state/kaos", home)
                                       : NULL;
    char *file = dir && path_mkdirs(dir, 0700, &e) == 0 ? path_join(dir, "history") : NULL;
    free(dir);
    return file;
}

static int open_line(struct prompt *p, char **history, struct err *e)
{
    *history = history_file();
    p->line = line_open(&(struct line_opts){.loop = p->loop,
                                            .history = *history,
                                            .prompt = give_prompt,
                                            .entered = on_entered,
                                            .complete = on_complete,
                                            .complete_free = free_words,
                                            .arg = p},
                        e);
    return p->line ? 0 : -1;
}

static void greet(struct prompt *p, const char *cluster)
{
    say(p, "kaos %s · Lua 5.4 · %s%s · .help for help\n", KAOS_VERSION,
        p->attached ? "attached to the stored run "
        : cluster   ? "cluster: "
                    : "no cluster",
        p->attached ? p->stored.dir
        : cluster   ? cluster
                    : "");
}

/* ~/.kaosrc.lua, or NULL. */
static char *rc_text(void)
{
    const char *home = getenv("HOME");
    struct buf b = {0};
    struct err e;
    char *path = home ? path_join(home, ".kaosrc.lua") : NULL;
    bool ok = path && path_read(path, 1 << 20, &b, &e) == 0;
    free(path);
    if (!ok) {
        buf_free(&b);
        return NULL;
    }
    return buf_take(&b);
}

static void begin(struct prompt *p)
{
    char *rc = p->tty ? rc_text() : NULL;
    char *load = cli_nargs(p->c) == 1 ? xasprintf(".load %s", cli_arg(p->c, 0)) : NULL;
    if (rc && repl_line(p->repl, rc) == REPL_RUNS) {
        p->then = load;
        load = NULL;
    } else if (load) {
        take(p, load);
    } else {
        next_line(p);
    }
    free(rc);
    free(load);
}

static int run(struct prompt *p, const char *cluster)
{
    p->cluster = cluster;
    struct err e;
    char *history = NULL;
    static const struct repl_ops ops = {
        .call = prompt_call, .names = prompt_names, .write = on_write, .done = on_done};
    setlocale(LC_CTYPE, "");
    p->repl = repl_new(&(struct repl_opts){.loop = p->loop,
                                           .ops = &ops,
                                           .arg = p,
                                           .raw = !p->tty,
                                           .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
                                           .columns = line_columns()},
                       &e);
    if (!p->repl) {
        return cli_fail(EXIT_BUG, "%s", e.msg);
    }
    p->session = session_open(&(struct session_opts){.loop = p->loop,
                                                     .cluster = cluster,
                                                     .store = p->store,
                                                     .argv = cli_argv(p->c),
                                                     .notice = on_notice,
                                                     .ready = on_ready,
                                                     .arg = p});
    if (catch_interrupts(p, &e) < 0 || (p->tty && open_line(p, &history, &e) < 0)) {
        p->code = cli_fail(EXIT_ENVIRONMENT, "%s", e.msg);
    } else {
        if (p->tty) {
            greet(p, cluster);
        }
        if (p->tty && cluster) {
            session_start(p->session);
        }
        begin(p);
        loop_run(p->loop);
    }
    line_close(p->line);
    session_free(p->session);
    repl_free(p->repl);
    free(history);
    return p->code;
}

int command_repl(const struct cli *c)
{
    struct prompt p = {.c = c};
    struct err e;
    const char *cluster;
    if (cli_nargs(c) > 1) {
        return cli_fail(EXIT_USAGE, "repl: at most one file");
    }
    p.store = cli_get(c, "store") ? cli_get(c, "store") : ".kaos";
    p.tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    p.quiet = !p.tty;
    if (choose_cluster(&p, &cluster, &e) < 0) {
        stored_close(&p.stored);
        return cli_fail(EXIT_USAGE, "%s", e.msg);
    }
    p.loop = loop_new();
    int code = run(&p, cluster);
    loop_free(p.loop);
    stored_close(&p.stored);
    load_free(p.load);
    free(p.path);
    free(p.then);
    free(p.findings);
    free(p.waiting.items);
    for (size_t i = 0; i < p.nchanges; i++) {
        free(p.changes[i].text);
        free(p.changes[i].why);
    }
    return code;
}
