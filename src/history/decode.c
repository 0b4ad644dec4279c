/* SPDX-License-Identifier: Apache-2.0 */
/* One record at a time out of a private copy of a segment. Every length, offset and string id is
 * checked here, so that the functions on events need no checks but the number of slots. */
#include "history/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void strings_free(struct strings *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i]);
    }
    free(s->items);
    *s = (struct strings){0};
}

bool decode_is_segment(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".seg") == 0;
}

void decode_key(struct buf *key, const char *role, int index, int incarnation)
{
    key->len = 0;
    buf_printf(key, "%s-%d.%d", role, index, incarnation);
}

const char *decode_header(const uint8_t *p, uint64_t len, struct seg_header *hd,
                          char role[SEG_ROLE_MAX + 1])
{
    if (len < sizeof *hd) {
        return "shorter than a header";
    }
    memcpy(hd, p, sizeof *hd);
    if (memcmp(hd->magic, SEG_MAGIC, sizeof hd->magic) != 0) {
        return "not a history segment";
    }
    if (hd->version != SEG_VERSION) {
        return "written by another version of kaos";
    }
    if (hd->role_len == 0 || hd->role_len > SEG_ROLE_MAX || seg_first(hd) > len) {
        return "damaged header: length of the role's name";
    }
    memcpy(role, p + sizeof *hd, hd->role_len);
    role[hd->role_len] = '\0';
    if (strlen(role) != hd->role_len) {
        return "damaged header: the role's name";
    }
    if (hd->state > SEG_FAILED || hd->used < seg_first(hd) || hd->used > SEG_LIMIT_BYTES ||
        hd->used % SEG_ALIGN != 0) {
        return "damaged header";
    }
    return NULL;
}

/* The extent of a record: *nslots slots within size bytes. */
static const char *check_extent(const struct rec *r, uint64_t left)
{
    if (r->size % SEG_ALIGN != 0 || r->size > left) {
        return "a record's size does not fit";
    }
    if (r->size < sizeof *r + r->nslots * sizeof(int64_t)) {
        return "a record is shorter than its slots";
    }
    if ((r->phase & ~REC_RUN_OPEN) > HP_FACT) {
        return "a record has an unknown phase";
    }
    return NULL;
}

static const char *check_slots(const struct decode *d, const struct rec *r, const int64_t *slots)
{
    const struct hist_kind_info *info = hist_kind_info(r->kind);
    int n = info && info->nfields < r->nslots ? info->nfields : r->nslots;
    uint64_t head = sizeof *r + r->nslots * sizeof(int64_t);
    for (int i = 0; info && i < n; i++) {
        uint64_t v = (uint64_t)slots[i];
        if (info->fields[i].type == HT_STR && v > d->strings.n) {
            return "a string is used that was never defined";
        }
        if (info->fields[i].type == HT_BYTES && v != 0 &&
            (v >> 32 < head || (v >> 32) + (v & UINT32_MAX) > r->size)) {
            return "bytes lie outside their record";
        }
    }
    return NULL;
}

static const char *take_string(struct decode *d, const struct rec *r, const int64_t *slots)
{
    if (r->nslots <= H_STRING_TEXT || slots[H_STRING_ID] != (int64_t)d->strings.n + 1) {
        return "a string is defined out of order";
    }
    uint64_t v = (uint64_t)slots[H_STRING_TEXT];
    *VEC_PUSH(&d->strings) = xmemdup0((const char *)r + (v >> 32), v & UINT32_MAX);
    return NULL;
}

/* Unpacks count, last offset and last time; see format.h. */
static const char *complete_run(const struct decode *d, struct rec *r, int64_t *slots)
{
    int count = r->kind == H_SEND ? H_SEND_COUNT : r->kind == H_ACK ? H_ACK_COUNT : H_DELIVER_COUNT;
    int time = r->kind == H_SEND  ? H_SEND_LAST_TIME
               : r->kind == H_ACK ? H_ACK_LAST_TIME
                                  : H_DELIVER_LAST_TIME;
    if (r->nslots <= time) {
        return "a run without all its slots";
    }
    uint64_t v = (uint64_t)slots[count], n = v & UINT32_MAX, span = v >> 32;
    if (n == 0 || n > RUN_COUNT_MAX || span > RUN_COUNT_MAX ||
        (r->kind == H_DELIVER ? span + 1 < n : span != 0)) {
        return "a run has an impossible count";
    }
    slots[count] = (int64_t)n;
    slots[time] = (int64_t)((uint64_t)slots[time] + (uint64_t)d->shift_ns);
    if (r->kind == H_DELIVER) {
        slots[H_DELIVER_LAST] = (int64_t)((uint64_t)slots[H_DELIVER_FIRST] + span);
    }
    return NULL;
}

enum decode_result decode_record(struct decode *d, uint8_t *p, uint64_t left, struct event *ev,
                                 uint64_t *size, const char **why)
{
    struct rec *r = (struct rec *)(void *)p;
    if (left < sizeof r->size || r->size == 0) {
        return DECODE_END;
    }
    *why = left < sizeof *r ? "a record is cut" : check_extent(r, left);
    if (*why) {
        return DECODE_BAD;
    }
    int64_t *slots = (int64_t *)(r + 1);
    *size = r->size;
    *why = check_slots(d, r, slots);
    if (!*why && r->t < d->last_t) {
        *why = "time runs backwards";
    }
    if (!*why && (r->kind == H_SEND || r->kind == H_ACK || r->kind == H_DELIVER)) {
        *why = complete_run(d, r, slots);
    }
    if (!*why && r->kind == H_STRING) {
        *why = take_string(d, r, slots);
    }
    if (*why) {
        return DECODE_BAD;
    }
    d->last_t = r->t;
    if (r->kind == H_STRING) {
        return DECODE_STRING;
    }
    *ev = (struct event){
        .t = r->t + (uint64_t)d->shift_ns,
        .op = r->op,
        .proc = d->proc,
        .seq = ++d->seq,
        .kind = r->kind,
        .phase = (uint8_t)(r->phase & ~REC_RUN_OPEN),
        .who = d->who,
        .slots = slots,
        .strings = &d->strings,
        .nslots = r->nslots,
        .size = r->size,
    };
    return DECODE_EVENT;
}
