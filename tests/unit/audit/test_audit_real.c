/* SPDX-License-Identifier: Apache-2.0 */
/* The audit against transactions that a raw producer made on a real Kafka. */
#include "lab.h"

#include <sys/stat.h>

#include "audit/audit.h"
#include "audit/outcome.h"
#include "base/ident.h"

static int count(const struct events *es, int kind, const char *topic, int32_t partition)
{
    size_t at = 0;
    int n = 0;
    while (lab_find(es, kind, topic, partition, &at)) {
        n++;
    }
    return n;
}

/** Outcomes of the records of a partition, a digit each. */
static const char *outcomes_of(const struct events *es, const char *topic, int32_t partition)
{
    static char text[64];
    size_t at = 0, n = 0;
    const struct event *ev;
    while ((ev = lab_find(es, H_LOG_RECORD, topic, partition, &at)) && n + 1 < sizeof text) {
        text[n++] = (char)('0' + event_int(ev, H_LOG_RECORD_OUTCOME));
    }
    text[n] = '\0';
    return text;
}

static const struct event *last_audit(const struct events *es)
{
    const struct event *last = NULL;
    for (size_t i = 0; i < es->n; i++) {
        last = es->items[i].kind == H_AUDIT ? &es->items[i] : last;
    }
    return last;
}

static bool has_config(const struct events *es, const char *scope, const char *name)
{
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        if (ev->kind == H_CONFIG && strcmp(event_str(ev, H_CONFIG_SCOPE), scope) == 0 &&
            strcmp(event_str(ev, H_CONFIG_NAME), name) == 0) {
            return true;
        }
    }
    return false;
}

TEST_LIMIT(outcomes_are_those_of_the_markers_in_the_log, 90)
{
    struct lab *l = lab_open(2);
    struct txn t = lab_producer(l, l->id, 60000);
    lab_add(l, &t, l->output, 0);
    lab_add(l, &t, l->output, 1); /* a marker without data */
    CHECK_INT(lab_send(l, &t, l->output, 0, 3, CODEC_ZSTD, 1), 0);
    lab_end(l, &t, true);
    lab_wait_lso(l, l->output, 0, 4);
    lab_wait_lso(l, l->output, 1, 1);
    lab_add(l, &t, l->output, 0);
    CHECK_INT(lab_send(l, &t, l->output, 0, 2, CODEC_SNAPPY, 2), 4);
    lab_end(l, &t, false);
    lab_wait_lso(l, l->output, 0, 7);
    lab_add(l, &t, l->output, 0);
    CHECK_INT(lab_send(l, &t, l->output, 0, 1, CODEC_GZIP, 3), 7);
    int16_t epoch = t.epoch;
    t = lab_producer(l, l->id, 60000); /* ends it with a marker of a higher epoch */
    lab_wait_lso(l, l->output, 0, 9);
    lab_add(l, &t, l->output, 0);
    CHECK_INT(lab_send(l, &t, l->output, 0, 2, CODEC_LZ4, 4), 9);

    struct events *es = lab_audit(l, test_dir(), "main", false);
    CHECK_STR(outcomes_of(es, l->output, 0), "11122233");
    const struct event *ev = lab_find(es, H_LOG_PARTITION, l->output, 0, NULL);
    CHECK(ev);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_HW), 11);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_LSO), 9);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_LOG_START), 0);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_COMPLETE), 1);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_COMPACTED), 0);
    CHECK_STR(event_str(ev, H_LOG_PARTITION_WHAT), "declared");
    CHECK_INT(strlen(event_str(ev, H_LOG_PARTITION_TOPIC_ID)), 22);
    CHECK_INT(count(es, H_LOG_BATCH, l->output, 0), 7);
    CHECK_INT(count(es, H_LOG_CONTROL, l->output, 0), 3);
    CHECK_INT(count(es, H_LOG_CONTROL, l->output, 1), 1);
    CHECK_INT(count(es, H_LOG_ABORTED, l->output, 0), 2);
    CHECK_INT(count(es, H_LOG_PARTITION, l->input, 1), 1);
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        ev = lab_find(es, H_LOG_CONTROL, l->output, 0, &at);
    }
    CHECK_INT(event_int(ev, H_LOG_CONTROL_OFFSET), 8);
    CHECK_INT(event_int(ev, H_LOG_CONTROL_TYPE), CONTROL_ABORT);
    CHECK_INT(event_int(ev, H_LOG_CONTROL_EPOCH), epoch + 1);
    at = 0;
    ev = lab_find(es, H_LOG_ABORTED, l->output, 0, &at);
    CHECK_INT(event_int(ev, H_LOG_ABORTED_FIRST_OFFSET), 4);
    ev = last_audit(es);
    CHECK_STR(event_str(ev, H_AUDIT_WHAT), "end");
    CHECK_INT(event_int(ev, H_AUDIT_COMPLETE), 1);
    events_free(es);
    lab_end(l, &t, false);
    lab_close(l);
}

TEST_LIMIT(headers_say_who_sent_a_record, 90)
{
    struct lab *l = lab_open(1);
    struct txn t = lab_producer(l, l->id, 60000);
    lab_add(l, &t, l->output, 0);
    lab_send(l, &t, l->output, 0, 2, CODEC_LZ4, 5);
    lab_end(l, &t, true);
    lab_wait_lso(l, l->output, 0, 3);
    struct events *es = lab_audit(l, test_dir(), "main", false);
    size_t at = 0;
    lab_find(es, H_LOG_RECORD, l->output, 0, &at);
    const struct event *ev = lab_find(es, H_LOG_RECORD, l->output, 0, &at);
    size_t len;
    CHECK_INT(event_int(ev, H_LOG_RECORD_OFFSET), 1);
    CHECK_INT(event_int(ev, H_LOG_RECORD_TIMESTAMP), l->now_ms);
    CHECK_INT(event_int(ev, H_LOG_RECORD_PID), t.producer_id);
    CHECK_STR(event_str(ev, H_LOG_RECORD_RUN), l->run);
    CHECK_STR(event_str(ev, H_LOG_RECORD_ROLE), "w");
    CHECK_INT(event_int(ev, H_LOG_RECORD_INDEX), 1);
    CHECK_INT(event_int(ev, H_LOG_RECORD_SEQ), 2);
    CHECK_STR(event_str(ev, H_LOG_RECORD_SRC_TOPIC), l->input);
    CHECK_INT(event_int(ev, H_LOG_RECORD_SRC_OFFSET), 7);
    CHECK_STR(event_str(ev, H_LOG_RECORD_TXN_ID), l->id);
    CHECK_INT(event_int(ev, H_LOG_RECORD_TXN), 5);
    CHECK(memcmp(event_bytes(ev, H_LOG_RECORD_VALUE, &len), "value", 5) == 0);
    CHECK_INT(len, 5);
    CHECK(event_bytes(ev, H_LOG_RECORD_HEADERS, &len) && len > 12);
    char scope[80];
    snprintf(scope, sizeof scope, "topic %s", l->output);
    CHECK(has_config(es, scope, "cleanup.policy"));
    CHECK(has_config(es, scope, "min.insync.replicas"));
    CHECK(has_config(es, "broker", "transaction.version"));
    CHECK(has_config(es, "broker", "transaction.max.timeout.ms"));
    CHECK(has_config(es, "broker", "transaction.abort.timed.out.transaction.cleanup.interval.ms"));
    events_free(es);
    lab_close(l);
}

TEST_LIMIT(internal_topics_show_offsets_and_transactions, 120)
{
    struct lab *l = lab_open(1);
    struct err e = {0};
    struct txn t = lab_producer(l, l->id, 60000);
    struct admin_committed offset = {.topic = l->input, .offset = 5, .metadata = "m"};
    OK(txn_commit_offsets(l->admin, &t, l->group, &offset, 1, LAB_MS, &e));
    lab_end(l, &t, false);
    offset.offset = 6;
    for (int i = 0;; i++) { /* the markers of the first one may be on their way */
        if (txn_commit_offsets(l->admin, &t, l->group, &offset, 1, LAB_MS, &e) == 0) {
            break;
        }
        CHECK(i < 100 && e.code == KAFKA_CONCURRENT_TRANSACTIONS);
    }
    lab_end(l, &t, true);
    struct events *es = lab_audit(l, test_dir(), "main", true);
    char seen[8] = "";
    int completes = 0, partitions = 0;
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        if (ev->kind == H_LOG_OFFSET && strcmp(event_str(ev, H_LOG_OFFSET_GROUP), l->group) == 0) {
            size_t n = strlen(seen);
            CHECK(n < 4);
            seen[n] = (char)('0' + event_int(ev, H_LOG_OFFSET_OFFSET));
            seen[n + 1] = (char)('0' + event_int(ev, H_LOG_OFFSET_OUTCOME));
            CHECK_INT(event_int(ev, H_LOG_OFFSET_PID), t.producer_id);
            CHECK_STR(event_str(ev, H_LOG_OFFSET_METADATA), "m");
        }
        if (ev->kind == H_LOG_TXN && strcmp(event_str(ev, H_LOG_TXN_TXN_ID), l->id) == 0) {
            completes += strcmp(event_str(ev, H_LOG_TXN_STATE), "CompleteCommit") == 0;
            size_t len;
            const char *parts = event_bytes(ev, H_LOG_TXN_PARTITIONS, &len);
            partitions += parts && len > 20 && memcmp(parts, "[[\"__consumer_offsets\",", 23) == 0;
        }
        if (ev->kind == H_LOG_PARTITION && event_str(ev, H_LOG_PARTITION_TOPIC)[0] == '_') {
            CHECK_INT(event_int(ev, H_LOG_PARTITION_COMPACTED), 1);
            CHECK_STR(event_str(ev, H_LOG_PARTITION_WHAT), "internal");
        }
    }
    CHECK_STR(seen, "5261");
    CHECK_INT(completes, 1);
    CHECK(partitions >= 2);
    events_free(es);
    lab_close(l);
}

TEST_LIMIT(topics_that_nobody_declared_are_found, 120)
{
    for (int internals = 0; internals < 2; internals++) {
        struct lab *l = lab_open(1);
        char dir[256];
        snprintf(dir, sizeof dir, "%s/%d", test_dir(), internals);
        struct txn t = lab_producer(l, NULL, 0);
        lab_send(l, &t, l->input, 0, 1, CODEC_NONE, -1);
        lab_send(l, &t, l->output, 0, 1, CODEC_NONE, -1);
        l->plan->topics.n = 1; /* output is not declared any more */
        free(l->plan->topics.items[1].name);
        CHECK_INT(mkdir(dir, 0700), 0);
        struct events *es = lab_audit(l, dir, "main", internals);
        const struct event *ev = lab_find(es, H_LOG_PARTITION, l->output, 0, NULL);
        CHECK(ev);
        CHECK_STR(event_str(ev, H_LOG_PARTITION_WHAT), "undeclared");
        CHECK_INT(count(es, H_LOG_RECORD, l->output, 0), 0);
        CHECK_INT(count(es, H_LOG_RECORD, l->input, 0), 1);
        events_free(es);
        lab_close(l);
    }
}

TEST_LIMIT(an_audit_begins_where_it_is_told, 90)
{
    struct lab *l = lab_open(1);
    struct err e = {0};
    struct txn t = lab_producer(l, NULL, 0);
    lab_send(l, &t, l->input, 0, 4, CODEC_NONE, -1);
    lab_send(l, &t, l->input, 0, 3, CODEC_NONE, -1);
    struct audit_start start = {l->input, 0, 2};
    struct audit_opts o = {l->bootstrap, l->plan, l->run, "probe", false, &start, 1, 30000};
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){.role = "audit"}, &e);
    OK(h ? audit_run(&o, h, &e) : -1);
    start.offset = 99;
    CHECK_INT(audit_run(&o, h, &e), -1);
    CHECK_HAS(e.msg, "below offset 99");
    hist_close(h);
    struct events *es = events_open(test_dir(), &e);
    OK(es ? 0 : -1);
    CHECK_STR(outcomes_of(es, l->input, 0), "00000");
    CHECK_INT(count(es, H_LOG_BATCH, l->input, 0), 2);
    const struct event *ev = lab_find(es, H_LOG_PARTITION, l->input, 0, NULL);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_LOG_START), 2);
    CHECK_INT(event_int(ev, H_LOG_PARTITION_REMOVED), 0);
    ev = last_audit(es);
    CHECK_STR(event_str(ev, H_AUDIT_PASS), "probe");
    CHECK_INT(event_int(ev, H_AUDIT_COMPLETE), 0);
    CHECK_HAS(event_str(ev, H_AUDIT_DETAIL), "below offset 99");
    events_free(es);
    lab_close(l);
}

TEST_LIMIT(what_is_missing_is_said, 90)
{
    struct lab *l = lab_open(1);
    struct err e = {0};
    struct buf ends = {0};
    char want[200];
    snprintf(want, sizeof want, "%s 0 0\n%s 0 0\n", l->input, l->output);
    OK(audit_ends(l->bootstrap, l->plan, 20000, &ends, &e));
    CHECK_STR(ends.data, want);
    l->plan->topics.items[1].name[0] = 'x';
    struct audit_opts o = {.bootstrap = l->bootstrap,
                           .plan = l->plan,
                           .run = l->run,
                           .pass = "main",
                           .timeout_ms = 2000};
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){.role = "audit"}, &e);
    CHECK_INT(audit_run(&o, h, &e), -1);
    CHECK_HAS(e.msg, l->plan->topics.items[1].name);
    CHECK_INT(audit_ends(l->bootstrap, l->plan, 500, &ends, &e), -1);
    CHECK_HAS(e.msg, "is not there");
    o.bootstrap = "127.0.0.1:1";
    CHECK_INT(audit_run(&o, h, &e), -1);
    CHECK_HAS(e.msg, "metadata");
    hist_close(h);
    buf_free(&ends);
    lab_close(l);
}
