/* SPDX-License-Identifier: Apache-2.0 */
/* The live view as text: given facts, several widths, with and without UTF-8. */
#include "report/live.h"
#include "report/text.h"
#include "test.h"

#include "base/mem.h"
#include "base/path.h"

static const struct status_group groups[] = {
    {.name = "copy", .owners = "input: 0>worker.1 1>worker.3", .generation = 31, .changes = 9},
};
static const struct status_prop props[] = {
    {"always", "exactly once", MARK_WAIT, "1388 in, 1371 out"},
    {"sometimes", "died inside an open transaction", MARK_GOOD, "6×"},
    {"never", "worked twice", MARK_BAD, "1×"},
};
static const struct status_fault faults[] = {
    {.kind = "crash", .target = "worker", .fired = 28, .max = -1},
    {.kind = "pause", .target = "worker", .fired = 1, .max = 2},
};
static const struct status_event events[] = {
    {41200, "crash worker.2#9 before_commit input[2]@518"},
    {40900, "copy generation 30>31"},
    {36800, "crash worker.3#10 after_send input[0]@77"},
};

struct facts {
    struct status_proc procs[5];
    struct status s;
    char log[256];
};

static const struct status_proc procs[] = {
    {.role = "controller", .index = 1, .incarnation = 1, .pid = 4711, .age_ms = 41000},
    {.role = "worker",
     .index = 1,
     .incarnation = 9,
     .pid = 4712,
     .age_ms = 1500,
     .deaths = 8,
     .last_end = "fault",
     .topic = "input",
     .partition = 2,
     .offset = 518,
     .in_txn = true,
     .txn = 3,
     .txn_records = 4,
     .txn_age_ms = 120},
    {.role = "worker",
     .index = 2,
     .incarnation = 10,
     .state = "dead",
     .back_ms = 600,
     .deaths = 10,
     .last_end = "fault"},
    {.role = "worker",
     .index = 3,
     .incarnation = 11,
     .pid = 4714,
     .age_ms = 900,
     .deaths = 10,
     .last_end = "died",
     .topic = "input",
     .offset = 9},
    {.role = "kaos-reader", .index = 1, .incarnation = 1, .reader = true, .pid = 4715},
};

static const struct status sample = {.version = "0.1",
                                     .file = "eos.lua",
                                     .name = "eos",
                                     .run = "7c1e",
                                     .cluster = "kafka",
                                     .cluster_version = "4.3.1",
                                     .nodes = 3,
                                     .params = "ids=2000 workers=3",
                                     .phase = "working",
                                     .seed = 0x1d0f3c5a77e2b941,
                                     .elapsed_ms = 41200,
                                     .limit_ms = 180000,
                                     .faults_on = true,
                                     .sent = 1437,
                                     .acked = 1431,
                                     .unknown = 2,
                                     .delivered = 1400,
                                     .commits = 60,
                                     .aborts = 7,
                                     .sent_rate = 36,
                                     .delivered_rate = 39,
                                     .groups = groups,
                                     .ngroups = 1,
                                     .props = props,
                                     .nprops = 3,
                                     .faults = faults,
                                     .nfaults = 2,
                                     .events = events,
                                     .nevents = 3,
                                     .notice = ""};

static void facts_init(struct facts *f)
{
    struct err e;
    snprintf(f->log, sizeof f->log, "%s/w.log", test_dir());
    const char text[] = "one\ntwo\nthree\nfour\nfive\nsix \033[31mred\nseven\n";
    CHECK_INT(path_write(f->log, text, sizeof text - 1, &e), 0);
    memcpy(f->procs, procs, sizeof procs);
    for (size_t i = 0; i < ARRAY_LEN(procs); i++) {
        struct status_proc *q = &f->procs[i];
        q->state = q->state ? q->state : "running";
        q->back_ms = q->back_ms ? q->back_ms : -1;
        q->last_end = q->last_end ? q->last_end : "";
        q->log = f->log;
    }
    f->s = sample;
    f->s.procs = f->procs;
    f->s.nprocs = ARRAY_LEN(procs);
}

static char *drawn(const struct status *s, struct status_screen o)
{
    struct buf b = {0};
    live_draw(s, &o, &b);
    return buf_take(&b);
}

static void check_bounds(const char *text, size_t columns, size_t rows, bool ascii)
{
    size_t n = 0;
    for (const char *p = text; *p; n++) {
        size_t len = strcspn(p, "\n");
        char *line = xmemdup0(p, len);
        CHECK(text_width(line) <= columns);
        for (size_t i = 0; i < len; i++) {
            CHECK((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
            CHECK(!ascii || (unsigned char)line[i] < 0x80);
        }
        free(line);
        CHECK(p[len] == '\n');
        p += len + 1;
    }
    CHECK(n <= rows);
}

TEST(the_main_page_shows_the_whole_run)
{
    struct facts f;
    facts_init(&f);
    char *text =
        drawn(&f.s, (struct status_screen){.columns = 100, .rows = 30, .utf8 = true, .keys = true});
    check_bounds(text, 100, 30, false);
    CHECK_STR(
        text,
        "kaos 0.1   eos.lua › eos   seed 0x1d0f3c5a77e2b941   run 7c1e   kafka ×3 (4.3.1)\n"
        "  ids=2000 workers=3\n"
        "▶ 00:41 of ≤3m00s   working   faults on\n"
        "\n"
        "  controller  1/1 up   .1 running\n"
        "  worker      2/3 up  ☠ 28   .1#9 in tx, 4 sent   .2#10 ↻ back in 600ms   .3#11 running "
        "input[0]@9\n"
        "  group copy  generation 31   input: 0→worker.1 1→worker.3\n"
        "  flow        in 39/s  out 36/s   sent 1437  acked 1431  failed 0  unknown 2  delivered "
        "1400  commit\n"
        "  faults      crash worker 28× · pause worker 1× of 2\n"
        "\n"
        "  so far (a preview: judged when the run has ended)\n"
        "  always      exactly once                     … 1388 in, 1371 out\n"
        "  sometimes   died inside an open transaction  ✓ 6×\n"
        "  never       worked twice                     ✗ 1×\n"
        "\n"
        "  41.2 crash worker.2#9 before_commit input[2]@518    40.9 copy generation 30>31\n"
        "  36.8 crash worker.3#10 after_send input[0]@77\n"
        "  t details  f faults off/on  k kill  l logs  q stop & judge  ^C^C abort\n");
    free(text);
}

TEST(every_page_fits_every_screen)
{
    static const enum status_page pages[] = {PAGE_MAIN, PAGE_DETAILS, PAGE_KILL, PAGE_LOGS};
    static const int columns[] = {20, 40, 79, 80, 100, 200}, rows[] = {1, 2, 5, 24, 60};
    struct facts f;
    facts_init(&f);
    f.s.notice = "faults are off";
    for (size_t i = 0; i < ARRAY_LEN(pages) * ARRAY_LEN(columns) * ARRAY_LEN(rows) * 2; i++) {
        size_t k = i / 2;
        struct status_screen o = {.utf8 = i % 2,
                                  .keys = true,
                                  .page = pages[k % ARRAY_LEN(pages)],
                                  .columns = columns[k / ARRAY_LEN(pages) % ARRAY_LEN(columns)],
                                  .rows = rows[k / ARRAY_LEN(pages) / ARRAY_LEN(columns)]};
        char *text = drawn(&f.s, o);
        check_bounds(text, (size_t)o.columns, (size_t)o.rows, !o.utf8);
        CHECK(*text);
        free(text);
    }
}

TEST(without_utf8_there_are_words_and_signs)
{
    struct facts f;
    facts_init(&f);
    char *text = drawn(&f.s, (struct status_screen){.columns = 80, .rows = 24});
    check_bounds(text, 80, 24, true);
    CHECK_HAS(text, "eos.lua > eos");
    CHECK_HAS(text, "worker      2/3 up  X 28");
    CHECK_HAS(text, ".2#10 ~ back in 600ms");
    CHECK_HAS(text, "of <=3m00s");
    CHECK_HAS(text, "+ 6x");
    CHECK_HAS(text, "x 1x");
    CHECK(!strstr(text, "t details")); /* nobody can type */
    free(text);
}

TEST(colour_is_only_where_it_is_allowed)
{
    struct facts f;
    facts_init(&f);
    char *plain = drawn(&f.s, (struct status_screen){.columns = 80, .rows = 24, .utf8 = true});
    char *shown =
        drawn(&f.s, (struct status_screen){.columns = 80, .rows = 24, .utf8 = true, .color = true});
    CHECK(!strchr(plain, '\033'));
    CHECK_HAS(shown, "\033[32m✓\033[0m");
    free(plain);
    free(shown);
}

TEST(details_have_every_process_and_the_end_of_its_log)
{
    struct facts f;
    facts_init(&f);
    char *text =
        drawn(&f.s, (struct status_screen){.columns = 200, .utf8 = true, .page = PAGE_DETAILS});
    CHECK_HAS(text, "controller.1#1  pid 4711  age 41s  running\n");
    CHECK_HAS(text, "worker.1#9  pid 4712  age 1.5s  running  deaths 8 (last: fault)  at "
                    "input[2]@518  transaction 3 open for 120ms, 4 records sent\n");
    CHECK_HAS(text, "worker.2#10  dead, back in 600ms  deaths 10 (last: fault)\n");
    CHECK_HAS(text, "kaos-reader.1#1");
    CHECK_HAS(text, "      | three\n      | four\n      | five\n      | six \\x1b[31mred\n"
                    "      | seven\n");
    CHECK(!strstr(text, "two"));
    CHECK(!strchr(text, '\033'));
    free(text);
    char *skipped = drawn(
        &f.s, (struct status_screen){.columns = 120, .rows = 24, .page = PAGE_DETAILS, .skip = 6});
    CHECK(!strstr(skipped, "controller.1"));
    CHECK_HAS(skipped, "worker.1#9");
    free(skipped);
}

TEST(many_instances_leave_room_for_the_rest)
{
    struct facts f;
    facts_init(&f);
    struct status_proc *many = xcalloc(300, sizeof *many);
    for (int i = 0; i < 300; i++) {
        many[i] = f.procs[3];
        many[i].index = i + 1;
    }
    f.s.procs = many;
    f.s.nprocs = 300;
    char *text = drawn(&f.s, (struct status_screen){.columns = 80, .rows = 24, .utf8 = true});
    check_bounds(text, 80, 24, false);
    CHECK_HAS(text, "worker      300/300 up");
    CHECK_HAS(text, " more: t\n");
    CHECK_HAS(text, "exactly once");
    free(text);
    free(many);
}

TEST(a_run_without_anything_is_drawn)
{
    struct status s = {.version = "0",
                       .file = "",
                       .name = "",
                       .run = "",
                       .cluster = "",
                       .cluster_version = "",
                       .params = "",
                       .phase = "starting the cluster",
                       .elapsed_ms = -1,
                       .notice = ""};
    for (int page = PAGE_MAIN; page <= PAGE_LOGS; page++) {
        char *text =
            drawn(&s, (struct status_screen){
                          .columns = 80, .rows = 24, .keys = true, .page = (enum status_page)page});
        CHECK_HAS(text, "starting the cluster");
        free(text);
    }
}
