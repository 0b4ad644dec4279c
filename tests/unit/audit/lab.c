/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <unistd.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/ident.h"
#include "base/mem.h"

static void declare(struct plan *p, const char *name, int partitions)
{
    *VEC_PUSH(&p->topics) =
        (struct plan_topic){.name = xstrdup(name), .partitions = partitions, .replicas = 1};
}

struct lab *lab_open(int partitions)
{
    struct err e = {0};
    struct lab *l = xcalloc(1, sizeof *l);
    l->bootstrap = getenv("KAOS_TEST_BOOTSTRAP");
    if (!l->bootstrap) {
        test_skip("KAOS_TEST_BOOTSTRAP is not set");
    }
    l->now_ms = (int64_t)(clock_real_ns() / 1000000);
    unsigned u = (unsigned)(clock_real_ns() / 1000);
    snprintf(l->input, sizeof l->input, "audit-in-%x-%d", u, (int)getpid());
    snprintf(l->output, sizeof l->output, "audit-out-%x-%d", u, (int)getpid());
    snprintf(l->group, sizeof l->group, "audit-g-%x-%d", u, (int)getpid());
    snprintf(l->id, sizeof l->id, "audit-tx-%x-%d", u, (int)getpid());
    snprintf(l->run, sizeof l->run, "run-%x", u);
    l->plan = plan_new();
    declare(l->plan, l->input, partitions);
    declare(l->plan, l->output, partitions);
    l->admin = admin_open(l->bootstrap, "audit-test", &e);
    const struct admin_new_topic topics[] = {{l->input, partitions, 1, NULL, 0},
                                             {l->output, partitions, 1, NULL, 0}};
    OK(l->admin ? admin_create_topics(l->admin, topics, 2, LAB_MS, &e) : -1);
    return l;
}

void lab_close(struct lab *l)
{
    struct err e = {0};
    const char *names[] = {l->input, l->output};
    OK(admin_delete_topics(l->admin, names, 2, LAB_MS, &e));
    admin_close(l->admin);
    plan_free(l->plan);
    free(l);
}

struct txn lab_producer(struct lab *l, const char *id, int txn_timeout_ms)
{
    struct err e = {0};
    struct txn t = {.id = id, .producer_id = -1, .epoch = -1};
    OK(txn_init(l->admin, &t, txn_timeout_ms, LAB_MS, &e));
    memset(l->seq, 0, sizeof l->seq);
    return t;
}

static struct record_header header(const char *name, const uint8_t *data, size_t len)
{
    return (struct record_header){name, data, (int32_t)strlen(name), (int32_t)len};
}

int64_t lab_send(struct lab *l, const struct txn *t, const char *topic, int32_t partition, int n,
                 enum batch_codec codec, int64_t txn)
{
    enum { MAX = 16 };
    static uint8_t own[MAX][IDENT_MAX];
    uint8_t src[IDENT_MAX], tx[IDENT_MAX];
    struct record r[MAX] = {0};
    struct record_header headers[MAX][3];
    struct err e = {0};
    struct buf b = {0};
    int64_t at = -1;
    struct ident_src from = {ident_text(l->input), partition, 7};
    struct ident_txn number = {ident_text(t->id ? t->id : ""), 1, (uint64_t)txn};
    size_t src_len = ident_put_src(src, &from), tx_len = ident_put_txn(tx, &number);
    CHECK(n <= MAX);
    for (int i = 0; i < n; i++) {
        struct ident_header id = {ident_text(l->run), ident_text("w"), ident_text(topic), 1, 1,
                                  ++l->sent};
        headers[i][0] = header(IDENT_HEADER, own[i], ident_put(own[i], &id));
        headers[i][1] = header(IDENT_SRC, src, src_len);
        headers[i][2] = header(IDENT_TXN, tx, tx_len);
        r[i] = (struct record){.timestamp = l->now_ms,
                               .key = (const uint8_t *)"k",
                               .key_len = 1,
                               .value = (const uint8_t *)"value",
                               .value_len = 5,
                               .headers = headers[i],
                               .nheaders = txn >= 0 ? 3 : 2};
    }
    struct batch_opts o = {.codec = codec,
                           .transactional = t->id != NULL,
                           .producer_id = t->producer_id,
                           .producer_epoch = t->epoch,
                           .base_sequence = t->producer_id < 0 ? -1 : l->seq[partition]};
    OK(batch_write(&b, &o, r, n, &e));
    OK(txn_produce(l->admin, t, &(struct admin_tp){topic, partition}, b.data, b.len, LAB_MS, &at,
                   &e));
    buf_free(&b);
    l->seq[partition] += n;
    return at;
}

void lab_add(struct lab *l, const struct txn *t, const char *topic, int32_t partition)
{
    struct err e = {0};
    struct admin_tp tp = {topic, partition};
    OK(txn_add_partitions(l->admin, t, &tp, 1, LAB_MS, &e));
}

void lab_end(struct lab *l, struct txn *t, bool commit)
{
    struct err e = {0};
    OK(txn_end(l->admin, t, commit, LAB_MS, &e));
}

void lab_wait_lso(struct lab *l, const char *topic, int32_t partition, int64_t lso)
{
    struct err e = {0};
    struct admin_offset o = {.offset = -1};
    for (int i = 0; i < 1000 && o.offset != lso; i++) {
        OK(admin_list_offsets(l->admin, topic, partition, ADMIN_LATEST, ADMIN_READ_COMMITTED,
                              LAB_MS, &o, &e));
        usleep(10000);
    }
    CHECK_INT(o.offset, lso);
}

struct events *lab_audit(struct lab *l, const char *dir, const char *pass, bool internals)
{
    struct err e = {0};
    struct audit_opts o = {.bootstrap = l->bootstrap,
                           .plan = l->plan,
                           .run = l->run,
                           .pass = pass,
                           .internals = internals,
                           .timeout_ms = 60000};
    struct hist *h = hist_open(dir, &(struct hist_ident){.role = "audit"}, &e);
    OK(h ? audit_run(&o, h, &e) : -1);
    hist_close(h);
    struct events *es = events_open(dir, &e);
    OK(es ? 0 : -1);
    return es;
}

const struct event *lab_find(const struct events *es, int kind, const char *topic,
                             int32_t partition, size_t *at)
{
    size_t from = 0;
    for (size_t *i = at ? at : &from; *i < es->n; (*i)++) {
        const struct event *ev = &es->items[*i];
        if (ev->kind == kind && strcmp(event_str(ev, 0), topic) == 0 &&
            event_int(ev, 1) == partition) {
            (*i)++;
            return ev;
        }
    }
    return NULL;
}
