/* SPDX-License-Identifier: Apache-2.0 */
/* Hides termios and escape sequences. Signals stay switched on: ^C and ^Z arrive as signals, so the
 * rules of a run without terminal hold. What restores the terminal must work inside a signal
 * handler; it therefore uses three statics and system calls only. */
#include "io/term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/handle.h"

enum { IN = 0, OUT = 1, COLUMNS = 80, ROWS = 24, WRITE_MS = 200 };

/* Other screen, cursor hidden, no wrapping at the right edge; and back. */
static const char enter_text[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_text[] = "\033[?7h\033[?25h\033[?1049l";
static const int fatal[] = {SIGHUP, SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static struct termios saved;
static volatile sig_atomic_t entered, raw;
static struct sigaction before[ARRAY_LEN(fatal)];

struct term {
    struct handle handle;
    uv_poll_t poll;
    bool keys, polling, closed;
    struct signals *winch, *cont;
    struct term_opts o;
};

static void restore(void)
{
    if (entered) {
        entered = 0;
        ssize_t n = write(OUT, leave_text, sizeof leave_text - 1);
        (void)n;
    }
    if (raw) {
        raw = 0;
        tcsetattr(IN, TCSADRAIN, &saved);
    }
}

static void on_fatal(int signum)
{
    restore();
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
        if (fatal[i] == signum) {
            sigaction(signum, &before[i], NULL);
        }
    }
    raise(signum);
}

static void guard_state(bool on)
{
    static bool at_exit;
    struct sigaction sa = {.sa_handler = on_fatal};
    if (on && !at_exit) {
        at_exit = atexit(restore) == 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
        if (on) {
            sigaction(fatal[i], &sa, &before[i]);
        } else {
            sigaction(fatal[i], &before[i], NULL);
        }
    }
}

bool term_usable(void)
{
    const char *name = getenv("TERM");
    return isatty(OUT) && name && *name && strcmp(name, "dumb") != 0;
}

/** A background job must not touch the terminal. */
static bool foreground(void)
{
    pid_t group = tcgetpgrp(OUT);
    return group < 0 || group == getpgrp();
}

static void on_keys(uv_poll_t *poll, int status, int events)
{
    struct term *t = (struct term *)((char *)poll->data - offsetof(struct term, handle));
    char keys[64];
    ssize_t n = status == 0 ? read(IN, keys, sizeof keys) : -1;
    if (n > 0) {
        t->o.on_keys(t->o.arg, keys, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        uv_poll_stop(&t->poll); /* the terminal is gone */
        t->polling = false;
    }
}

void term_enter(struct term *t)
{
    if (entered || !foreground()) {
        return;
    }
    if (t->keys && (raw || tcgetattr(IN, &saved) == 0)) { /* while raw, saved is what was before */
        struct termios now = saved;
        now.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
        now.c_cc[VMIN] = 1;
        now.c_cc[VTIME] = 0;
        raw = tcsetattr(IN, TCSADRAIN, &now) == 0;
    }
    entered = write(OUT, enter_text, sizeof enter_text - 1) > 0;
    if (t->keys && !t->polling) {
        t->polling = uv_poll_start(&t->poll, UV_READABLE, on_keys) == 0;
    }
}

void term_leave(struct term *t)
{
    if (t->polling) {
        uv_poll_stop(&t->poll);
        t->polling = false;
    }
    if (foreground()) {
        restore();
    } else {
        entered = raw = 0;
    }
}

static void on_winch(void *arg)
{
    struct term *t = arg;
    t->o.on_resize(t->o.arg);
}

/** Somebody stopped us from outside and lets us go on: the shell has used the terminal. */
static void on_cont(void *arg)
{
    struct term *t = arg;
    entered = 0;
    term_enter(t);
    t->o.on_resize(t->o.arg);
}

static void free_term(uv_handle_t *h)
{
    free((char *)h->data - offsetof(struct term, handle));
}

static void close_handle(struct handle *h)
{
    term_close((struct term *)((char *)h - offsetof(struct term, handle)));
}

struct term *term_open(const struct term_opts *o)
{
    if (!term_usable()) {
        return NULL;
    }
    struct term *t = xcalloc(1, sizeof *t);
    t->o = *o;
    t->handle = (struct handle){"terminal", close_handle};
    t->keys = isatty(IN) && uv_poll_init(loop_uv(o->loop), &t->poll, IN) == 0;
    if (t->keys) {
        t->poll.data = &t->handle;
        uv_unref((uv_handle_t *)&t->poll);
    }
    t->winch = signals_start(o->loop, SIGWINCH, on_winch, t);
    t->cont = signals_start(o->loop, SIGCONT, on_cont, t);
    guard_state(true);
    term_enter(t);
    return t;
}

void term_close(struct term *t)
{
    if (!t || t->closed) {
        return;
    }
    t->closed = true;
    term_leave(t);
    guard_state(false);
    signals_stop(t->winch);
    signals_stop(t->cont);
    if (t->keys) {
        uv_close((uv_handle_t *)&t->poll, free_term);
    } else {
        free(t);
    }
}

bool term_has_keys(const struct term *t)
{
    return t->keys;
}

void term_size(const struct term *t, int *columns, int *rows)
{
    struct winsize ws = {0};
    bool known = ioctl(OUT, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 && ws.ws_row > 0;
    *columns = known ? ws.ws_col : COLUMNS;
    *rows = known ? ws.ws_row : ROWS;
}

static bool writable(int ms)
{
    struct pollfd p = {.fd = OUT, .events = POLLOUT};
    return poll(&p, 1, ms) == 1 && p.revents & POLLOUT;
}

static void write_all(const char *data, size_t len)
{
    while (len > 0 && writable(WRITE_MS)) {
        ssize_t n = write(OUT, data, len < 1024 ? len : 1024);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return;
        }
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

void term_draw(struct term *t, const char *text, size_t len)
{
    if (!entered) {
        term_enter(t);
    }
    if (!entered || !foreground() || !writable(0)) {
        return;
    }
    struct buf b = {0};
    buf_puts(&b, "\033[H");
    for (const char *p = text, *end = text + len; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((nl ? nl : end) - p);
        buf_append(&b, p, n);
        buf_puts(&b, "\033[K");
        p += n + (nl != NULL);
        if (p < end) { /* none behind the last one: it would scroll */
            buf_puts(&b, "\r\n");
        }
    }
    buf_puts(&b, "\033[J");
    write_all(b.data, b.len);
    buf_free(&b);
}
