/* SPDX-License-Identifier: Apache-2.0 */
/* Printable text, columns, times and the names of instances: see text.h. */
#include "report/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

size_t text_utf8(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    if (n == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    size_t len = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    if (len == 0 || len > n || p[0] >= 0xf5) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)) {
        return 0;
    }
    return len;
}

/* One unit of text as it is printed: up to 4 bytes of UTF-8 or "\xNN"; returns bytes taken. */
static size_t unit(const char *s, size_t n, char out[8], size_t *columns)
{
    size_t len = text_utf8(s, n);
    unsigned char c = (unsigned char)s[0];
    bool control = c < 0x20 || c == 0x7f || (len == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0);
    if (len == 0 || control) {
        *columns = (size_t)snprintf(out, 8, "\\x%02x", c);
        return 1;
    }
    memcpy(out, s, len);
    out[len] = '\0';
    *columns = 1;
    return len;
}

static size_t width_n(const char *s, size_t len)
{
    size_t w = 0, columns;
    char out[8];
    for (size_t i = 0; i < len; w += columns) {
        i += unit(s + i, len - i, out, &columns);
    }
    return w;
}

size_t text_width(const char *s)
{
    return width_n(s, strlen(s));
}

void text_putn(struct buf *b, const char *s, size_t len, size_t width)
{
    bool cut = width > 0 && width_n(s, len) > width;
    size_t w = 0, columns;
    char out[8];
    for (size_t i = 0; i < len; w += columns) {
        i += unit(s + i, len - i, out, &columns);
        if (cut && w + columns > width - 1) {
            buf_puts(b, "…");
            return;
        }
        buf_puts(b, out);
    }
}

void text_put(struct buf *b, const char *s, size_t width)
{
    text_putn(b, s, strlen(s), width);
}

void text_spaces(struct buf *b, size_t n)
{
    buf_printf(b, "%*s", (int)n, "");
}

void text_pad(struct buf *b, const char *s, size_t width)
{
    size_t w = text_width(s);
    text_put(b, s, width);
    text_spaces(b, w < width ? width - w : 0);
}

void text_wrap(struct buf *b, const char *s, size_t left, size_t right)
{
    size_t at = left, room = right > left + 10 ? right - left : 10;
    for (bool first = true; *s; first = false) {
        size_t len = strcspn(s, " \n");
        size_t w = width_n(s, len);
        if (!first && at + 1 + w > left + room) {
            buf_puts(b, "\n");
            text_spaces(b, left);
            at = left;
        } else if (!first && at > left) {
            buf_puts(b, " ");
            at++;
        }
        text_putn(b, s, len, room);
        at += w < room ? w : room;
        s += len;
        if (*s == '\n') {
            at = left + room; /* the next word begins a line */
        }
        s += *s != '\0';
    }
}

void text_time(char out[32], uint64_t t, uint64_t t0)
{
    if (t == 0) {
        out[0] = '\0';
        return;
    }
    bool before = t < t0;
    uint64_t ms = (before ? t0 - t : t - t0) / 1000000;
    snprintf(out, 32, "t%c%llu.%03u", before ? '-' : '+', (unsigned long long)(ms / 1000),
             (unsigned)(ms % 1000));
}

void text_duration(char out[32], int64_t ms)
{
    const char *sign = ms < 0 ? "-" : "";
    uint64_t v = ms < 0 ? -(uint64_t)ms : (uint64_t)ms, s = v / 1000;
    if (v < 1000) {
        snprintf(out, 32, "%s%llums", sign, (unsigned long long)v);
    } else if (s < 60 && v % 1000 < 100) {
        snprintf(out, 32, "%s%llus", sign, (unsigned long long)s);
    } else if (s < 60) {
        snprintf(out, 32, "%s%llu.%llus", sign, (unsigned long long)s,
                 (unsigned long long)(v % 1000 / 100));
    } else if (s < 3600) {
        snprintf(out, 32, "%s%llum%02llus", sign, (unsigned long long)(s / 60),
                 (unsigned long long)(s % 60));
    } else {
        snprintf(out, 32, "%s%lluh%02llum", sign, (unsigned long long)(s / 3600),
                 (unsigned long long)(s / 60 % 60));
    }
}

static struct name_role *role_get(struct names *ns, const char *name)
{
    for (size_t i = 0; i < ns->n; i++) {
        if (strcmp(ns->items[i].name, name) == 0) {
            return &ns->items[i];
        }
    }
    struct name_role *r = VEC_PUSH(ns);
    r->name = name;
    return r;
}

static size_t common(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n]) {
        n++;
    }
    return n;
}

void names_init(struct names *ns, const json_t *run, const struct events *es)
{
    *ns = (struct names){0};
    const char *key;
    json_t *value, *roles = json_object_get(run, "roles");
    json_object_foreach(roles, key, value)
    {
        role_get(ns, key)->count = json_integer_value(json_object_get(value, "count"));
    }
    for (size_t i = 0; !json_is_object(roles) && es && i < es->nprocs; i++) {
        const struct hist_proc *p = &es->procs[i];
        if (p->index > 0) {
            struct name_role *r = role_get(ns, p->role);
            r->count = p->index > r->count ? p->index : r->count;
        }
    }
    for (size_t i = 0; i < ns->n; i++) {
        struct name_role *r = &ns->items[i];
        r->prefix = 1;
        for (size_t k = 0; k < ns->n; k++) {
            size_t need = k == i ? 0 : common(r->name, ns->items[k].name) + 1;
            r->prefix = need > r->prefix ? need : r->prefix;
        }
        size_t len = strlen(r->name);
        r->prefix = r->prefix < len ? r->prefix : len;
    }
}

void names_free(struct names *ns)
{
    free(ns->items);
    *ns = (struct names){0};
}

void names_put(struct buf *b, const struct names *ns, const char *role, int64_t index,
               int64_t incarnation)
{
    const struct name_role *r = NULL;
    for (size_t i = 0; i < ns->n && !r; i++) {
        r = strcmp(ns->items[i].name, role) == 0 ? &ns->items[i] : NULL;
    }
    text_putn(b, role, r ? r->prefix : strlen(role), 0);
    if (index > 0 && !(r && r->count == 1)) {
        buf_printf(b, "%lld", (long long)index);
    }
    if (incarnation > 0) {
        buf_printf(b, "#%lld", (long long)incarnation);
    }
}
