/* SPDX-License-Identifier: Apache-2.0 */
#include "command/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "lua/params_file.h"

extern char **environ;

static char *json_text(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        return xstrdup(json_string_value(v));
    case JSON_INTEGER:
        return xasprintf("%lld", (long long)json_integer_value(v));
    case JSON_REAL:
        return xasprintf("%.17g", json_real_value(v));
    case JSON_TRUE:
        return xstrdup("true");
    case JSON_FALSE:
        return xstrdup("false");
    default:
        return NULL;
    }
}

static int read_json(const char *path, struct plan_conf *out, struct err *e)
{
    json_t *j = json_read(path, e), *value;
    const char *name;
    if (!j) {
        return -1;
    }
    int rc = json_is_object(j) ? 0 : err_set(e, ERR_USAGE, 0, "%s: not a JSON object", path);
    json_object_foreach(j, name, value)
    {
        char *text = json_text(value);
        if (!text && rc == 0) {
            rc = err_set(e, ERR_USAGE, 0, "%s: %s is no number, string or boolean", path, name);
        }
        if (text) {
            plan_conf_set(out, name, text);
        }
        free(text);
    }
    json_decref(j);
    return rc;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

static int read_file(const char *path, struct plan_conf *out)
{
    struct err e;
    int rc = ends_with(path, ".json") ? read_json(path, out, &e)
             : ends_with(path, ".lua")
                 ? params_file_lua(path, out, &e)
                 : err_set(&e, ERR_USAGE, 0, "%s is not FILE.json or FILE.lua", path);
    return rc < 0 ? (cli_fail(EXIT_USAGE, "--params: %s", e.msg), -1) : 0;
}

static void read_environment(struct plan_conf *out)
{
    static const char prefix[] = "KAOS_PARAM_";
    for (char **v = environ; *v; v++) {
        const char *eq = strchr(*v, '=');
        const char *name = *v + strlen(prefix);
        if (strncmp(*v, prefix, strlen(prefix)) == 0 && eq && eq > name) {
            char *copy = xmemdup0(name, (size_t)(eq - name));
            plan_conf_set(out, copy, eq + 1);
            free(copy);
        }
    }
}

int params_parse(struct params_given *g, const struct cli *c)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(c, "params", k)); k++) {
        if (read_file(text, &g->loose) < 0) {
            return -1;
        }
    }
    read_environment(&g->loose);
    for (size_t k = 0; (text = cli_nth(c, "param", k)); k++) {
        const char *eq = strchr(text, '=');
        if (!eq || eq == text) {
            cli_fail(EXIT_USAGE, "--param: %s is not NAME=VALUE", text);
            return -1;
        }
        char *name = xmemdup0(text, (size_t)(eq - text));
        plan_conf_set(&g->flags, name, eq + 1);
        free(name);
    }
    return 0;
}

bool params_declared(const struct load_scenario *s, const char *name)
{
    for (size_t i = 0; i < s->params.n; i++) {
        if (strcmp(s->params.items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void params_for(const struct params_given *g, const struct load_scenario *s, struct plan_conf *out)
{
    for (size_t i = 0; i < g->loose.n; i++) {
        if (params_declared(s, g->loose.items[i].name)) {
            plan_conf_set(out, g->loose.items[i].name, g->loose.items[i].value);
        }
    }
    for (size_t i = 0; i < g->flags.n; i++) {
        plan_conf_set(out, g->flags.items[i].name, g->flags.items[i].value);
    }
}

void params_free(struct params_given *g)
{
    plan_conf_free(&g->flags);
    plan_conf_free(&g->loose);
}
