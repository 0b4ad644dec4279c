/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the tree of values behind names: a struct holds one value per row of the table, whatever
 * the version; what a version does not have stays at its default. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/schema.h"
#include "wire/value.h"

static const uint8_t zero_uuid[16];

static int32_t member_count(const struct wire_field *f)
{
    int32_t n = 0;
    while (f[n].name) {
        n++;
    }
    return n;
}

static void init_scalar(struct wire_value *v, const struct wire_field *f)
{
    switch (f->type) {
    case WIRE_FLOAT64:
        v->kind = WIRE_REAL;
        v->f = (double)f->def;
        break;
    case WIRE_UUID:
        v->kind = WIRE_BLOB;
        v->s.p = zero_uuid;
        v->s.len = sizeof zero_uuid;
        break;
    case WIRE_STRING:
    case WIRE_BYTES:
    case WIRE_RECORDS:
        v->kind = WIRE_BLOB;
        v->s.p = f->def_null ? NULL : (const uint8_t *)"";
        v->s.len = f->def_null ? -1 : 0;
        break;
    default:
        v->kind = WIRE_NUMBER;
        v->i = f->def;
    }
}

void value_init_members(struct wire_msg *m, struct wire_value *v, const struct wire_field *rows)
{
    v->kind = WIRE_GROUP;
    v->a.n = v->a.cap = member_count(rows);
    v->a.items = arena_alloc(&m->mem, (size_t)v->a.n * sizeof *v->a.items);
    for (int32_t i = 0; i < v->a.n; i++) {
        value_init(m, &v->a.items[i], &rows[i]);
    }
}

void value_init_element(struct wire_msg *m, struct wire_value *v, const struct wire_field *f)
{
    v->field = f;
    if (f->type == WIRE_STRUCT) {
        value_init_members(m, v, f->sub);
    } else {
        init_scalar(v, f);
    }
}

void value_init(struct wire_msg *m, struct wire_value *v, const struct wire_field *f)
{
    v->field = f;
    if (f->array) {
        v->kind = WIRE_LIST;
        v->a.n = f->def_null ? -1 : 0;
    } else {
        value_init_element(m, v, f);
    }
}

struct wire_value *value_push(struct wire_msg *m, struct wire_value *list)
{
    if (list->a.n < 0) {
        list->a.n = 0;
    }
    m->over = m->over || (m->max && m->mem.total > m->max);
    if (m->over && list->a.cap > 0) {
        return &list->a.items[0]; /* goes nowhere: nothing grows any more */
    }
    if (list->a.n == list->a.cap) {
        int32_t cap = list->a.cap ? list->a.cap * 2 : 4;
        struct wire_value *items = arena_alloc(&m->mem, (size_t)cap * sizeof *items);
        if (list->a.n > 0) {
            memcpy(items, list->a.items, (size_t)list->a.n * sizeof *items);
        }
        list->a.items = items;
        list->a.cap = cap;
    }
    struct wire_value *v = &list->a.items[list->a.n++];
    value_init_element(m, v, list->field);
    return v;
}

void wire_init(struct wire_msg *m, const struct wire_schema *s, int16_t version)
{
    *m = (struct wire_msg){.schema = s, .version = version};
    value_init_members(m, &m->root, s->fields);
}

void wire_free(struct wire_msg *m)
{
    arena_free(&m->mem);
    free(m->frame);
    *m = (struct wire_msg){0};
}

/** Equal strings are one string after linking, so that addresses nearly always tell. */
static struct wire_value *find(const struct wire_value *v, const char *name, int kind)
{
    int32_t n = v->kind == WIRE_GROUP ? v->a.n : 0;
    for (int32_t i = 0; i < n; i++) {
        struct wire_value *c = &v->a.items[i];
        if (c->field->name == name && (kind < 0 || c->kind == kind)) {
            return c;
        }
    }
    for (int32_t i = 0; i < n; i++) {
        struct wire_value *c = &v->a.items[i];
        if (strcmp(c->field->name, name) == 0 && (kind < 0 || c->kind == kind)) {
            return c;
        }
    }
    fprintf(stderr, "kaos: bug: protocol field %s is not in %s or is of another kind\n", name,
            v->field ? v->field->name : "the message");
    abort();
}

const struct wire_value *wire_get(const struct wire_value *v, const char *name)
{
    return find(v, name, -1);
}

int64_t wire_int(const struct wire_value *v, const char *name)
{
    return find(v, name, WIRE_NUMBER)->i;
}

const char *wire_str(const struct wire_value *v, const char *name)
{
    const struct wire_value *c = find(v, name, WIRE_BLOB);
    return c->s.len < 0 ? NULL : (const char *)c->s.p;
}

const uint8_t *wire_blob(const struct wire_value *v, const char *name, size_t *len)
{
    const struct wire_value *c = find(v, name, WIRE_BLOB);
    *len = c->s.len < 0 ? 0 : (size_t)c->s.len;
    return c->s.len < 0 ? NULL : c->s.p;
}

size_t wire_count(const struct wire_value *v, const char *name)
{
    const struct wire_value *c = find(v, name, WIRE_LIST);
    return c->a.n < 0 ? 0 : (size_t)c->a.n;
}

const struct wire_value *wire_at(const struct wire_value *v, const char *name, size_t i)
{
    return &find(v, name, WIRE_LIST)->a.items[i];
}

static void set_text(struct wire_msg *m, struct wire_value *c, const char *s)
{
    s = s && m->over ? "" : s;
    c->s.len = s ? (int32_t)strlen(s) : -1;
    c->s.p = (const uint8_t *)arena_str(&m->mem, s);
}

void wire_set_int(struct wire_value *v, const char *name, int64_t i)
{
    find(v, name, WIRE_NUMBER)->i = i;
}

void wire_set_str(struct wire_msg *m, struct wire_value *v, const char *name, const char *s)
{
    set_text(m, find(v, name, WIRE_BLOB), s);
}

void wire_set_blob(struct wire_value *v, const char *name, const void *p, size_t len)
{
    struct wire_value *c = find(v, name, WIRE_BLOB);
    c->s.p = p;
    c->s.len = p ? (int32_t)len : -1;
}

void wire_set_null(struct wire_value *v, const char *name)
{
    struct wire_value *c = find(v, name, -1);
    if (c->kind == WIRE_BLOB) {
        c->s.p = NULL;
        c->s.len = -1;
    } else {
        c->a.n = -1;
    }
}

void wire_set_empty(struct wire_value *v, const char *name)
{
    find(v, name, WIRE_LIST)->a.n = 0;
}

struct wire_value *wire_add(struct wire_msg *m, struct wire_value *v, const char *name)
{
    return value_push(m, find(v, name, WIRE_LIST));
}

void wire_add_int(struct wire_msg *m, struct wire_value *v, const char *name, int64_t i)
{
    wire_add(m, v, name)->i = i;
}

void wire_add_str(struct wire_msg *m, struct wire_value *v, const char *name, const char *s)
{
    set_text(m, wire_add(m, v, name), s);
}

struct wire_value *wire_member(struct wire_value *v, const char *name)
{
    return find(v, name, WIRE_GROUP);
}
