/* SPDX-License-Identifier: Apache-2.0 */
/* Topics and groups for the prompt, asked through the protocol on a pool thread: lists, creation,
 * the last records of a topic with the outcome of their transactions. */
#include <stdlib.h>
#include <string.h>

#include "audit/scan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "command/repl_priv.h"
#include "wire/admin.h"
#include "wire/batch.h"

enum { ASK_MS = 15000 };

static struct admin *ask(struct prompt_job *j)
{
    return admin_open(j->bootstrap, "kaos", &j->err);
}

static const char *text_of(const struct prompt_job *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j->args, name));
    return s ? s : "";
}

static int ends_of(struct admin *a, const struct admin_topic *t, size_t k, int64_t *start,
                   int64_t *end, int64_t *lso, struct err *e)
{
    struct admin_offset first, last, stable;
    int32_t p = t->partitions[k].index;
    if (admin_list_offsets(a, t->name, p, ADMIN_EARLIEST, ADMIN_READ_UNCOMMITTED, ASK_MS, &first,
                           e) < 0 ||
        admin_list_offsets(a, t->name, p, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED, ASK_MS, &last, e) <
            0 ||
        admin_list_offsets(a, t->name, p, ADMIN_LATEST, ADMIN_READ_COMMITTED, ASK_MS, &stable, e) <
            0) {
        return -1;
    }
    *start = first.offset;
    *end = last.offset;
    *lso = stable.offset;
    return 0;
}

/** name, partitions, records = offsets between the ends; NULL with e. */
static json_t *describe(struct admin *a, const struct admin_topic *t, struct err *e)
{
    int64_t sum = 0, start, end, lso;
    for (size_t k = 0; k < t->npartitions; k++) {
        if (ends_of(a, t, k, &start, &end, &lso, e) < 0) {
            return NULL;
        }
        sum += end - start;
    }
    return json_pack("{s:s,s:i,s:I}", "name", t->name, "partitions", (int)t->npartitions, "records",
                     (json_int_t)sum);
}

int topics_work_list(struct prompt_job *j)
{
    struct admin *a = ask(j);
    struct admin_metadata md = {0};
    int rc = a ? admin_metadata(a, NULL, 0, ASK_MS, &md, &j->err) : -1;
    j->result = json_array();
    for (size_t i = 0; rc == 0 && i < md.ntopics; i++) {
        const struct admin_topic *t = &md.topics[i];
        if (t->internal || t->error) {
            continue;
        }
        json_t *row = describe(a, t, &j->err);
        rc = row ? 0 : -1;
        json_array_append_new(j->result, row);
    }
    admin_metadata_free(&md);
    if (a) {
        admin_close(a);
    }
    return rc;
}

/* ---- topic ---- */

static int create(struct prompt_job *j, struct admin *a, int brokers)
{
    const json_t *config = json_object_get(j->args, "config");
    struct admin_pair *pairs = xcalloc(json_object_size(config) + 1, sizeof *pairs);
    int partitions = (int)json_integer_value(json_object_get(j->args, "partitions"));
    int replicas = (int)json_integer_value(json_object_get(j->args, "replicas"));
    size_t n = 0;
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)config, key, v)
    {
        if (json_is_string(v)) {
            pairs[n++] = (struct admin_pair){key, json_string_value(v)};
        }
    }
    struct admin_new_topic t = {.name = text_of(j, "name"),
                                .partitions = partitions > 0 ? partitions : 1,
                                .replicas = (int16_t)(replicas <= 0        ? 1
                                                      : replicas < brokers ? replicas
                                                                           : brokers),
                                .configs = pairs,
                                .nconfigs = n};
    int rc = admin_create_topics(a, &t, 1, ASK_MS, &j->err);
    free(pairs);
    return rc;
}

static int find(struct prompt_job *j, struct admin *a, struct admin_metadata *md,
                const struct admin_topic **found)
{
    const char *name = text_of(j, "name");
    *found = NULL;
    if (admin_metadata(a, NULL, 0, ASK_MS, md, &j->err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < md->ntopics; i++) {
        *found = strcmp(md->topics[i].name, name) == 0 ? &md->topics[i] : *found;
    }
    return 0;
}

static int topic(struct prompt_job *j, struct admin *a)
{
    struct admin_metadata md;
    const struct admin_topic *t;
    int want = (int)json_integer_value(json_object_get(j->args, "partitions"));
    if (find(j, a, &md, &t) < 0) {
        return -1;
    }
    bool make = !t && json_is_true(json_object_get(j->args, "create"));
    int brokers = (int)md.nbrokers;
    int rc = 0;
    if (t && want > 0 && (size_t)want != t->npartitions) {
        rc = err_set(&j->err, ERR_USAGE, 0, "topic %s exists with %zu partitions", t->name,
                     t->npartitions);
    } else if (!t && !make) {
        rc = err_set(&j->err, ERR_USAGE, 0, "there is no topic %s; topic(\"%s\", {}) creates it",
                     text_of(j, "name"), text_of(j, "name"));
    } else if (make) {
        admin_metadata_free(&md);
        if (create(j, a, brokers) < 0 || find(j, a, &md, &t) < 0) {
            return -1;
        }
    }
    if (rc == 0 && t) {
        j->result = describe(a, t, &j->err);
        rc = j->result ? 0 : -1;
    }
    admin_metadata_free(&md);
    return rc;
}

int topics_work_topic(struct prompt_job *j)
{
    struct admin *a = ask(j);
    int rc = a ? topic(j, a) : -1;
    if (a) {
        admin_close(a);
    }
    return rc;
}

/* ---- tail ---- */

struct tailing {
    const char *topic;
    int32_t partition;
    int64_t lso;
    json_t *rows;
    struct { /**< records of transactions: row and producer */
        struct tail_row {
            json_t *row;
            int64_t producer, offset;
        } * items;
        size_t n, cap;
    } open;
};

static json_t *show_bytes(const uint8_t *data, int32_t len)
{
    if (len < 0) {
        return json_null();
    }
    json_t *j = json_bytes(data ? (const char *)data : "", (size_t)len);
    if (!json_is_string(j)) {
        json_decref(j);
        j = json_sprintf("(%d bytes)", (int)len);
    }
    return j;
}

static void add_row(struct tailing *t, const struct batch *b, const struct record *r)
{
    json_t *row = json_pack(
        "{s:o,s:o,s:o,s:s,s:I,s:i,s:I}", "record",
        json_sprintf("%s[%d]@%lld", t->topic, (int)t->partition, (long long)r->offset), "key",
        show_bytes(r->key, r->key_len), "value", show_bytes(r->value, r->value_len), "state",
        b->transactional ? r->offset >= t->lso ? "open" : "committed" : "", "offset",
        (json_int_t)r->offset, "partition", (int)t->partition, "timestamp",
        (json_int_t)r->timestamp);
    json_array_append_new(t->rows, row);
    if (b->transactional) {
        struct tail_row *o = VEC_PUSH(&t->open);
        *o = (struct tail_row){row, b->producer_id, r->offset};
    }
}

static void mark_aborted(struct tailing *t, int64_t producer, int64_t first, int64_t before)
{
    for (size_t i = 0; i < t->open.n; i++) {
        const struct tail_row *o = &t->open.items[i];
        if (o->producer == producer && o->offset >= first && o->offset < before) {
            json_object_set_new(o->row, "state", json_string("aborted"));
        }
    }
}

/** A control batch ends the transaction of its producer: what it said before is done with. */
static void end_txn(struct tailing *t, const struct batch *b)
{
    struct record_iter it;
    struct record r;
    struct control c;
    record_iter_init(&it, b);
    bool abort = record_iter_next(&it, &r) == 1 && control_read(&r, &c) && c.type == CONTROL_ABORT;
    record_iter_free(&it);
    if (abort) {
        mark_aborted(t, b->producer_id, 0, b->base_offset);
    }
    for (size_t i = 0; i < t->open.n;) {
        if (t->open.items[i].producer == b->producer_id) {
            if (!abort) {
                json_object_set_new(t->open.items[i].row, "state", json_string("committed"));
            }
            t->open.items[i] = t->open.items[--t->open.n];
        } else {
            i++;
        }
    }
}

static bool on_batch(void *arg, const struct batch *b)
{
    struct tailing *t = arg;
    struct record_iter it;
    struct record r;
    if (b->corrupt) {
        return true;
    }
    if (b->control) {
        end_txn(t, b);
        return true;
    }
    record_iter_init(&it, b);
    while (record_iter_next(&it, &r) == 1) {
        add_row(t, b, &r);
    }
    record_iter_free(&it);
    return true;
}

/** The last n offsets of one partition. */
static int tail_partition(struct prompt_job *j, struct admin *a, const struct admin_topic *topic,
                          size_t k, json_int_t n)
{
    int64_t start, end, lso;
    if (ends_of(a, topic, k, &start, &end, &lso, &j->err) < 0) {
        return -1;
    }
    struct tailing t = {.topic = topic->name,
                        .partition = topic->partitions[k].index,
                        .lso = lso,
                        .rows = json_array()};
    int64_t from = end - n > start ? end - n : start;
    struct scan s = {.admin = a,
                     .topic = topic->name,
                     .partition = topic->partitions[k].index,
                     .from = from,
                     .to = end,
                     .deadline_ns = clock_mono_ns() + (uint64_t)ASK_MS * 1000000,
                     .batch = on_batch,
                     .arg = &t};
    int rc = from < end ? scan_run(&s, &j->err) : 0;
    size_t have = json_array_size(t.rows), skip = have > (size_t)n ? have - (size_t)n : 0;
    for (size_t i = skip; i < have; i++) {
        json_array_append(j->result, json_array_get(t.rows, i));
    }
    free(t.open.items);
    json_decref(t.rows);
    return rc;
}

int topics_work_tail(struct prompt_job *j)
{
    struct admin *a = ask(j);
    struct admin_metadata md = {0};
    const struct admin_topic *t = NULL;
    json_int_t n = json_integer_value(json_object_get(j->args, "n"));
    json_object_set(j->args, "name", json_object_get(j->args, "topic"));
    j->result = json_array();
    int rc = a ? find(j, a, &md, &t) : -1;
    if (rc == 0 && !t) {
        rc = err_set(&j->err, ERR_USAGE, 0, "there is no topic %s", text_of(j, "topic"));
    }
    for (size_t k = 0; rc == 0 && k < t->npartitions; k++) {
        rc = tail_partition(j, a, t, k, n);
    }
    admin_metadata_free(&md);
    if (a) {
        admin_close(a);
    }
    return rc;
}

/* ---- groups ---- */

/** Records between the committed offsets and the end. */
static int lag_of(struct admin *a, const char *group, int64_t *lag, struct err *e)
{
    struct admin_offsets offs;
    if (admin_offset_fetch(a, group, NULL, 0, false, ASK_MS, &offs, e) < 0) {
        return -1;
    }
    int rc = 0;
    *lag = 0;
    for (size_t i = 0; rc == 0 && i < offs.n; i++) {
        struct admin_offset end;
        rc = admin_list_offsets(a, offs.items[i].topic, offs.items[i].partition, ADMIN_LATEST,
                                ADMIN_READ_COMMITTED, ASK_MS, &end, e);
        if (rc == 0 && offs.items[i].offset >= 0 && end.offset > offs.items[i].offset) {
            *lag += end.offset - offs.items[i].offset;
        }
    }
    admin_offsets_free(&offs);
    return rc;
}

static int add_group(struct prompt_job *j, struct admin *a, const char *name)
{
    struct admin_group g;
    int64_t lag;
    if (admin_describe_group(a, name, ASK_MS, &g, &j->err) < 0) {
        return -1;
    }
    int rc = lag_of(a, name, &lag, &j->err);
    if (rc == 0) {
        json_array_append_new(j->result,
                              json_pack("{s:s,s:s,s:i,s:I}", "group", name, "state", g.state,
                                        "members", (int)g.nmembers, "lag", (json_int_t)lag));
    }
    admin_group_free(&g);
    return rc;
}

int topics_work_groups(struct prompt_job *j)
{
    struct admin *a = ask(j);
    const json_t *names = json_object_get(j->args, "names");
    int rc = a ? 0 : -1;
    j->result = json_array();
    for (size_t i = 0; rc == 0 && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        rc = name ? add_group(j, a, name) : 0;
    }
    if (a) {
        admin_close(a);
    }
    return rc;
}
