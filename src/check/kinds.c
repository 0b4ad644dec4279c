/* SPDX-License-Identifier: Apache-2.0 */
/* The closed list of finding kinds. The order is the order of causes: where two findings speak of
 * the same records, segment or transaction, the one that stands first explains the other. */
#include <string.h>

#include "check/verdict.h"

#define S CLASS_SAFETY
#define L CLASS_LIVENESS
#define T CLASS_THRESHOLD

const struct finding_kind finding_kinds[] = {
    {"corrupt_batch", "gaps", 2, S,
     "a batch does not decode, or holds another number of records than it says"},
    {"overlapping_batches", "gaps", 2, S, "two batches of a partition claim the same offset"},
    {"offset_reused", "gaps", 2, S, "one offset of a partition holds two records"},
    {"unexplained_gap", "gaps", 2, S, "an offset between log start and end lies in no batch"},
    {"phantom_ack", "offsets_agree", 2, S,
     "an acknowledged record is not in the log, or another stands at its offset"},
    {"stale_epoch", "sequences", 3, S,
     "a batch of a lower epoch of its producer stands behind a higher one: a fenced producer "
     "wrote"},
    {"marker_missing", "markers", 3, S,
     "a transaction of a partition was never closed by a marker of its own"},
    {"stale_marker", "markers", 3, S, "a marker of a lower epoch closed a transaction"},
    {"crossed_request", "markers", 3, S,
     "a record stands behind the marker of its own transaction: a late request of it"},
    {"duplicate_batch", "sequences", 4, S,
     "a batch with the same producer, epoch and sequence stands in the log twice"},
    {"sequence_gap", "sequences", 4, S, "the sequence numbers of a producer skip within one epoch"},
    {"torn_transaction", "atomic", 5, S,
     "records of one transaction are partly committed and partly aborted"},
    {"torn_write", "together", 5, S, "records that belong together are not all there"},
    {"false_fail", "atomic", 5, S,
     "a transaction that was reported as aborted is committed in the log"},
    {"false_ok", "atomic", 5, S,
     "a transaction that was reported as committed is not, or lacks a record"},
    {"offsets_without_output", "atomic", 6, S,
     "the offsets of a transaction are committed and its records are not"},
    {"output_without_offsets", "atomic", 6, S,
     "the records of a transaction are committed and its offsets are not"},
    {"aborted_read", "committed_only", 8, S,
     "a record of an aborted transaction was delivered to a role"},
    {"dirty_read", "committed_only", 8, S,
     "a record was delivered before its transaction was committed"},
    {"inconsistent_offset", "offsets_agree", 8, S,
     "a role was delivered an offset that holds no record"},
    {"wrong_content", "exactly_once", 9, S,
     "a record is not what was sent, or not what its source asks for"},
    {"lost", "no_loss", 9, S,
     "an input has no effect although its offset is committed or its send acknowledged"},
    {"duplicate", "no_duplicates", 9, S, "an input has more effects than declared"},
    {"unaccounted", "accounted", 9, S,
     "an input ended in none of the declared places although its offset is committed"},
    {"double_accounted", "accounted", 9, S, "an input ended in more than one place, or twice"},
    {"invented", "exactly_once", 9, S, "an output has no input"},
    {"garbage", "exactly_once", 9, S, "an output that cannot be told: no identity, or foreign"},
    {"reordered", "order", 9, S,
     "committed records of one producer or key stand in another order than they were sent"},
    /* a reader that only looks on causes none of the above: it comes behind them */
    {"library_delivery", "offsets_agree", 8, S,
     "what a read_committed reader was delivered is not what the log holds"},
    {"invariant", "invariant", 9, S, "an invariant of the scenario's author does not hold"},
    {"assertion", "asserted", 9, S, "an assertion inside a role failed"},
    {"reached", "reached", 9, S, "something happened that must never happen"},
    {"hanging_transaction", "liveness", 10, L,
     "a transaction holds back the last stable offset after it should have ended"},
    {"stall", "liveness", 10, L, "there is work to do and it does not get done"},
    {"unowned", "takeover", 10, L, "a partition of a group was without an owner for too long"},
    {"not_drained", "liveness", 10, L, "the work was not finished within the limit of the drain"},
    {"unprocessed", "no_loss", 10, L,
     "an input has no effect, and its offset is not committed either"},
    {"not_reached", "reached", 10, L, "something that must happen did not"},
    {"held_back", "held_back", 10, L,
     "a transaction stayed open, and held back readers, for longer than allowed"},
    {"late", "late", 10, L, "an effect came after its limit"},
    {"threshold", "thresholds", 10, T, "a measured value is beyond its limit"},
    {NULL, NULL, 0, S, NULL},
};

const struct finding_kind *finding_kind_find(const char *name)
{
    for (const struct finding_kind *k = finding_kinds; k->name; k++) {
        if (strcmp(k->name, name) == 0) {
            return k;
        }
    }
    return NULL;
}
