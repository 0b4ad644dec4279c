/* SPDX-License-Identifier: Apache-2.0 */
#include "command/choose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

/* Cuts the next word off a list with commas; NULL at its end. */
static char *next_word(const char **p)
{
    if (!*p) {
        return NULL;
    }
    size_t len = strcspn(*p, ",");
    char *word = xmemdup0(*p, len);
    *p = (*p)[len] ? *p + len + 1 : NULL;
    return word;
}

int choose_tags_check(const char *spec, struct err *e)
{
    const char *p = spec;
    for (char *word; (word = next_word(&p));) {
        bool empty = !word[0] || strcmp(word, "~") == 0;
        free(word);
        if (empty) {
            return err_set(e, ERR_USAGE, 0, "%s has an empty tag; write it as a,b,~c", spec);
        }
    }
    return 0;
}

bool choose_tags(const char *spec, const struct plan_strings *tags)
{
    bool asked = false, found = false, excluded = false;
    const char *p = spec;
    for (char *word; (word = next_word(&p));) {
        if (word[0] == '~') {
            excluded = excluded || plan_strings_has(tags, word + 1);
        } else {
            asked = true;
            found = found || plan_strings_has(tags, word);
        }
        free(word);
    }
    return !excluded && (found || !asked);
}

int choose_shard_parse(const char *text, struct choose_shard *s, struct err *e)
{
    char *end;
    errno = 0;
    bool digits = strspn(text, "0123456789/") == strlen(text);
    s->index = strtoull(text, &end, 10);
    bool good = digits && end != text && *end == '/';
    const char *count = end + 1;
    s->count = good ? strtoull(count, &end, 10) : 0;
    if (!good || errno || end == count || *end || s->index < 1 || s->index > s->count) {
        return err_set(e, ERR_USAGE, 0, "%s is not a shard I/N with I from 1 to N", text);
    }
    return 0;
}

bool choose_shard(const struct choose_shard *s, const char *id)
{
    return s->count == 0 || hash_str(0, id) % s->count == s->index - 1;
}

static int add_values(struct choose_axis *a, const char *spec, const char *values, struct err *e)
{
    const char *p = values;
    for (char *word; (word = next_word(&p));) {
        const char *wrong = !word[0]                             ? "has an empty value"
                            : plan_strings_has(&a->values, word) ? "has a value twice"
                                                                 : NULL;
        plan_strings_add(&a->values, word);
        free(word);
        if (wrong) {
            return err_set(e, ERR_USAGE, 0, "%s %s; write it as NAME=a,b,c", spec, wrong);
        }
    }
    return 0;
}

int choose_matrix_add(struct choose_matrix *m, const char *spec, struct err *e)
{
    const char *eq = strchr(spec, '=');
    if (!eq || eq == spec) {
        return err_set(e, ERR_USAGE, 0, "%s is not NAME=a,b,c", spec);
    }
    char *name = xmemdup0(spec, (size_t)(eq - spec));
    bool twice = false;
    for (size_t i = 0; i < m->n; i++) {
        twice = twice || strcmp(m->items[i].name, name) == 0;
    }
    struct choose_axis *a = VEC_PUSH(m);
    a->name = name;
    if (twice) {
        return err_set(e, ERR_USAGE, 0, "%s: %s has its values already", spec, name);
    }
    if (add_values(a, spec, eq + 1, e) < 0) {
        return -1;
    }
    if (choose_matrix_points(m) > CHOOSE_POINTS_MAX) {
        return err_set(e, ERR_USAGE, 0, "the matrix has more than %d points", CHOOSE_POINTS_MAX);
    }
    return 0;
}

size_t choose_matrix_points(const struct choose_matrix *m)
{
    size_t n = 1;
    for (size_t i = 0; i < m->n && n <= CHOOSE_POINTS_MAX; i++) {
        n *= m->items[i].values.n;
    }
    return n;
}

/* Which value dimension `axis` has at a point. */
static const char *value_at(const struct choose_matrix *m, size_t point, size_t axis)
{
    for (size_t i = m->n - 1; i > axis; i--) {
        point /= m->items[i].values.n;
    }
    return m->items[axis].values.items[point % m->items[axis].values.n];
}

void choose_matrix_params(const struct choose_matrix *m, size_t point, struct plan_conf *out)
{
    for (size_t i = 0; i < m->n; i++) {
        plan_conf_set(out, m->items[i].name, value_at(m, point, i));
    }
}

char *choose_matrix_id(const struct choose_matrix *m, size_t point, const char *name)
{
    struct buf b = {0};
    buf_puts(&b, name);
    for (size_t i = 0; i < m->n; i++) {
        buf_printf(&b, "%s%s=%s", i ? "," : "[", m->items[i].name, value_at(m, point, i));
    }
    buf_puts(&b, m->n ? "]" : "");
    return buf_take(&b);
}

void choose_matrix_free(struct choose_matrix *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->items[i].name);
        plan_strings_free(&m->items[i].values);
    }
    free(m->items);
    *m = (struct choose_matrix){0};
}
