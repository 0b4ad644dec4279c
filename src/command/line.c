/* SPDX-License-Identifier: Apache-2.0 */
/* Hides libedit and the terminal. libedit runs unbuffered: each turn of the loop in which a key is
 * there gives it one character, so a wait of the loop is never a wait for a person. Text of others
 * is written above the input: the rows of the input are cleared, the text is written, and libedit
 * draws its line again.
 *
 * The loop watches a descriptor of its own for the same terminal, because a watched one becomes
 * non-blocking, and the terminal of the shell must not. The only door to histedit.h. */
#include "command/line.h"

#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "io/input.h"

enum { HISTORY_LINES = 1000, END_KEY = 4 /* Ctrl-D */ };

struct line {
    struct line_opts o;
    EditLine *el;
    History *past;
    int fd; /**< watched */
    struct input *input;
    struct signals *resized;
    bool shown;
    void (*old_stop)(int);
};

int line_columns(void)
{
    struct winsize w;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

static size_t columns_of(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    }
    return n;
}

static void write_all(const char *text, size_t len)
{
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

/* ---- what libedit calls ---- */

static struct line *line_of(EditLine *el)
{
    void *l = NULL;
    el_get(el, EL_CLIENTDATA, &l);
    return l;
}

static char *give_prompt(EditLine *el)
{
    struct line *l = line_of(el);
    return (char *)(uintptr_t)l->o.prompt(l->o.arg);
}

static size_t common(const struct line_words *w)
{
    size_t n = strlen(w->items[0]);
    for (size_t i = 1; i < w->n; i++) {
        size_t k = 0;
        while (k < n && w->items[i][k] == w->items[0][k]) {
            k++;
        }
        n = k;
    }
    return n;
}

/** The words in columns below the input. */
static void list_words(const struct line_words *w)
{
    struct buf b = {0};
    size_t wide = 0, across = (size_t)line_columns();
    for (size_t i = 0; i < w->n; i++) {
        size_t n = strlen(w->items[i]) + 2;
        wide = n > wide ? n : wide;
    }
    size_t per_row = across / wide ? across / wide : 1;
    for (size_t i = 0; i < w->n; i++) {
        bool last = (i + 1) % per_row == 0 || i + 1 == w->n;
        buf_printf(&b, "%s%-*s%s", i == 0 ? "\n" : "", last ? 0 : (int)wide, w->items[i],
                   last ? "\n" : "");
    }
    write_all(b.data, b.len);
    buf_free(&b);
}

static unsigned char on_tab(EditLine *el, wint_t key)
{
    struct line *l = line_of(el);
    const LineInfo *li = el_line(el);
    size_t point = (size_t)(li->cursor - li->buffer);
    char *text = xmemdup0(li->buffer, (size_t)(li->lastchar - li->buffer));
    struct line_words w = {0};
    unsigned char rc = CC_ERROR;
    l->o.complete(l->o.arg, text, point, &w);
    size_t typed = point - w.start, shared = w.n ? common(&w) : 0;
    if (w.n > 0 && shared > typed) {
        char *word = xmemdup0(w.items[0], shared);
        el_deletestr(el, (int)columns_of(text + w.start, typed));
        el_insertstr(el, word);
        free(word);
        rc = CC_REFRESH;
    } else if (w.n > 1) {
        list_words(&w);
        rc = CC_REDISPLAY;
    }
    l->o.complete_free(&w);
    free(text);
    return rc;
}

/* ---- keys ---- */

static bool hung_up(void)
{
    int n = 0;
    return ioctl(STDIN_FILENO, FIONREAD, &n) < 0 || n == 0;
}

static void take_line(struct line *l, const char *text, size_t len)
{
    char *copy = xmemdup0(text, len);
    HistEvent ev;
    line_hide(l);
    if (strspn(copy, " \t") < len) {
        history(l->past, &ev, H_ENTER, copy);
        if (l->o.history) {
            history(l->past, &ev, H_SAVE, l->o.history);
        }
    }
    l->o.entered(l->o.arg, copy);
    free(copy);
}

static void on_key(void *arg)
{
    struct line *l = arg;
    int n = 0;
    if (!l->shown) {
        return;
    }
    if (hung_up()) {
        line_hide(l);
        l->o.entered(l->o.arg, NULL);
        return;
    }
    const char *text = el_gets(l->el, &n);
    if (!text || n <= 0) {
        return;
    }
    if (n == 1 && text[0] == END_KEY) {
        line_hide(l);
        write_all("\n", 1);
        l->o.entered(l->o.arg, NULL);
    } else if (text[n - 1] == '\n' || text[n - 1] == '\r') {
        take_line(l, text, (size_t)n - 1);
    }
}

/* ---- shown and hidden ---- */

void line_show(struct line *l)
{
    struct err e;
    if (l->shown) {
        return;
    }
    l->shown = true;
    el_set(l->el, EL_UNBUFFERED, 1);
    l->input = input_start(l->o.loop, l->fd, on_key, l, &e);
}

void line_hide(struct line *l)
{
    if (!l->shown) {
        return;
    }
    l->shown = false;
    el_set(l->el, EL_UNBUFFERED, 0);
    input_stop(l->input);
    l->input = NULL;
}

/** The cursor goes to the first row of the input, and what stands from there on is cleared. */
static void clear_rows(struct line *l)
{
    const LineInfo *li = el_line(l->el);
    const char *p = l->o.prompt(l->o.arg);
    size_t at =
        columns_of(p, strlen(p)) + columns_of(li->buffer, (size_t)(li->cursor - li->buffer));
    size_t rows = at / (size_t)line_columns();
    printf("\r");
    if (rows > 0) {
        printf("\033[%zuA", rows);
    }
    printf("\033[J");
}

void line_print(struct line *l, const char *text, size_t len)
{
    if (!l->shown) {
        write_all(text, len);
        return;
    }
    clear_rows(l);
    write_all(text, len);
    if (len == 0 || text[len - 1] != '\n') {
        write_all("\n", 1);
    }
    el_set(l->el, EL_REFRESH);
}

bool line_clear(struct line *l)
{
    const LineInfo *li = el_line(l->el);
    bool any = l->shown && li->lastchar > li->buffer;
    if (l->shown) {
        write_all("\n", 1);
        line_hide(l);
        line_show(l);
    }
    return any;
}

void line_past(const struct line *l, int n, struct buf *out)
{
    HistEvent ev;
    int have = 0;
    for (int rc = history(l->past, &ev, H_FIRST); rc == 0 && have + 1 < n; have++) {
        rc = history(l->past, &ev, H_NEXT); /* newest first: back to the oldest that is wanted */
    }
    for (int rc = history(l->past, &ev, H_CURR); rc == 0; rc = history(l->past, &ev, H_PREV)) {
        buf_printf(out, "%s\n", ev.str);
    }
}

static void on_resize(void *arg)
{
    struct line *l = arg;
    el_resize(l->el);
}

/* ---- life ---- */

static void set_up(struct line *l)
{
    el_set(l->el, EL_CLIENTDATA, l);
    el_set(l->el, EL_SIGNAL, 0);
    el_set(l->el, EL_EDITOR, "emacs");
    el_set(l->el, EL_PROMPT, give_prompt);
    el_set(l->el, EL_HIST, history, l->past);
    /* wide: libedit keeps these strings, and would keep copies of narrow ones for ever */
    el_wset(l->el, EL_ADDFN, L"kaos-complete", L"completes the word", on_tab);
    el_set(l->el, EL_BIND, "^I", "kaos-complete", NULL);
    el_set(l->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

struct line *line_open(const struct line_opts *o, struct err *e)
{
    HistEvent ev;
    int fd = open("/proc/self/fd/0", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        err_sys(e, "opening the terminal");
        return NULL;
    }
    setlocale(LC_CTYPE, "");
    struct line *l = xcalloc(1, sizeof *l);
    l->o = *o;
    l->fd = fd;
    l->el = el_init("kaos", stdin, stdout, stderr);
    l->past = history_init();
    if (!l->el || !l->past) {
        err_set(e, ERR_SYSTEM, 0, "the terminal cannot be used for editing");
        line_close(l);
        return NULL;
    }
    history(l->past, &ev, H_SETSIZE, HISTORY_LINES);
    history(l->past, &ev, H_SETUNIQUE, 1);
    if (o->history) {
        history(l->past, &ev, H_LOAD, o->history);
    }
    set_up(l);
    l->old_stop = signal(SIGTSTP, SIG_IGN); /* children would go on while their supervisor stands */
    l->resized = signals_start(o->loop, SIGWINCH, on_resize, l);
    return l;
}

void line_close(struct line *l)
{
    if (!l) {
        return;
    }
    line_hide(l);
    signals_stop(l->resized);
    if (l->el) {
        el_end(l->el);
        signal(SIGTSTP, l->old_stop);
    }
    if (l->past) {
        history_end(l->past);
    }
    close(l->fd);
    free(l);
}
