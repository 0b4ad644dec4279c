/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of logs that a healthy Kafka does not have: damaged, cut, moving. */
#include "test.h"

#include <sys/stat.h>

#include "audit/audit.h"
#include "base/mem.h"
#include "fake.h"
#include "history/events.h"

struct found {
    char batches[256]; /**< "base-last:outcome:error " each */
    char records[64];  /**< an outcome per record */
    char detail[512];  /**< of the end of the audit */
    int rc;
    int64_t partition_complete;
    struct err e;
};

static void add_batch(struct found *x, const struct event *ev)
{
    size_t n = strlen(x->batches);
    snprintf(x->batches + n, sizeof x->batches - n, "%s%lld-%lld:%lld%s%s", n ? " " : "",
             (long long)event_int(ev, H_LOG_BATCH_BASE), (long long)event_int(ev, H_LOG_BATCH_LAST),
             (long long)event_int(ev, H_LOG_BATCH_OUTCOME),
             *event_str(ev, H_LOG_BATCH_ERROR) ? ":" : "", event_str(ev, H_LOG_BATCH_ERROR));
}

static void add_event(struct found *x, const struct event *ev)
{
    size_t n = strlen(x->records);
    switch (ev->kind) {
    case H_LOG_BATCH:
        add_batch(x, ev);
        break;
    case H_LOG_RECORD:
        CHECK(n + 1 < sizeof x->records);
        x->records[n] = (char)('0' + event_int(ev, H_LOG_RECORD_OUTCOME));
        break;
    case H_LOG_PARTITION:
        x->partition_complete = event_int(ev, H_LOG_PARTITION_COMPLETE);
        break;
    case H_AUDIT:
        snprintf(x->detail, sizeof x->detail, "%s", event_str(ev, H_AUDIT_DETAIL));
        CHECK_INT(event_int(ev, H_AUDIT_COMPLETE),
                  strcmp(event_str(ev, H_AUDIT_WHAT), "end") == 0 && x->rc == 0);
        break;
    default:
        break;
    }
}

/** Audits the fake's topic and stops it. */
static struct found audit_into(struct fake *f, const char *dir)
{
    struct found x = {.partition_complete = -1};
    struct err e = {0};
    struct plan *p = plan_new();
    *VEC_PUSH(&p->topics) = (struct plan_topic){.name = xstrdup("t"), .partitions = 1};
    fake_start(f);
    struct audit_opts o = {
        .bootstrap = f->bootstrap, .plan = p, .run = "r", .pass = "main", .timeout_ms = 20000};
    struct hist *h = hist_open(dir, &(struct hist_ident){.role = "audit"}, &e);
    CHECK(h);
    x.rc = audit_run(&o, h, &x.e);
    hist_close(h);
    fake_stop(f);
    struct events *es = events_open(dir, &e);
    CHECK(es);
    for (size_t i = 0; i < es->n; i++) {
        add_event(&x, &es->items[i]);
    }
    events_free(es);
    plan_free(p);
    return x;
}

static struct found audit(struct fake *f)
{
    return audit_into(f, test_dir());
}

TEST(a_sound_log_is_read_to_its_end)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, 5, 0, true, 2);
    fake_data(&f, 6, 0, true, 1);
    fake_data(&f, -1, -1, false, 2);
    fake_control(&f, 5, 0, CONTROL_COMMIT);
    fake_data(&f, 5, 0, true, 1);
    fake_control(&f, 6, 1, CONTROL_ABORT);
    f.lso = 6;
    struct found x = audit(&f);
    CHECK_STR(x.batches, "0-1:1 2-2:2 3-4:0 5-5:1 6-6:3 7-7:2");
    CHECK_STR(x.records, "112003");
    CHECK_STR(x.e.msg, "");
    CHECK_INT(x.rc, 0);
    CHECK_INT(x.partition_complete, 1);
}

TEST(a_cut_last_batch_is_asked_for_again)
{
    struct fake f;
    fake_init(&f);
    for (int i = 0; i < 10; i++) {
        fake_data(&f, 5, 0, true, 1 + i % 2);
    }
    fake_control(&f, 5, 0, CONTROL_COMMIT);
    f.limit = 90; /* one batch and a part of the next one */
    struct found x = audit(&f);
    CHECK_STR(x.records, "111111111111111");
    CHECK_INT(x.rc, 0);
}

TEST(a_damaged_batch_is_data_and_does_not_stop_the_reading)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, 5, 0, true, 2);
    size_t at = fake_data(&f, 5, 0, true, 2);
    fake_data(&f, 5, 0, true, 2);
    fake_control(&f, 5, 0, CONTROL_COMMIT);
    f.log.data[at + BATCH_HEADER] = 0x7f; /* the length of the first record */
    for (size_t limit = 0; limit < 2; limit++) {
        f.limit = limit;
        struct fake copy = f;
        copy.log = (struct buf){0};
        buf_append(&copy.log, f.log.data, f.log.len);
        char dir[256];
        snprintf(dir, sizeof dir, "%s/%zu", test_dir(), limit);
        CHECK_INT(mkdir(dir, 0700), 0);
        struct found x = audit_into(&copy, dir);
        CHECK_STR(x.batches, "0-1:1 2-3:1:crc 4-5:1 6-6:1");
        CHECK_STR(x.records, "1111");
        CHECK_INT(x.rc, 0);
        CHECK_INT(x.partition_complete, 1);
    }
    buf_free(&f.log);
}

TEST(a_length_that_makes_no_sense_is_the_end_and_said)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, 5, 0, true, 2);
    size_t at = fake_data(&f, 5, 0, true, 2);
    fake_control(&f, 5, 0, CONTROL_COMMIT);
    memset(f.log.data + at + 8, 0x7f, 4);
    struct found x = audit(&f);
    CHECK_STR(x.batches, "0-1:3 2-2:0:malformed");
    CHECK_INT(x.rc, -1);
    CHECK_HAS(x.e.msg, "t-0 is not readable behind offset 2");
    CHECK_STR(x.detail, x.e.msg);
    CHECK_INT(x.partition_complete, 0);
}

TEST(a_log_whose_start_moves_is_said)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, -1, -1, false, 2);
    f.later_start = 1;
    struct found x = audit(&f);
    CHECK_INT(x.rc, -1);
    CHECK_HAS(x.detail, "log start of t-0 moved from 0 to 1");
    CHECK_STR(x.records, "00");
}

TEST(a_log_that_shrinks_is_said)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, -1, -1, false, 4);
    f.later_hw = 2;
    struct found x = audit(&f);
    CHECK_INT(x.rc, -1);
    CHECK_HAS(x.detail, "t-0 shrank from 4 to 2");
}

TEST_LIMIT(a_log_that_ends_too_early_is_said, 30)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, -1, -1, false, 2);
    f.hw = 5;
    struct found x = audit(&f);
    CHECK_INT(x.rc, -1);
    CHECK_HAS(x.detail, "t-0");
    CHECK_HAS(x.detail, "nothing comes at offset 2");
    CHECK_STR(x.records, "00");
    CHECK_INT(x.partition_complete, 0);
}

TEST(a_head_that_was_deleted_begins_inside_a_batch)
{
    struct fake f;
    fake_init(&f);
    fake_data(&f, -1, -1, false, 4);
    fake_data(&f, -1, -1, false, 1);
    f.log_start = 3;
    struct found x = audit(&f);
    CHECK_STR(x.batches, "0-3:0 4-4:0");
    CHECK_STR(x.records, "00");
    CHECK_INT(x.rc, 0);
}
