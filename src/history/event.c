/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of one event: by slot, and all of them as JSON or lines of JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history/decode.h"
#include "history/events.h"
#include "history/export.h"

int64_t event_int(const struct event *ev, int slot)
{
    return (uint32_t)slot < ev->nslots ? ev->slots[slot] : -1;
}

const char *event_str(const struct event *ev, int slot)
{
    uint64_t id = (uint32_t)slot < ev->nslots ? (uint64_t)ev->slots[slot] : 0;
    return id > 0 && id <= ev->strings->n ? ev->strings->items[id - 1] : "";
}

const void *event_bytes(const struct event *ev, int slot, size_t *len)
{
    uint64_t v = (uint32_t)slot < ev->nslots ? (uint64_t)ev->slots[slot] : 0;
    uint64_t off = v >> 32, n = v & UINT32_MAX;
    *len = 0;
    if (v == 0 || off < sizeof(struct rec) || off + n > ev->size) {
        return NULL;
    }
    *len = n;
    return (const char *)ev->slots - sizeof(struct rec) + off;
}

static json_t *field_json(const struct event *ev, int slot, enum hist_type type)
{
    if (type == HT_INT) {
        return json_integer(event_int(ev, slot));
    }
    if (type == HT_STR) {
        const char *s = event_str(ev, slot);
        return json_bytes(s, strlen(s));
    }
    size_t len;
    const void *p = event_bytes(ev, slot, &len);
    return json_bytes(p, len);
}

json_t *event_json(const struct event *ev)
{
    const struct hist_kind_info *info = hist_kind_info(ev->kind);
    json_t *fields = json_object();
    for (uint32_t i = 0; i < ev->nslots; i++) {
        bool named = info && i < (uint32_t)info->nfields;
        char number[16];
        snprintf(number, sizeof number, "%u", i);
        json_object_set_new(fields, named ? info->fields[i].name : number,
                            field_json(ev, (int)i, named ? info->fields[i].type : HT_INT));
    }
    char id[32];
    snprintf(id, sizeof id, "%u:%u", ev->proc, ev->seq);
    json_t *kind = info ? json_string(info->name) : json_integer(ev->kind);
    return json_pack(
        "{s:s, s:I, s:{s:o, s:i, s:i}, s:o, s:s, s:I, s:o}", "id", id, "t", (json_int_t)ev->t,
        "process", "role", json_bytes(ev->who->role, strlen(ev->who->role)), "index",
        ev->who->index, "incarnation", ev->who->incarnation, "kind", kind, "phase",
        hist_phase_name((enum hist_phase)ev->phase), "op", (json_int_t)ev->op, "fields", fields);
}

int export_jsonl(const struct events *es, FILE *out, struct err *e)
{
    for (size_t i = 0; i < es->n; i++) {
        json_t *j = event_json(&es->items[i]);
        char *line = j ? json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
        json_decref(j);
        if (!line) {
            return err_set(e, ERR_INTERNAL, 0, "exporting event %u:%u: not representable as JSON",
                           es->items[i].proc, es->items[i].seq);
        }
        bool bad = fputs(line, out) < 0 || putc('\n', out) == EOF;
        free(line);
        if (bad) {
            return err_sys(e, "writing exported events");
        }
    }
    return fflush(out) == 0 ? 0 : err_sys(e, "writing exported events");
}
