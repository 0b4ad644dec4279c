/* SPDX-License-Identifier: Apache-2.0 */
/* An open transaction. Leaving its scope without commit aborts it, and the consumer is rewound. */
#include <string.h>

#include "base/mem.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/opts.h"
#include "lua/rt.h"

struct tx {
    struct lproducer *p;
    int64_t txn;
};

void tx_push(lua_State *L, struct lproducer *p, int64_t txn)
{
    struct tx *tx = lua_newuserdatauv(L, sizeof *tx, 0);
    *tx = (struct tx){p, txn};
    luaL_setmetatable(L, TX_TYPE);
}

static bool is_open(const struct tx *tx)
{
    return !tx->p->closed && tx->p->open_txn == tx->txn;
}

static struct lproducer *check_open(lua_State *L)
{
    struct tx *tx = luaL_checkudata(L, 1, TX_TYPE);
    if (!is_open(tx)) {
        luaL_error(L, "transaction %I of %s has ended", (LUAI_UACINT)tx->txn, tx->p->name);
    }
    rt_step(tx->p->rt);
    return tx->p;
}

static int l_send(lua_State *L)
{
    return producer_push_send(L, check_open(L), 2, false);
}

static int l_emit(lua_State *L)
{
    struct lproducer *p = check_open(L);
    const char *kind = luaL_checkstring(L, 2);
    p->rt->scratch.len = 0;
    if (lua_isnoneornil(L, 3)) {
        buf_puts(&p->rt->scratch, "{}");
    } else {
        luaL_checktype(L, 3, LUA_TTABLE);
        codec_write_json(L, 3, "emit", true, &p->rt->scratch);
    }
    hist_add(p->rt->h, H_EMIT, HP_FACT, 0, HS(kind), HB(p->rt->scratch.data, p->rt->scratch.len),
             HS(p->name), HI(p->open_txn));
    return 0;
}

#define OPTIONS(_)                                                                                 \
    _("offsets", OPT_TABLE, "{ { topic, partition, offset }, ... }",                               \
      "Commits these offsets instead of those behind the records handed out; {} commits none.")    \
    _("metadata", OPT_STRING, "\"batch\" | \"now\"",                                               \
      "\"now\": a wrong application that takes the group's membership at commit time.")
#define ABORT_OPTIONS(_)                                                                           \
    _("rewind", OPT_BOOLEAN, "boolean",                                                            \
      "false: a wrong application that goes on reading instead of rewinding.")
#define OPTION(name, type, shape, doc) {name, type, shape, doc, false},
static const struct opt options[] = {OPTIONS(OPTION)};
static const struct opt abort_options[] = {ABORT_OPTIONS(OPTION)};

static int l_commit(lua_State *L)
{
    struct lproducer *p = check_open(L);
    lua_settop(L, 2);
    codec_unfreeze(L, 2);
    opts_check(L, 2, "commit", options, ARRAY_LEN(options));
    const char *metadata = opts_string(L, 2, "metadata", "batch");
    bool now = strcmp(metadata, "now") == 0;
    if (!now && strcmp(metadata, "batch") != 0) {
        return luaL_error(L, "commit: metadata must be \"batch\" or \"now\", not \"%s\"", metadata);
    }
    if (!lua_isnil(L, 2) && lua_getfield(L, 2, "offsets") == LUA_TTABLE) {
        return producer_txn_commit(L, p, 3, now);
    }
    return producer_txn_commit(L, p, 0, now);
}

static int l_abort(lua_State *L)
{
    struct lproducer *p = check_open(L);
    lua_settop(L, 2);
    codec_unfreeze(L, 2);
    opts_check(L, 2, "abort", abort_options, ARRAY_LEN(abort_options));
    if (!producer_txn_busy(p)) {
        producer_txn_mistakes(p, p->no_rewind || !opts_bool(L, 2, "rewind", true), p->now);
    }
    return producer_txn_abort(L, p, TRANSACTION_WHY_ROLE, TXN_PUSH_RESULT);
}

static int l_close(lua_State *L)
{
    struct tx *tx = luaL_checkudata(L, 1, TX_TYPE);
    if (!is_open(tx) || producer_txn_busy(tx->p)) {
        return 0;
    }
    return producer_txn_abort(L, tx->p, TRANSACTION_WHY_CLOSED, TXN_PUSH_NOTHING);
}

static int l_tostring(lua_State *L)
{
    struct tx *tx = luaL_checkudata(L, 1, TX_TYPE);
    lua_pushfstring(L, "transaction %I of %s", (LUAI_UACINT)tx->txn, tx->p->name);
    return 1;
}

#define ROWS(_)                                                                                    \
    _("send", l_send, "(topic, record | message | value, key) -> true | nil, err",                 \
      "Enqueues a record of the transaction; waits only for room.")                                \
    _("emit", l_emit, "(kind, fields) -> nil",                                                     \
      "Writes a fact that counts only if the transaction commits.")                                \
    _("commit", l_commit, "({ options }) -> true | nil, err",                                      \
      "Commits the consumed offsets and the records; nil when the transaction was aborted.")       \
    _("abort", l_abort, "({ options }) -> true | nil, err",                                        \
      "Aborts the transaction and rewinds the consumer.")
static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
#define ROW(...)                           BIND_ROW("tx", __VA_ARGS__)
#define OPTION_ROW(name, type, shape, doc) {"tx.commit", name, shape, doc},
#define ABORT_ROW(name, type, shape, doc)  {"tx.abort", name, shape, doc},
const struct api_row tx_rows[] = {ROWS(ROW) OPTIONS(OPTION_ROW)
                                      ABORT_OPTIONS(ABORT_ROW){NULL, NULL, NULL, NULL}};

void tx_open(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};
    bind_class(L, TX_TYPE, methods, meta);
}
