/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol table against Kafka's own message definitions: KAOS_TEST_MESSAGES = a folder with
 * the common/message/NAME.json of the kafka-clients and coordinator jars, else skipped. */
#include "test.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "wire/schema.h"

static const char *where; /**< message being compared */

static void differ(const char *field, const char *what)
{
    test_fail(__FILE__, __LINE__, "%s, field %s: %s differs", where, field, what);
}

/** Reads a definition; its comment lines are no JSON. */
static json_t *load(const char *dir, const char *name)
{
    struct buf text = {0}, clean = {0};
    struct err e = {0};
    json_error_t je;
    char *path = xasprintf("%s/%s.json", dir, name);
    if (path_read(path, 0, &text, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
        const char *s = line + strspn(line, " ");
        if (strncmp(s, "//", 2) != 0) {
            buf_printf(&clean, "%s\n", line);
        }
    }
    json_t *j = json_loads(clean.data, 0, &je);
    if (!j) {
        test_fail(__FILE__, __LINE__, "%s: %s", path, je.text);
    }
    buf_free(&text);
    buf_free(&clean);
    free(path);
    return j;
}

/** "3+", "3-5", "3", "none" -> range; @return false for none. */
static bool range(const char *s, int *from, int *to)
{
    char *rest = NULL;
    if (!s || strcmp(s, "none") == 0) {
        *from = *to = WIRE_MAX;
        return false;
    }
    *from = *to = (int)strtol(s, &rest, 10);
    if (*rest == '+') {
        *to = WIRE_MAX;
    } else if (*rest == '-') {
        *to = (int)strtol(rest + 1, NULL, 10);
    }
    return true;
}

static const char *text(const json_t *j, const char *key)
{
    return json_string_value(json_object_get(j, key));
}

static const char *type_name(enum wire_type t)
{
    static const char *const names[] = {"bool",    "int8", "int16",  "uint16", "int32",   "int64",
                                        "float64", "uuid", "string", "bytes",  "records", NULL};
    return names[t];
}

static void compare_fields(const json_t *message, const json_t *fields,
                           const struct wire_field *rows, int min, int max);

static const json_t *members_of(const json_t *message, const json_t *field, const char *type)
{
    const json_t *own = json_object_get(field, "fields"), *common;
    size_t i;
    json_array_foreach(json_object_get(message, "commonStructs"), i, common)
    {
        if (!own && strcmp(text(common, "name"), type) == 0) {
            own = json_object_get(common, "fields");
        }
    }
    return own;
}

static void compare_default(const json_t *j, const struct wire_field *f)
{
    const json_t *d = json_object_get(j, "default");
    const char *s = json_string_value(d);
    bool null = s && strcmp(s, "null") == 0;
    int64_t want = json_is_integer(d) ? json_integer_value(d) : json_is_true(d) ? 1 : 0;
    if (s && !null) {
        want = strcmp(s, "true") == 0 ? 1 : strtoll(s, NULL, 0);
    }
    if (null != f->def_null || want != f->def) {
        differ(f->name, "default");
    }
}

static void compare_field(const json_t *message, const json_t *j, const struct wire_field *f,
                          int min, int max)
{
    int from, to, first, last;
    const char *type = text(j, "type"), *versions = text(j, "versions");
    bool array = strncmp(type, "[]", 2) == 0;
    type += array ? 2 : 0;
    range(versions ? versions : text(j, "taggedVersions"), &from, &to);
    if (strcmp(text(j, "name"), f->name) != 0) {
        differ(f->name, text(j, "name"));
    }
    if (f->from != from || f->to != to) {
        differ(f->name, "versions");
    }
    if (f->array != array || (f->type == WIRE_STRUCT ? !members_of(message, j, type)
                                                     : strcmp(type_name(f->type), type) != 0)) {
        differ(f->name, "type");
    }
    bool null = range(text(j, "nullableVersions"), &first, &last);
    if (f->nullable != (null ? first + 1 : 0)) {
        differ(f->name, "nullable");
    }
    const json_t *tag = json_object_get(j, "tag");
    range(text(j, "taggedVersions"), &first, &last);
    if (f->tag != (tag ? json_integer_value(tag) + 1 : 0) || (tag && f->tagged_from != first)) {
        differ(f->name, "tag");
    }
    compare_default(j, f);
    if (f->type == WIRE_STRUCT) {
        compare_fields(message, members_of(message, j, type), f->sub, min, max);
    }
}

static void compare_fields(const json_t *message, const json_t *fields,
                           const struct wire_field *rows, int min, int max)
{
    size_t i;
    const json_t *j;
    json_array_foreach(fields, i, j)
    {
        int from, to;
        const char *versions = text(j, "versions");
        range(versions ? versions : text(j, "taggedVersions"), &from, &to);
        if (to < min || from > max) {
            continue; /* of versions that Kafka has dropped */
        }
        if (!rows->name) {
            differ(text(j, "name"), "presence");
        }
        compare_field(message, j, rows, min, max);
        rows++;
    }
    if (rows->name) {
        differ(rows->name, "presence");
    }
}

TEST(the_table_is_kafkas)
{
    const char *dir = getenv("KAOS_TEST_MESSAGES");
    size_t n = 0;
    if (!dir) {
        test_skip("KAOS_TEST_MESSAGES is not set");
    }
    const struct wire_schema *const *all = wire_schemas(&n);
    for (size_t i = 0; i < n; i++) {
        const struct wire_schema *s = all[i];
        int from, to;
        where = s->name;
        json_t *j = load(dir, s->name);
        range(text(j, "validVersions"), &from, &to);
        if (from != s->min || to != s->max) {
            differ("(message)", "validVersions");
        }
        range(text(j, "flexibleVersions"), &from, &to);
        if (from != s->flexible) {
            differ("(message)", "flexibleVersions");
        }
        CHECK_INT(json_integer_value(json_object_get(j, "apiKey")), s->api);
        compare_fields(j, json_object_get(j, "fields"), s->fields, s->min, s->max);
        json_decref(j);
    }
    printf("# %zu messages compared\n", n);
}
