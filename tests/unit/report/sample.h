/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts made by hand, and a small history, for the tests of the views. */
#pragma once
#include "report/report.h"

/** All that a sample points to; zero to begin with. */
struct sample {
    struct verdict v;
    struct prop_result props[8];
    struct finding findings[3];
    struct fault_count faults[3];
    const char *reasons[3];
    json_t *run;
    struct report r;
};
void sample_pass(struct sample *s);
void sample_fail(struct sample *s);
void sample_inconclusive(struct sample *s);
void sample_error(struct sample *s, enum verdict_code code);
void sample_free(struct sample *s);
/** A history in test_dir(): controller sends 3 records, w1#1 crashes, w2#1 copies one. */
struct events *sample_history(void);
/** What a view writes; free() it. */
char *sample_text(report_fn fn, const struct report *r);
