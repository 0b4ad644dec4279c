/* SPDX-License-Identifier: Apache-2.0 */
/* Random legal histories pass; one random change gives exactly one primary finding, of the kind it
 * stands for. Seeds are fixed and named in a failure. */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/path.h"
#include "world.h"

static uint64_t state;

static long pick(long n)
{
    state = hash_mix(state, 0x9e37);
    return (long)(state % (uint64_t)n);
}

/* More seeds on demand: KAOS_SEEDS=2000. */
static uint64_t seeds(uint64_t normal)
{
    const char *more = getenv("KAOS_SEEDS");
    return more ? strtoull(more, NULL, 10) : normal;
}

struct life {
    struct world *w;
    struct proc *worker[PARTS];
    int incarnation[PARTS];
    long skip_part, skip_offset; /**< an input that is left out */
};

static void reborn(struct life *l, int part)
{
    struct proc *old = l->worker[part];
    l->worker[part] = proc_start(l->w, "worker", part + 1, ++l->incarnation[part]);
    l->worker[part]->pid = old->pid;
    l->worker[part]->epoch = old->epoch + 2;
}

static void open_batch(struct life *l, int part, long first, long last)
{
    struct proc *p = l->worker[part];
    proc_deliver(p, INPUT, part, first, last, "copy", true);
    proc_begin(p);
    for (long o = first; o <= last; o++) {
        if (part != l->skip_part || o != l->skip_offset) {
            proc_copy(p, (int)pick(PARTS), part, o);
        }
    }
}

/* A crash: the transaction is aborted with a higher epoch when the successor starts. */
static void die(struct life *l, int part, const char *point)
{
    struct proc *p = l->worker[part];
    proc_crash(p, point);
    p->epoch++;
    proc_end_txn(p, false);
    p->epoch--;
    reborn(l, part);
}

/* The commit is applied, its answer is lost or says fenced. */
static void unheard(struct life *l, int part, int phase, const char *error)
{
    struct proc *p = l->worker[part];
    uint64_t op = hist_op(p->h);
    hist_add(p->h, H_TXN_COMMIT, HP_INVOKE, op, HS(p->producer), HI(p->txn), HS(""), HS(""));
    proc_end_txn(p, true);
    if (phase >= 0) {
        hist_add(p->h, H_TXN_COMMIT, phase, op, HS(p->producer), HI(p->txn), HS(error), HS(""));
        proc_exit(p, 5, 0, "fenced");
    } else {
        proc_crash(p, "during_commit");
    }
    reborn(l, part);
}

/* One attempt at a batch. @return whether it is committed */
static bool attempt(struct life *l, int part, long first, long last)
{
    long fate = pick(10);
    open_batch(l, part, first, last);
    struct proc *p = l->worker[part];
    if (fate == 0) {
        die(l, part, "after_send");
        return false;
    }
    proc_offsets(p, part, last + 1);
    switch (fate) {
    case 1:
        die(l, part, "before_commit");
        return false;
    case 2:
        proc_abort(p, "fault");
        proc_seek(p, part, last + 1, first);
        return false;
    case 3:
        unheard(l, part, -1, "");
        return true;
    case 4:
        unheard(l, part, HP_UNKNOWN, "_FENCED");
        return true;
    default:
        proc_commit(p);
        return true;
    }
}

/* A legal life with aborts, deaths, unheard commits and odd markers. */
static void live(struct life *l, uint64_t seed, const char *name)
{
    state = hash_mix(42, seed);
    *l = (struct life){.skip_part = -1, .w = world_new_in(name)};
    world_expect_eos(l->w, pick(2) ? ID_VALUE : ID_LINEAGE);
    struct proc *c = proc_start(l->w, "controller", 1, 1);
    for (int part = 0; part < PARTS; part++) {
        l->incarnation[part] = 1;
        l->worker[part] = proc_start(l->w, "worker", part + 1, 1);
    }
    long n = 8 + pick(12);
    for (long i = 0; i < n * PARTS; i++) {
        proc_send_plain(c, INPUT, (int)(i % PARTS), NULL);
    }
}

static void work(struct life *l)
{
    for (int part = 0; part < PARTS; part++) {
        long end = (long)l->w->log[INPUT][part].n, from = 0;
        while (from < end) {
            long last = from + 1 + pick(3);
            last = last < end ? last : end - 1;
            if (pick(6) == 0) {
                struct world *w = l->w;
                struct entry m = {.control = true, .pid = 5000, .role = "", .txn_id = ""};
                struct log *at = &w->log[OUTPUT][pick(PARTS)];
                *VEC_PUSH(at) = m;
            }
            if (attempt(l, part, from, last)) {
                from = last + 1;
            }
        }
    }
}

static struct entry *committed_output(struct world *w, bool acked_commit)
{
    for (int turn = 0; turn < 10000; turn++) {
        struct log *l = &w->log[OUTPUT][pick(PARTS)];
        struct entry *e = l->n ? &l->items[pick((long)l->n)] : NULL;
        if (e && !e->control && e->outcome == 1 && (!acked_commit || e->txn > 0)) {
            return e;
        }
    }
    test_fail(__FILE__, __LINE__, "no committed output");
}

TEST_LIMIT(random_legal_histories_pass, 300)
{
    for (uint64_t seed = 1; seed <= seeds(40); seed++) {
        struct life l;
        char name[32];
        snprintf(name, sizeof name, "legal-%d", (int)seed);
        live(&l, seed, name);
        work(&l);
        world_check(l.w);
        if (l.w->v->code != VERDICT_PASS) {
            world_show(l.w);
            test_fail(__FILE__, __LINE__, "seed %d: %s", (int)seed, verdict_name(l.w->v->code));
        }
        CHECK_INT(l.w->v->facts.exactly_once, l.w->v->facts.ids);
        world_free(l.w);
    }
}

enum mutation { DROP, AGAIN, RELABEL, INVENT, REMOVE, TEAR, FORGET, MUTATIONS };
static const char *const expected[MUTATIONS] = {"lost",
                                                "duplicate",
                                                "wrong_content",
                                                "invented",
                                                "unexplained_gap",
                                                "torn_transaction",
                                                "output_without_offsets"};

static struct entry *sibling(struct world *w, const struct entry *e)
{
    for (int i = 0; i < PARTS; i++) {
        struct log *l = &w->log[OUTPUT][i];
        for (size_t k = 0; k < l->n; k++) {
            struct entry *x = &l->items[k];
            if (x != e && !x->control && x->txn == e->txn && x->index == e->index &&
                x->incarnation == e->incarnation && x->outcome == 1) {
                return x;
            }
        }
    }
    return NULL;
}

static void tear(struct world *w)
{
    for (int turn = 0; turn < 10000; turn++) {
        struct entry *e = committed_output(w, true);
        if (sibling(w, e)) {
            e->outcome = 2;
            return;
        }
    }
    test_fail(__FILE__, __LINE__, "no transaction with two records");
}

/* Offsets whose transaction was heard to be committed; the last of a partition shows otherwise. */
static void forget(struct world *w)
{
    for (int turn = 0; turn < 10000; turn++) {
        struct offset_entry *o = &w->offsets.items[pick((long)w->offsets.n)];
        if (o->outcome == 1 && o->offset < (long)w->log[INPUT][o->part].n) {
            o->gone = true;
            return;
        }
    }
    test_fail(__FILE__, __LINE__, "no committed offset");
}

static void again(struct life *l, int part, long offset)
{
    struct proc *p = l->worker[part];
    proc_batch(p, part, offset, offset);
    proc_offsets(p, part, (long)l->w->log[INPUT][part].n);
    proc_end_txn(p, true);
}

static void mutate(struct life *l, enum mutation m)
{
    struct world *w = l->w;
    struct entry *e = committed_output(w, true);
    switch (m) {
    case AGAIN:
        again(l, e->src_part, e->src_offset);
        break;
    case RELABEL:
        e->src_offset = e->src_offset > 0 ? e->src_offset - 1 : 1;
        break;
    case INVENT: {
        struct entry x = {.pid = -1, .sequence = -1, .role = "", .txn_id = "", .src_offset = 99999};
        x.src = true;
        x.role = "worker";
        x.index = 1;
        x.incarnation = 1;
        x.seq = 1000000;
        x.txn = -1;
        snprintf(x.value, sizeof x.value, "never sent");
        *VEC_PUSH(&w->log[OUTPUT][0]) = x;
        break;
    }
    case REMOVE:
        e->gone = true;
        break;
    case TEAR:
        tear(w);
        break;
    case FORGET:
        forget(w);
        break;
    default:
        break;
    }
}

TEST_LIMIT(one_change_gives_one_primary_finding_of_its_kind, 300)
{
    for (uint64_t seed = 1; seed <= seeds(70); seed++) {
        struct life l;
        enum mutation m = (enum mutation)(seed % MUTATIONS);
        char name[32];
        snprintf(name, sizeof name, "changed-%d", (int)seed);
        live(&l, seed, name);
        if (m == DROP) {
            l.skip_part = pick(PARTS);
            l.skip_offset = pick((long)l.w->log[INPUT][l.skip_part].n);
        }
        work(&l);
        mutate(&l, m);
        world_check(l.w);
        const struct finding *f = world_find(l.w, expected[m]);
        if (l.w->v->code != VERDICT_FAIL || !f || f->primary >= 0 || world_primaries(l.w) != 1) {
            world_show(l.w);
            test_fail(__FILE__, __LINE__, "seed %d, %s: %s with %zu primary findings", (int)seed,
                      expected[m], verdict_name(l.w->v->code), world_primaries(l.w));
        }
        CHECK(f->ntimeline <= 12);
        CHECK(*f->cases[0].id);
        world_free(l.w);
    }
}

TEST(verdict_is_the_same_every_time)
{
    struct life l;
    live(&l, 7, "same");
    work(&l);
    mutate(&l, RELABEL);
    world_check(l.w);
    struct err e = {0};
    struct verdict *again = check_run(l.w->es, l.w->plan, NULL, NULL, &e);
    CHECK(again);
    CHECK_INT(again->nfindings, l.w->v->nfindings);
    for (size_t i = 0; i < again->nfindings; i++) {
        CHECK_STR(again->findings[i].cases[0].text, l.w->v->findings[i].cases[0].text);
        CHECK_STR(again->findings[i].signature, l.w->v->findings[i].signature);
        CHECK_INT(again->findings[i].ntimeline, l.w->v->findings[i].ntimeline);
    }
    verdict_free(again);
    world_free(l.w);
}

/* ---- damaged files ---- */

static void damage(const char *path)
{
    FILE *f = fopen(path, "r+b");
    CHECK(f);
    CHECK_INT(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(fseek(f, pick(size < 8192 ? size : 8192), SEEK_SET), 0);
        fputc((int)pick(256), f);
    }
    fclose(f);
}

TEST_LIMIT(damaged_histories_do_no_harm, 120)
{
    for (uint64_t seed = 1; seed <= seeds(60); seed++) {
        struct life l;
        char name[32];
        snprintf(name, sizeof name, "damaged-%d", (int)seed);
        live(&l, seed, name);
        work(&l);
        world_finish(l.w);
        char *pattern = xasprintf("%s/*.seg", l.w->dir);
        glob_t found;
        CHECK_INT(glob(pattern, 0, NULL, &found), 0);
        damage(found.gl_pathv[pick((long)found.gl_pathc)]);
        if (getenv("KAOS_SEEDS")) {
            fprintf(stderr, "# seed %d\n", (int)seed);
        }
        globfree(&found);
        free(pattern);
        struct err e = {0};
        l.w->es = events_open(l.w->dir, &e);
        l.w->v = l.w->es ? check_run(l.w->es, l.w->plan, NULL, NULL, &e) : NULL;
        CHECK(l.w->v || *e.msg);
        world_free(l.w);
    }
}

/* ---- the tool that changes a stored audit ---- */

static char *tool_path(void)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(len > 0);
    self[len] = 0;
    *strrchr(self, '/') = 0;
    return path_join(self, "mutate-audit");
}

static void run_tool(const char *dir, const char *action, const char *topic, const char *n)
{
    char *tool = tool_path();
    if (access(tool, X_OK) != 0) {
        test_skip("mutate-audit is not built");
    }
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execl(tool, tool, dir, action, topic, n, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    free(tool);
}

static void changed_by_tool(const char *action, const char *kind)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    world_finish(w);
    run_tool(w->dir, action, "output", "2");
    world_check(w);
    const struct finding *f = world_find(w, kind);
    if (!f) {
        world_show(w);
    }
    CHECK_INT(w->v->code, VERDICT_FAIL);
    CHECK(f);
    CHECK_STR(f->cases[0].records[0].topic[0] == 'o' ? "output" : "input",
              f->cases[0].records[0].topic);
    CHECK_INT(f->cases[0].records[0].partition, 0);
    world_free(w);
}

TEST(removed_by_the_tool_is_lost)
{
    changed_by_tool("--remove", "lost");
}

TEST(doubled_by_the_tool_is_duplicate)
{
    changed_by_tool("--double", "duplicate");
}

TEST(invented_by_the_tool_is_invented)
{
    changed_by_tool("--invent", "invented");
}
