/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/batch.h"

enum { RECORDS_MAX = 4, VALUE_MAX = 2000, AT_CRC = 17, AT_ATTRIBUTES = 21 };

static int64_t below(struct model *m, uint64_t n)
{
    return (int64_t)dice_below(m->dice, n);
}

static struct batch_opts options(struct model *m, int32_t n)
{
    struct model_producer *p = &m->producers[m->at.producer];
    struct batch_opts o = {.producer_id = -1, .producer_epoch = -1, .base_sequence = -1};
    bool plain = p->id < 0 || (!m->at.transactional && dice_one_in(m->dice, 3));
    o.codec = dice_one_in(m->dice, 4) ? (enum batch_codec)below(m, CODEC_ZSTD + 1) : CODEC_NONE;
    if (!plain) {
        int32_t *sequence = &p->sequence[m->at.topic][m->at.partition % MODEL_PARTITIONS];
        o.producer_id = p->id;
        o.producer_epoch = p->epoch;
        o.transactional = m->at.transactional;
        o.base_sequence = *sequence;
        if (!m->at.flow && dice_one_in(m->dice, 8)) {
            o.base_sequence = (int32_t)below(m, 6); /* a duplicate, a gap */
        } else {
            *sequence += n;
        }
    }
    return o;
}

/** Any bytes behind the CRC, and a CRC that is right. */
static void spoil(struct model *m, struct buf *b)
{
    for (int64_t n = 1 + below(m, 3); n > 0; n--) {
        size_t at = AT_ATTRIBUTES + (size_t)below(m, b->len - AT_ATTRIBUTES);
        b->data[at] = dice_one_in(m->dice, 2) ? (char)0xff : (char)dice_next(m->dice);
    }
    uint32_t crc = crc32c(b->data + AT_ATTRIBUTES, b->len - AT_ATTRIBUTES);
    for (unsigned i = 0; i < 4; i++) {
        b->data[AT_CRC + i] = (char)(crc >> 8 * (3 - i));
    }
}

void records_make(struct model *m, struct buf *out)
{
    static uint8_t value[VALUE_MAX];
    struct record r[RECORDS_MAX] = {0};
    struct err e;
    int32_t n = 1 + (int32_t)below(m, RECORDS_MAX);
    size_t most = dice_one_in(m->dice, 8) ? VALUE_MAX : 20;
    for (int32_t i = 0; i < n; i++) {
        r[i] = (struct record){.timestamp = m->now_ms - below(m, 5),
                               .key_len = -1,
                               .value = value,
                               .value_len = (int32_t)below(m, most)};
    }
    struct batch_opts o = options(m, n);
    if (batch_write(out, &o, r, n, &e) < 0) {
        abort();
    }
    if (m->at.wild && dice_one_in(m->dice, 2)) {
        spoil(m, out);
    }
    if (m->at.wild && dice_one_in(m->dice, 6)) { /* two of them, or one that is cut */
        char *twice = xmemdup0(out->data, out->len);
        buf_append(out, twice, (size_t)below(m, out->len + 1));
        free(twice);
    }
}
