/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: one pass that finds every misuse before anything is created, so that the code
 * behind it reads values without checks. */
#include "lua/opts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"

/* ---- notations ---- */

static bool one_duration(const char **s, int64_t *ms)
{
    char *end;
    if (**s < '0' || **s > '9') {
        return false;
    }
    double v = strtod(*s, &end);
    double unit = 0;
    if (strncmp(end, "ms", 2) == 0) {
        unit = 1;
        end += 2;
    } else if (*end == 's') {
        unit = 1000;
        end++;
    } else if (*end == 'm') {
        unit = 60000;
        end++;
    } else if (*end == 'h') {
        unit = 3600000;
        end++;
    }
    *s = end;
    *ms = (int64_t)llround(v * unit);
    return unit > 0 && v * unit < 1e15;
}

bool opts_duration(const char *s, struct plan_range *out)
{
    if (!one_duration(&s, &out->min_ms)) {
        return false;
    }
    out->max_ms = out->min_ms;
    if (strncmp(s, "..", 2) == 0) {
        s += 2;
        if (!one_duration(&s, &out->max_ms)) {
            return false;
        }
    }
    return *s == '\0' && out->max_ms >= out->min_ms;
}

bool opts_rate(const char *s, double *per_s)
{
    char *end;
    if (*s < '0' || *s > '9') {
        return false;
    }
    double v = strtod(s, &end);
    if (*end == 'k') {
        v *= 1e3;
        end++;
    } else if (*end == 'M') {
        v *= 1e6;
        end++;
    }
    double per = strcmp(end, "/s") == 0 ? 1 : strcmp(end, "/m") == 0 ? 60 : 0;
    per = strcmp(end, "/h") == 0 ? 3600 : per;
    *per_s = per > 0 ? v / per : 0;
    return *per_s > 0;
}

struct plan_range opts_check_duration(lua_State *L, int idx, const char *what)
{
    struct plan_range r = {0};
    if (lua_type(L, idx) == LUA_TNUMBER) {
        const char *n = luaL_tolstring(L, idx, NULL);
        luaL_error(L, "%s: a duration needs a unit, write \"%ss\" or \"%sms\"", what, n, n);
    }
    if (lua_type(L, idx) != LUA_TSTRING || !opts_duration(lua_tostring(L, idx), &r)) {
        luaL_error(L, "%s: %s is not a duration (\"250ms\", \"5s\", \"5s..10s\")", what,
                   luaL_tolstring(L, idx, NULL));
    }
    return r;
}

double opts_check_rate(lua_State *L, int idx, const char *what)
{
    double per_s = 0;
    if (lua_type(L, idx) == LUA_TNUMBER) {
        luaL_error(L, "%s: a rate needs a unit of time, write \"%s/s\"", what,
                   luaL_tolstring(L, idx, NULL));
    }
    if (lua_type(L, idx) != LUA_TSTRING || !opts_rate(lua_tostring(L, idx), &per_s)) {
        luaL_error(L, "%s: %s is not a rate (\"200/s\", \"12k/m\")", what,
                   luaL_tolstring(L, idx, NULL));
    }
    return per_s;
}

/* ---- option tables ---- */

static const char *type_name(enum opt_type type)
{
    static const char *const names[] = {
        [OPT_STRING] = "a string",     [OPT_STRINGS] = "a string or a list of strings",
        [OPT_INTEGER] = "an integer",  [OPT_BOOLEAN] = "true or false",
        [OPT_DURATION] = "a duration", [OPT_TABLE] = "a table",
        [OPT_FUNCTION] = "a function", [OPT_NAME_OR_TRUE] = "true, false or a string",
        [OPT_ANY] = "any value",
    };
    return names[type];
}

static bool is_strings(lua_State *L, int idx)
{
    if (lua_type(L, idx) == LUA_TSTRING) {
        return true;
    }
    if (!lua_istable(L, idx)) {
        return false;
    }
    lua_Integer n = luaL_len(L, idx);
    bool ok = n > 0;
    for (lua_Integer i = 1; i <= n && ok; i++) {
        ok = lua_geti(L, idx, i) == LUA_TSTRING;
        lua_pop(L, 1);
    }
    return ok;
}

static bool matches(lua_State *L, int idx, enum opt_type type)
{
    int is = lua_type(L, idx);
    switch (type) {
    case OPT_STRING:
        return is == LUA_TSTRING;
    case OPT_STRINGS:
        return is_strings(L, idx);
    case OPT_INTEGER:
        return is == LUA_TNUMBER && lua_isinteger(L, idx);
    case OPT_BOOLEAN:
        return is == LUA_TBOOLEAN;
    case OPT_TABLE:
        return is == LUA_TTABLE;
    case OPT_FUNCTION:
        return is == LUA_TFUNCTION;
    case OPT_NAME_OR_TRUE:
        return is == LUA_TSTRING || is == LUA_TBOOLEAN;
    case OPT_DURATION:
    case OPT_ANY:
        return true;
    }
    return false;
}

static const struct opt *find(const struct opt *specs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(specs[i].name, name) == 0) {
            return &specs[i];
        }
    }
    return NULL;
}

static void unknown(lua_State *L, const char *what, const char *word, const struct opt *specs,
                    size_t n)
{
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, specs[i].name);
    }
    bind_push_hint(L, word, -1);
    luaL_error(L, "%s: unknown option `%s`%s", what, word, lua_tostring(L, -1));
}

static void check_one(lua_State *L, const char *what, const struct opt *specs, size_t n)
{
    if (lua_type(L, -2) != LUA_TSTRING) {
        luaL_error(L, "%s: options have names, not numbers: { %s = ... }", what, specs[0].name);
    }
    const char *name = lua_tostring(L, -2);
    const struct opt *o = find(specs, n, name);
    if (!o) {
        unknown(L, what, name, specs, n);
        return;
    }
    if (o->type == OPT_DURATION) {
        lua_pushfstring(L, "%s: %s", what, name);
        opts_check_duration(L, lua_gettop(L) - 1, lua_tostring(L, -1));
        lua_pop(L, 1);
    } else if (!matches(L, lua_gettop(L), o->type)) {
        luaL_error(L, "%s: %s must be %s, not %s", what, name, type_name(o->type),
                   lua_type(L, -1) == LUA_TTABLE ? "such a table" : luaL_tolstring(L, -1, NULL));
    }
}

void opts_check(lua_State *L, int idx, const char *what, const struct opt *specs, size_t n)
{
    if (!lua_isnoneornil(L, idx)) {
        if (!lua_istable(L, idx)) {
            luaL_error(L, "%s takes one table of options, not %s", what,
                       luaL_tolstring(L, idx, NULL));
        }
        lua_pushnil(L);
        while (lua_next(L, idx)) {
            check_one(L, what, specs, n);
            lua_pop(L, 1);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (specs[i].required && !opts_has(L, idx, specs[i].name)) {
            luaL_error(L, "%s: needs `%s` (%s)", what, specs[i].name, specs[i].shape);
        }
    }
}

/* [-0, +1] the value of an option, nil if absent */
static int get(lua_State *L, int idx, const char *name)
{
    if (lua_isnoneornil(L, idx)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    return lua_getfield(L, idx, name);
}

bool opts_has(lua_State *L, int idx, const char *name)
{
    bool has = get(L, idx, name) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

const char *opts_string(lua_State *L, int idx, const char *name, const char *preset)
{
    const char *s = get(L, idx, name) == LUA_TSTRING ? lua_tostring(L, -1) : preset;
    lua_pop(L, 1);
    return s;
}

int64_t opts_integer(lua_State *L, int idx, const char *name, int64_t preset)
{
    int64_t v = get(L, idx, name) == LUA_TNUMBER ? lua_tointeger(L, -1) : preset;
    lua_pop(L, 1);
    return v;
}

bool opts_bool(lua_State *L, int idx, const char *name, bool preset)
{
    bool v = get(L, idx, name) == LUA_TBOOLEAN ? lua_toboolean(L, -1) : preset;
    lua_pop(L, 1);
    return v;
}

int64_t opts_ms(lua_State *L, int idx, const char *name, int64_t preset)
{
    struct plan_range r = {preset, preset};
    if (get(L, idx, name) == LUA_TSTRING) {
        opts_duration(lua_tostring(L, -1), &r);
    }
    lua_pop(L, 1);
    return r.min_ms;
}
