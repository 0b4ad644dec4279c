/* SPDX-License-Identifier: Apache-2.0 */
/* What identifies a record: its value, its key, a header or a function of the scenario's author. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "check/flow.h"

static int from_bytes(const struct m_record *r, int slot, struct buf *out)
{
    size_t len;
    const void *data = event_bytes(r->ev, slot, &len);
    if (!data) {
        return 1;
    }
    buf_append(out, data, len);
    return 0;
}

static bool take_u32(const uint8_t *d, size_t len, size_t *at, uint32_t *out)
{
    if (len - *at < 4) {
        return false;
    }
    *out = (uint32_t)d[*at] | (uint32_t)d[*at + 1] << 8 | (uint32_t)d[*at + 2] << 16 |
           (uint32_t)d[*at + 3] << 24;
    *at += 4;
    return true;
}

/* Headers are stored as (u32 length, name, u32 length or ~0 for null, value)*, little-endian; the
 * last one of a name counts. */
static int from_header(const struct m_record *r, const char *name, struct buf *out)
{
    size_t len, at = 0, found_len = 0;
    const uint8_t *d = event_bytes(r->ev, H_LOG_RECORD_HEADERS, &len);
    const uint8_t *found = NULL;
    while (d && at < len) {
        uint32_t nlen, vlen;
        if (!take_u32(d, len, &at, &nlen) || len - at < nlen) {
            break;
        }
        const uint8_t *n = d + at;
        at += nlen;
        if (!take_u32(d, len, &at, &vlen)) {
            break;
        }
        bool null = vlen == UINT32_MAX;
        if (!null && len - at < vlen) {
            break;
        }
        if (nlen == strlen(name) && memcmp(n, name, nlen) == 0) {
            found = null ? NULL : d + at;
            found_len = null ? 0 : vlen;
        }
        at += null ? 0 : vlen;
    }
    if (!found) {
        return 1;
    }
    buf_append(out, found, found_len);
    return 0;
}

static int from_function(struct judge *j, const struct plan_pred *pred, const struct m_record *r,
                         struct buf *out)
{
    if (!j->folds || !j->folds->id) {
        return err_set(j->e, ERR_INTERNAL, 0, "no function to identify records with (%s)",
                       pred->where ? pred->where : "");
    }
    struct fold_message msg = {.topic = r->part->topic->name,
                               .partition = r->part->number,
                               .offset = r->offset,
                               .timestamp_ms = event_int(r->ev, H_LOG_RECORD_TIMESTAMP)};
    msg.key = event_bytes(r->ev, H_LOG_RECORD_KEY, &msg.key_len);
    msg.value = event_bytes(r->ev, H_LOG_RECORD_VALUE, &msg.value_len);
    return j->folds->id(j->folds->arg, pred->fold, &msg, out, j->e);
}

int flow_record_id(struct judge *j, const struct plan_pred *pred, const struct m_record *r,
                   struct buf *out)
{
    switch (pred->id) {
    case ID_VALUE:
        return from_bytes(r, H_LOG_RECORD_VALUE, out);
    case ID_KEY:
        return from_bytes(r, H_LOG_RECORD_KEY, out);
    case ID_HEADER:
        return from_header(r, pred->id_header ? pred->id_header : "", out);
    case ID_FUNCTION:
        return from_function(j, pred, r, out);
    case ID_LINEAGE:
        break;
    }
    return 1;
}

const char *flow_id_text(struct pool *pool, const struct buf *id)
{
    enum { SHOWN = 60 };
    bool text = id->len > 0;
    for (size_t i = 0; i < id->len; i++) {
        text = text && isprint((unsigned char)id->data[i]);
    }
    size_t n = id->len < SHOWN ? id->len : SHOWN;
    const char *more = n < id->len ? "..." : "";
    if (text) {
        return pool_printf(pool, "%.*s%s", (int)n, id->data, more);
    }
    if (id->len == 0) {
        return "(empty)";
    }
    char hex[2 * SHOWN + 1];
    for (size_t i = 0; i < n; i++) {
        static const char digits[] = "0123456789abcdef";
        hex[2 * i] = digits[(unsigned char)id->data[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)id->data[i] & 15];
    }
    hex[2 * n] = 0;
    return pool_printf(pool, "0x%s%s", hex, more);
}
