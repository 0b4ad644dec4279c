/* SPDX-License-Identifier: Apache-2.0 */
/* The live view decides nothing: keys call what the runner has anyway (stop, switch faults, kill),
 * and what a person did is recorded in the history. Drawing is report/live.c's, handed in. */
#include "run/ui.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/term.h"

enum { DRAW_MS = 200, LEAST_MS = 100, NOTICE_MS = 6000, DUMP_COLUMNS = 1000, JSON_MS = 1000 };

struct ui {
    struct run *r;
    struct term *term; /**< NULL unless live */
    struct timer *timer;
    struct signals *usr1, *tstp;
    struct status_screen screen;
    char notice[160];
    uint64_t notice_ns, drawn_ns;
};

/* ---- drawing ---- */

static void notice(struct ui *u, const char *text)
{
    snprintf(u->notice, sizeof u->notice, "%.*s", (int)sizeof u->notice - 1, text);
    u->notice_ns = clock_mono_ns();
}

static void draw(struct ui *u)
{
    struct status s;
    struct buf b = {0};
    uint64_t now = clock_mono_ns();
    if (now - u->drawn_ns < (uint64_t)LEAST_MS * 1000000) {
        return; /* the timer draws soon */
    }
    u->drawn_ns = now;
    status_take(u->r, &s);
    s.notice = now - u->notice_ns < (uint64_t)NOTICE_MS * 1000000 ? u->notice : "";
    term_size(u->term, &u->screen.columns, &u->screen.rows);
    u->r->o->draw(&s, &u->screen, &b);
    term_draw(u->term, b.data ? b.data : "", b.len);
    buf_free(&b);
}

static void on_draw(void *arg)
{
    draw(arg);
}

/** What `t` shows, as plain text on standard error. */
static void dump(struct run *r)
{
    struct status s;
    struct buf b = {0};
    struct status_screen screen = {
        .columns = DUMP_COLUMNS, .utf8 = r->o->utf8, .page = PAGE_DETAILS};
    status_take(r, &s);
    r->o->draw(&s, &screen, &b);
    fwrite(b.data, 1, b.len, stderr);
    fflush(stderr);
    buf_free(&b);
}

static void on_usr1(void *arg)
{
    struct ui *u = arg;
    if (!u->r->o->draw) {
        return;
    }
    if (u->term && isatty(STDERR_FILENO)) { /* it would tear the view */
        u->screen.page = PAGE_DETAILS;
        draw(u);
    } else {
        dump(u->r);
    }
}

/* ---- keys ---- */

const char *ui_kill(struct run *r, struct slot *s)
{
    struct member *m = s->current;
    if (!m || !m->up) {
        return "it does not run now";
    }
    if (r->phase != PH_WORK && r->phase != PH_ROLES && r->phase != PH_DRAIN) {
        return "too late to kill anybody";
    }
    m->by_hand = true;
    member_signal(m, SIGKILL, -1);
    return NULL;
}

static void kill_key(struct ui *u, char key)
{
    static const char names[] = "123456789abcdefghijklmnopqrstuvwxyz";
    const char *at = key ? strchr(names, key) : NULL;
    size_t k = at ? (size_t)(at - names) : sizeof names;
    u->screen.page = PAGE_MAIN;
    for (size_t i = 0; i < u->r->nslots; i++) {
        struct slot *s = &u->r->slots[i];
        if (s->role && k-- == 0) {
            const char *why = ui_kill(u->r, s);
            char text[128];
            snprintf(text, sizeof text, "%s.%d: %s", s->name, s->index, why ? why : "killed");
            notice(u, text);
            return;
        }
    }
}

static void faults_key(struct ui *u)
{
    struct run *r = u->r;
    if (r->phase != PH_WORK) {
        notice(u, "faults can be switched while the roles work");
    } else if (r->clocks.n == 0 && r->plan->faults.n > 0) {
        notice(u, "this run has no faults (--no-faults)");
    } else {
        bool on = !r->faults_on;
        faults_switch(r, on);
        hist_add(r->hist, H_CONFIG, HP_FACT, 0, HS("person"), HS("faults"), HS(on ? "on" : "off"));
        notice(u, on ? "faults are on" : "faults are off");
    }
}

static void stop_key(struct ui *u)
{
    if (u->r->phase < PH_WORK) {
        notice(u, "there is nothing to judge yet; ^C ends the run");
    } else if (u->r->phase == PH_WORK) {
        u->r->out->stopped = true;
        notice(u, "stopping, draining and judging (^C: stop at once)");
        run_drain(u->r, "stopped by hand");
    }
}

static void turn_page(struct ui *u, enum status_page page)
{
    u->screen.page = u->screen.page == page ? PAGE_MAIN : page;
    u->screen.skip = 0;
}

static void on_key(struct ui *u, char key)
{
    if (u->screen.page == PAGE_KILL) {
        kill_key(u, key);
        return;
    }
    switch (key) {
    case 't':
        turn_page(u, PAGE_DETAILS);
        break;
    case 'k':
        turn_page(u, PAGE_KILL);
        break;
    case 'l':
        u->screen.chosen += u->screen.page == PAGE_LOGS;
        u->screen.page = PAGE_LOGS;
        break;
    case ' ':
        u->screen.skip += u->screen.page == PAGE_DETAILS ? (size_t)u->screen.rows / 2 : 0;
        break;
    case 'f':
        faults_key(u);
        break;
    case 'q':
        stop_key(u);
        break;
    default:
        u->screen.page = PAGE_MAIN;
    }
}

static void on_keys(void *arg, const char *keys, size_t n)
{
    struct ui *u = arg;
    for (size_t i = 0; i < n && !u->r->failed; i++) {
        if (keys[i] == '\033' && i + 1 < n) {
            break; /* an arrow or function key */
        }
        on_key(u, keys[i]);
    }
    u->drawn_ns = 0; /* keys are answered at once */
    draw(u);
}

/* ---- Ctrl-Z ---- */

static void stop_here(void *arg)
{
    raise(SIGSTOP); /* comes back with SIGCONT */
}

/** Everything of the run stops and goes on together; timers do not run meanwhile. What the brokers'
 * clocks make of it is another matter: longer stops are noted by the runner as any other. */
static void on_tstp(void *arg)
{
    struct ui *u = arg;
    struct run *r = u->r;
    uint64_t before = clock_mono_ns();
    if (u->term) {
        term_leave(u->term);
    }
    guard_freeze(r->guard);
    loop_freeze(r->loop, stop_here, NULL);
    guard_thaw(r->guard);
    uint64_t gap = clock_mono_ns() - before;
    r->faults_ns += r->faults_ns ? gap : 0;
    r->next_status_ns += gap;
    r->probe.since_ns += gap;
    r->probe.quiet_ns += gap;
    if (u->term) {
        term_enter(u->term);
        u->drawn_ns = 0;
        draw(u);
    }
}

/* ---- JSON ---- */

static void write_json(struct run *r, json_t *j)
{
    json_dumpf(j, r->o->out, JSON_COMPACT);
    fputc('\n', r->o->out);
    fflush(r->o->out);
    json_decref(j);
}

static void on_json(void *arg)
{
    struct ui *u = arg;
    struct status s;
    status_take(u->r, &s);
    write_json(u->r, ui_json_status(&s));
}

/* ---- start, lines, end ---- */

void ui_say(struct run *r, const char *fmt, va_list ap)
{
    char text[512];
    vsnprintf(text, sizeof text, fmt, ap);
    if (!r->o->out || r->o->ui == RUN_UI_QUIET) {
        return;
    }
    if (r->o->ui == RUN_UI_JSON) {
        write_json(r, json_pack("{s:i,s:s,s:s}", "v", 1, "type", "note", "text", text));
    } else if (r->ui && r->ui->term) {
        notice(r->ui, text);
    } else {
        fprintf(r->o->out, "%s\n", text);
        fflush(r->o->out);
    }
}

void ui_status(struct run *r)
{
    struct status s;
    if (!r->o->out || r->o->ui != RUN_UI_LINES) {
        return;
    }
    status_take(r, &s);
    long long t = (long long)(s.elapsed_ms / 1000);
    run_say(r,
            "[%02d:%02d] sent %llu  acked %llu  delivered %llu  commits %llu  aborts %llu  "
            "deaths %llu  in %.0f/s  out %.0f/s",
            (int)(t / 60), (int)(t % 60), (unsigned long long)s.sent, (unsigned long long)s.acked,
            (unsigned long long)s.delivered, (unsigned long long)s.commits,
            (unsigned long long)s.aborts, (unsigned long long)s.deaths, s.delivered_rate,
            s.sent_rate);
}

void ui_start(struct run *r)
{
    struct ui *u = r->ui = xcalloc(1, sizeof *u);
    u->r = r;
    u->usr1 = signals_start(r->loop, SIGUSR1, on_usr1, u);
    u->tstp = signals_start(r->loop, SIGTSTP, on_tstp, u);
    if (r->o->ui == RUN_UI_LIVE && r->o->draw) {
        u->term = term_open(&(struct term_opts){
            .loop = r->loop, .on_keys = on_keys, .on_resize = on_draw, .arg = u});
    }
    if (u->term) {
        u->screen = (struct status_screen){
            .utf8 = r->o->utf8, .color = r->o->color, .keys = term_has_keys(u->term)};
        u->timer = timer_start(r->loop, DRAW_MS, DRAW_MS, on_draw, u);
    } else if (r->o->ui == RUN_UI_JSON && r->o->out) {
        u->timer = timer_start(r->loop, JSON_MS, JSON_MS, on_json, u);
    }
}

void ui_stop(struct run *r)
{
    struct ui *u = r->ui;
    if (u) {
        term_close(u->term);
        timer_stop(u->timer);
        signals_stop(u->usr1);
        signals_stop(u->tstp);
        free(u);
        r->ui = NULL;
    }
    status_free(r);
}
