/* SPDX-License-Identifier: Apache-2.0 */
/* Reading START: every member is checked once, here. */
#include "role/start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static int text(const json_t *j, const char *name, bool required, char **out, struct err *e)
{
    const json_t *v = json_object_get(j, name);
    if (json_is_string(v)) {
        *out = xstrdup(json_string_value(v));
        return 0;
    }
    if (v || required) {
        return err_set(e, ERR_PROTOCOL, 0, "start: `%s` is not a string", name);
    }
    return 0;
}

static int number(const json_t *j, const char *name, int *out, struct err *e)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > INT32_MAX) {
        return err_set(e, ERR_PROTOCOL, 0, "start: `%s` is not a number from 1", name);
    }
    *out = (int)json_integer_value(v);
    return 0;
}

static int seed(const json_t *j, uint64_t *out, struct err *e)
{
    const char *s = json_string_value(json_object_get(j, "seed"));
    char *end = NULL;
    errno = 0;
    *out = s ? strtoull(s, &end, 10) : 0;
    if (!s || !*s || *end || errno || *s == '-') {
        return err_set(e, ERR_PROTOCOL, 0, "start: `seed` is not a decimal string");
    }
    return 0;
}

static int pairs(const json_t *j, const char *name, struct plan_conf *out, struct err *e)
{
    const json_t *object = json_object_get(j, name);
    const char *key;
    json_t *v;
    if (object && !json_is_object(object)) {
        return err_set(e, ERR_PROTOCOL, 0, "start: `%s` is not an object", name);
    }
    json_object_foreach((json_t *)object, key, v)
    {
        if (!json_is_string(v)) {
            return err_set(e, ERR_PROTOCOL, 0, "start: %s.%s is not a string", name, key);
        }
        plan_conf_set(out, key, json_string_value(v));
    }
    return 0;
}

static int members(struct start *s, const json_t *j, struct err *e)
{
    if (text(j, "builtin", false, &s->builtin, e) || text(j, "topic", false, &s->topic, e) ||
        text(j, "scenario", true, &s->scenario, e) || text(j, "role", true, &s->role, e) ||
        text(j, "run", true, &s->run, e) || text(j, "bootstrap", true, &s->bootstrap, e) ||
        text(j, "history", true, &s->history, e) ||
        text(j, "deliveries", false, &s->deliveries, e) ||
        text(j, "suffix", false, &s->suffix, e) || number(j, "index", &s->index, e) ||
        number(j, "incarnation", &s->incarnation, e) || seed(j, &s->seed, e) ||
        pairs(j, "params", &s->params, e) || pairs(j, "env", &s->env, e)) {
        return -1;
    }
    if (s->builtin && (strcmp(s->builtin, "reader") != 0 || !s->topic)) {
        return err_set(e, ERR_PROTOCOL, 0, "start: `builtin` must be \"reader\" with a `topic`");
    }
    s->suffix = s->suffix ? s->suffix : xstrdup("");
    s->faults_on = json_is_true(json_object_get(j, "faults_on"));
    s->session_least = json_integer_value(json_object_get(j, "session_least"));
    s->draining = json_is_true(json_object_get(j, "draining"));
    s->noff = start_numbers(json_object_get(j, "off"), &s->off);
    return 0;
}

size_t start_numbers(const json_t *list, int **out)
{
    size_t n = 0;
    *out = xcalloc(json_array_size(list) + 1, sizeof **out);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (json_is_integer(v) && json_integer_value(v) >= 0 &&
            json_integer_value(v) <= INT32_MAX) {
            (*out)[n++] = (int)json_integer_value(v);
        }
    }
    return n;
}

int start_parse(struct start *s, const char *data, size_t len, struct err *e)
{
    json_error_t why;
    json_t *j = json_loadb(data, len, 0, &why);
    *s = (struct start){0};
    if (!json_is_object(j)) {
        json_decref(j);
        return err_set(e, ERR_PROTOCOL, 0, "start: not a JSON object: %s", why.text);
    }
    int rc = members(s, j, e);
    json_decref(j);
    return rc;
}

static void free_pairs(struct plan_conf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].name);
        free(c->items[i].value);
    }
    free(c->items);
}

void start_free(struct start *s)
{
    char *texts[] = {s->scenario,   s->role,   s->run,     s->bootstrap, s->history,
                     s->deliveries, s->suffix, s->builtin, s->topic};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        free(texts[i]);
    }
    free(s->off);
    free_pairs(&s->params);
    free_pairs(&s->env);
    *s = (struct start){0};
}
