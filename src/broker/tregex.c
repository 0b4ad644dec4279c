/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how patterns are matched: a tree is read, a program of steps is written from it, and all
 * ways through the program are followed at once. Loop thread only. */
#include "broker/tregex.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    PATTERN_MAX = 4000,
    DEPTH_MAX = 200,
    STEPS_MAX = 20000,
    CALLS_MAX = 100000,
    REPEAT_MAX = 1000,
    UNLIMITED = -1
};

enum kind { EMPTY, SET, CAT, ALT, REPEAT, BEGIN, END };
struct set {
    uint8_t bits[32];
};
struct node {
    enum kind kind;
    int a, b;     /**< children: nodes */
    int min, max; /**< REPEAT */
    struct set set;
};
enum op { OP_SET, OP_SPLIT, OP_BEGIN, OP_END, OP_MATCH };
struct step {
    enum op op;
    int next, other; /**< OP_SPLIT goes to both */
    struct set set;
};
struct tregex {
    struct {
        struct step *items;
        size_t n, cap;
    } steps;
    int first;
};

/* ---- sets of bytes ----------------------------------------------------------------------------
 */

static void set_add(struct set *s, int low, int high)
{
    for (int c = low; c <= high; c++) {
        s->bits[c / 8] |= (uint8_t)(1 << c % 8);
    }
}

static bool set_has(const struct set *s, unsigned char c)
{
    return s->bits[c / 8] >> c % 8 & 1;
}

static void set_invert(struct set *s)
{
    for (size_t i = 0; i < sizeof s->bits; i++) {
        s->bits[i] = (uint8_t)~s->bits[i];
    }
}

static void set_join(struct set *to, const struct set *from)
{
    for (size_t i = 0; i < sizeof to->bits; i++) {
        to->bits[i] |= from->bits[i];
    }
}

/** \d, \w, \s and their opposites. */
static bool set_class(struct set *s, char c)
{
    struct set x = {0};
    switch (tolower((unsigned char)c)) {
    case 'w':
        set_add(&x, 'a', 'z');
        set_add(&x, 'A', 'Z');
        set_add(&x, '_', '_');
        set_add(&x, '0', '9');
        break;
    case 'd':
        set_add(&x, '0', '9');
        break;
    case 's':
        set_add(&x, '\t', '\n');
        set_add(&x, '\f', '\r');
        set_add(&x, ' ', ' ');
        break;
    default:
        return false;
    }
    if (isupper((unsigned char)c)) {
        set_invert(&x);
    }
    set_join(s, &x);
    return true;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct reader {
    const char *p;
    const char *why; /**< NULL = all well */
    int depth;
    struct {
        struct node *items;
        size_t n, cap;
    } nodes;
};

static int fail(struct reader *r, const char *why)
{
    if (!r->why) {
        r->why = why;
    }
    return 0;
}

static int add(struct reader *r, struct node n)
{
    *VEC_PUSH(&r->nodes) = n;
    return (int)r->nodes.n - 1;
}

/** A byte behind a backslash that stands for itself. */
static bool is_quoted(char c)
{
    return c && ispunct((unsigned char)c) && c != '_';
}

static void read_named_class(struct reader *r, struct set *s)
{
    static const struct {
        const char *name;
        int (*is)(int);
    } names[] = {{"alpha", isalpha}, {"digit", isdigit}, {"alnum", isalnum}, {"lower", islower},
                 {"upper", isupper}, {"punct", ispunct}, {"space", isspace}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = strlen(names[i].name);
        if (strncmp(r->p + 2, names[i].name, len) == 0 && strncmp(r->p + 2 + len, ":]", 2) == 0) {
            for (int c = 0; c < 128; c++) {
                if (names[i].is(c)) {
                    set_add(s, c, c);
                }
            }
            r->p += len + 4;
            return;
        }
    }
    fail(r, "the pattern has an unknown class [:...:]");
}

/** One byte of a class, or -1 when a whole class was read. */
static int read_class_byte(struct reader *r, struct set *s)
{
    unsigned char c = (unsigned char)*r->p++;
    if (c != '\\') {
        return c;
    }
    char escaped = *r->p++;
    if (escaped && set_class(s, escaped)) {
        return -1;
    }
    if (!is_quoted(escaped)) {
        r->p--;
        return fail(r, "the pattern has an escape that is not known");
    }
    return (unsigned char)escaped;
}

static int read_class(struct reader *r)
{
    struct node n = {.kind = SET};
    bool inverted = *r->p == '^';
    r->p += inverted;
    for (bool first = true; *r->p && (*r->p != ']' || first) && !r->why; first = false) {
        if (strncmp(r->p, "[:", 2) == 0) {
            read_named_class(r, &n.set);
            continue;
        }
        int low = read_class_byte(r, &n.set), high = low;
        if (low >= 0 && *r->p == '-' && r->p[1] && r->p[1] != ']') {
            r->p++;
            high = read_class_byte(r, &n.set);
            if (high < low) {
                return fail(r, "the pattern has a range that ends before it begins");
            }
        }
        if (low >= 0) {
            set_add(&n.set, low, high);
        }
    }
    if (*r->p != ']') {
        return fail(r, "the pattern lacks a ]");
    }
    r->p++;
    if (inverted) {
        set_invert(&n.set);
    }
    return add(r, n);
}

static int read_either(struct reader *r);

static int read_group(struct reader *r)
{
    if (strncmp(r->p, "?:", 2) == 0) {
        r->p += 2;
    } else if (*r->p == '?') {
        return fail(r, "groups (?...) other than (?:...) are not supported");
    }
    if (++r->depth > DEPTH_MAX) {
        return fail(r, "the pattern is nested too deep");
    }
    int n = read_either(r);
    r->depth--;
    if (*r->p != ')') {
        return fail(r, "the pattern lacks a )");
    }
    r->p++;
    return n;
}

static int read_escape(struct reader *r)
{
    struct node n = {.kind = SET};
    char c = *r->p;
    if (c == 'A' || c == 'z') {
        n.kind = c == 'A' ? BEGIN : END;
    } else if (is_quoted(c)) {
        set_add(&n.set, c, c);
    } else if (!c || !set_class(&n.set, c)) {
        return fail(r, "the pattern has an escape that is not known");
    }
    r->p++;
    return add(r, n);
}

static int read_atom(struct reader *r)
{
    struct node n = {.kind = SET};
    unsigned char c = (unsigned char)*r->p++;
    switch (c) {
    case '(':
        return read_group(r);
    case '[':
        return read_class(r);
    case '\\':
        return read_escape(r);
    case '*':
    case '+':
    case '?':
        return fail(r, "the pattern repeats nothing");
    case '^':
        n.kind = BEGIN;
        break;
    case '$':
        n.kind = END;
        break;
    case '.':
        set_add(&n.set, 0, 255);
        break;
    default:
        set_add(&n.set, c, c);
    }
    return add(r, n);
}

/** {n}, {n,} or {n,m}; anything else is text. */
static bool read_counts(struct reader *r, int *min, int *max)
{
    char *end;
    const char *p = r->p + 1;
    if (!isdigit((unsigned char)*p)) {
        return false;
    }
    long low = strtol(p, &end, 10), high = low;
    if (*end == ',') {
        p = end + 1;
        high = UNLIMITED;
        if (isdigit((unsigned char)*p)) {
            high = strtol(p, &end, 10);
        } else {
            end++;
        }
    }
    if (*end != '}') {
        return false;
    }
    if (low > REPEAT_MAX || high > REPEAT_MAX || (high != UNLIMITED && high < low)) {
        fail(r, "the pattern repeats in vain or too often");
    }
    *min = (int)low;
    *max = (int)high;
    r->p = end + 1;
    return true;
}

static int read_repeated(struct reader *r)
{
    int atom = read_atom(r), min = 0, max = UNLIMITED;
    char c = *r->p;
    if (r->why || !c || !strchr("*+?{", c)) {
        return atom;
    }
    if (c != '{') {
        min = c == '+';
        max = c == '?' ? 1 : UNLIMITED;
        r->p++;
    } else if (!read_counts(r, &min, &max)) {
        return atom; /* the brace is read as text, next */
    }
    r->p += *r->p == '?'; /* sooner or later: of no matter for the whole name */
    if (*r->p && strchr("*+?", *r->p)) {
        return fail(r, "the pattern repeats a repetition");
    }
    return add(r, (struct node){.kind = REPEAT, .a = atom, .min = min, .max = max});
}

static int read_sequence(struct reader *r)
{
    int all = add(r, (struct node){.kind = EMPTY});
    while (*r->p && *r->p != '|' && *r->p != ')' && !r->why) {
        int one = read_repeated(r);
        all = add(r, (struct node){.kind = CAT, .a = all, .b = one});
    }
    return all;
}

static int read_either(struct reader *r)
{
    int all = read_sequence(r);
    while (*r->p == '|' && !r->why) {
        r->p++;
        int other = read_sequence(r);
        all = add(r, (struct node){.kind = ALT, .a = all, .b = other});
    }
    return all;
}

/* ---- writing the program: backwards, each part knows what follows it ----------------------------
 */

struct writer {
    struct tregex *re;
    const struct node *nodes;
    int calls;
    bool full; /**< too large */
};

static int put(struct writer *w, struct step s)
{
    if (w->re->steps.n >= STEPS_MAX) {
        w->full = true;
        return 0;
    }
    *VEC_PUSH(&w->re->steps) = s;
    return (int)w->re->steps.n - 1;
}

static int write_node(struct writer *w, int at, int next);

static int write_repeat(struct writer *w, const struct node *n, int next)
{
    if (n->max == UNLIMITED) {
        int loop = put(w, (struct step){.op = OP_SPLIT, .other = next});
        int body = write_node(w, n->a, loop);
        w->re->steps.items[loop].next = body;
        next = loop;
    }
    for (int i = n->min; i < n->max && !w->full; i++) {
        int body = write_node(w, n->a, next);
        next = put(w, (struct step){.op = OP_SPLIT, .next = body, .other = next});
    }
    for (int i = 0; i < n->min && !w->full; i++) {
        next = write_node(w, n->a, next);
    }
    return next;
}

static int write_node(struct writer *w, int at, int next)
{
    const struct node *n = &w->nodes[at];
    w->full = w->full || ++w->calls > CALLS_MAX;
    if (w->full) {
        return 0;
    }
    switch (n->kind) {
    case EMPTY:
        return next;
    case CAT:
        return write_node(w, n->a, write_node(w, n->b, next));
    case ALT: {
        int a = write_node(w, n->a, next);
        int b = write_node(w, n->b, next);
        return put(w, (struct step){.op = OP_SPLIT, .next = a, .other = b});
    }
    case REPEAT:
        return write_repeat(w, n, next);
    case BEGIN:
        return put(w, (struct step){.op = OP_BEGIN, .next = next});
    case END:
        return put(w, (struct step){.op = OP_END, .next = next});
    default:
        return put(w, (struct step){.op = OP_SET, .next = next, .set = n->set});
    }
}

struct tregex *tregex_new(const char *pattern, const char **why)
{
    struct reader r = {.p = pattern};
    int root =
        strlen(pattern) > PATTERN_MAX ? fail(&r, "the pattern is too long") : read_either(&r);
    if (!r.why && *r.p) {
        fail(&r, "the pattern has a ) too many");
    }
    struct tregex *re = NULL;
    if (!r.why) {
        re = xcalloc(1, sizeof *re);
        struct writer w = {.re = re, .nodes = r.nodes.items};
        re->first = write_node(&w, root, put(&w, (struct step){.op = OP_MATCH}));
        if (w.full) {
            fail(&r, "the pattern is too large");
            tregex_free(re);
            re = NULL;
        }
    }
    free(r.nodes.items);
    *why = r.why;
    return re;
}

size_t tregex_cost(const struct tregex *r)
{
    return r ? sizeof *r + r->steps.cap * sizeof *r->steps.items : 0;
}

void tregex_free(struct tregex *r)
{
    if (r) {
        free(r->steps.items);
        free(r);
    }
}

/* ---- matching ---------------------------------------------------------------------------------
 */

/** Steps that are reached at one place of the name. */
struct reached {
    int *items, n;
    bool *in;
};

static void reach(struct reached *at, int step)
{
    if (!at->in[step]) {
        at->in[step] = true;
        at->items[at->n++] = step;
    }
}

/** Follows what takes no byte; @return whether the end of the program is reached. */
static bool follow(const struct tregex *r, struct reached *at, bool begin, bool end)
{
    bool match = false;
    for (int i = 0; i < at->n; i++) {
        const struct step *s = &r->steps.items[at->items[i]];
        match = match || s->op == OP_MATCH;
        if (s->op == OP_SPLIT) {
            reach(at, s->next);
            reach(at, s->other);
        } else if ((s->op == OP_BEGIN && begin) || (s->op == OP_END && end)) {
            reach(at, s->next);
        }
    }
    return match;
}

bool tregex_matches(const struct tregex *r, const char *name)
{
    size_t n = r->steps.n;
    struct reached now = {.items = xcalloc(n, sizeof(int)), .in = xcalloc(n, 1)};
    struct reached then = {.items = xcalloc(n, sizeof(int)), .in = xcalloc(n, 1)};
    reach(&now, r->first);
    bool match = follow(r, &now, true, !*name);
    for (const char *p = name; *p; p++) {
        for (int i = 0; i < now.n; i++) {
            const struct step *s = &r->steps.items[now.items[i]];
            if (s->op == OP_SET && set_has(&s->set, (unsigned char)*p)) {
                reach(&then, s->next);
            }
        }
        match = follow(r, &then, false, !p[1]);
        struct reached old = now;
        now = then;
        then = old;
        memset(then.in, 0, n);
        then.n = 0;
    }
    free(now.items);
    free(now.in);
    free(then.items);
    free(then.in);
    return match;
}
