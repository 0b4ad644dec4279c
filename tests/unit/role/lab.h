/* SPDX-License-Identifier: Apache-2.0 */
/* A small runner for tests: spawns this program as `__role`, speaks the frames, reads the history.
 */
#pragma once
#include <sys/types.h>

#include "history/events.h"
#include "history/hist.h"
#include "test.h"

/** The broker of KAOS_TEST_BOOTSTRAP; skips the case when there is none. */
const char *lab_bootstrap(void);
/** A name that no other test run has, static in a ring of eight. */
const char *lab_name(const char *prefix);
/** Creates a topic on the broker. */
void lab_topic(const char *name, int partitions);

/** A formatted text that stays valid. */
const char *lab_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct lab_role {
    pid_t pid;
    int control;
};
struct lab_start {
    const char *text; /**< of the scenario file */
    const char *role;
    int index, incarnation;   /**< 0 = 1 */
    const char *bootstrap;    /**< NULL = nobody is there */
    const char *reader_topic; /**< builtin reader */
    bool faults_on, draining, deliveries;
    uint64_t seed;
};
struct lab_role lab_spawn(const struct lab_start *s);
void lab_frame(struct lab_role *r, int type, const char *text);
/** Waits for the end. @return exit code, or -signal */
int lab_wait(struct lab_role *r);
/** Everything written so far; caller frees. */
struct events *lab_events(void);
/** How many events of a kind (and phase, -1 = any) from a role (NULL = any). */
size_t lab_count(const struct events *es, const char *role, unsigned kind, int phase);
const struct event *lab_find(const struct events *es, const char *role, unsigned kind, size_t n);
/** Waits until the history has n events of the kind from the role; fails after 20 s. */
void lab_until(const char *role, unsigned kind, int phase, size_t n);
/** Sum of field `slot` over the events of a kind and phase. */
int64_t lab_sum(const struct events *es, const char *role, unsigned kind, int phase, int slot);
/** Text of the role's stderr so far; static. */
const char *lab_stderr(void);
