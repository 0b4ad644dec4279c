/* SPDX-License-Identifier: Apache-2.0 */
/* A program between two topics: it leaves no history, so only the log tells what it did, and only
 * what the log proves is held against it. */
#include "world.h"

static void put(struct world *w, const char *value, long pid, long sequence)
{
    struct entry *e = VEC_PUSH(&w->log[OUTPUT][0]);
    *e = (struct entry){
        .pid = pid, .sequence = sequence, .outcome = 1, .role = "", .txn_id = "", .txn = -1};
    snprintf(e->value, sizeof e->value, "%s", value);
}

/* A committed transaction of the program, with copies of inputs. */
static void copies(struct world *w, long pid, long first, long last)
{
    for (long i = first; i <= last; i++) {
        put(w, w->log[INPUT][0].items[i].value, pid, i - first);
    }
    *VEC_PUSH(&w->log[OUTPUT][0]) =
        (struct entry){.control = true, .commit = true, .pid = pid, .role = "", .txn_id = ""};
}

static void plain_offset(struct world *w, long offset)
{
    *VEC_PUSH(&w->offsets) =
        (struct offset_entry){.part = 0, .epoch = -1, .outcome = 0, .offset = offset, .pid = -1};
}

static void offset_in(struct world *w, long pid, long offset)
{
    *VEC_PUSH(&w->offsets) =
        (struct offset_entry){.part = 0, .outcome = 1, .offset = offset, .pid = pid};
    *VEC_PUSH(&w->offsets) = (struct offset_entry){.marker = true, .commit = true, .pid = pid};
}

static struct world *with_program(void)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "exactly once", PRED_EXACTLY_ONCE);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->id = ID_VALUE;
    struct plan_role *r = plan_role(w->plan, "worker");
    plan_strings_add(&r->exec, "box");
    plan_strings_add(&r->groups, "copy");
    struct proc *c = proc_start(w, "controller", 1, 1);
    for (int i = 0; i < 4; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
    }
    return w;
}

static void blamed(struct world *w, const char *kind, const char *who, const char *cause)
{
    world_must_find(w, kind);
    const struct finding *f = world_find(w, kind);
    CHECK_STR(finding_blame_name(f->blame), who);
    CHECK_HAS(f->cause, cause);
    world_free(w);
}

TEST(a_program_that_copies_once_passes)
{
    struct world *w = with_program();
    copies(w, 50, 0, 1);
    offset_in(w, 50, 2);
    copies(w, 51, 2, 3);
    offset_in(w, 51, 4);
    world_must_pass(w);
    world_free(w);
}

TEST(offsets_of_a_program_outside_its_transactions_are_its_own_doing)
{
    struct world *w = with_program();
    copies(w, 50, 0, 3);
    plain_offset(w, 2);
    copies(w, 51, 2, 3);
    plain_offset(w, 4);
    blamed(w, "duplicate", "client_side", "committed offsets of input[0] outside of them");
}

TEST(an_offset_that_a_program_committed_too_early_is_its_own_doing)
{
    struct world *w = with_program();
    copies(w, 50, 0, 1);
    plain_offset(w, 4);
    blamed(w, "lost", "client_side", "committed offset 4 of input[0] outside a transaction");
}

TEST(nobody_is_blamed_for_a_duplicate_whose_offsets_were_in_the_transactions)
{
    struct world *w = with_program();
    copies(w, 50, 0, 3);
    offset_in(w, 50, 4);
    copies(w, 51, 2, 3);
    offset_in(w, 51, 4);
    blamed(w, "duplicate", "undetermined", "");
}

TEST(a_program_whose_group_nobody_named_was_not_waited_for)
{
    struct world *w = with_program();
    plan_strings_free(&plan_role(w->plan, "worker")->groups);
    copies(w, 50, 0, 1);
    offset_in(w, 50, 2);
    world_finish(w);
    world_check(w);
    CHECK_STR(verdict_name(w->v->code), "INCONCLUSIVE");
    bool said = false;
    for (size_t i = 0; i < w->v->nreasons; i++) {
        said = said || strstr(w->v->reasons[i], "write `group = \"copy\"`") != NULL;
    }
    CHECK(said);
    world_free(w);
}

TEST(a_program_whose_group_is_named_fails_for_what_it_left)
{
    struct world *w = with_program();
    copies(w, 50, 0, 1);
    offset_in(w, 50, 2);
    world_must_find(w, "unprocessed");
    world_free(w);
}
