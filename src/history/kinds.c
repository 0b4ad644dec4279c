/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, made from kinds.def. */
#include "base/mem.h"
#include "history/export.h"
#include "history/hist.h"

__attribute__((unused)) static const struct hist_field fields_begin[] = {{"", HT_INT}
#define KIND(id, name, doc)                                                                        \
    }                                                                                              \
    ;                                                                                              \
    static const struct hist_field fields_##id[] = {
#define FIELD(kind, id, name, type) {name, HT_##type},
#include "history/kinds.def"
#undef KIND
#undef FIELD
};

static const struct hist_kind_info kinds[H_NKINDS] = {
#define KIND(id, name, doc) {name, doc, fields_##id, ARRAY_LEN(fields_##id)},
#define FIELD(kind, id, name, type)
#include "history/kinds.def"
#undef KIND
#undef FIELD
};

const struct hist_kind_info *hist_kind_info(unsigned kind)
{
    return kind < H_NKINDS ? &kinds[kind] : NULL;
}

const char *hist_phase_name(enum hist_phase phase)
{
    static const char *const names[] = {"invoke", "ok", "fail", "unknown", "fact"};
    return (unsigned)phase < ARRAY_LEN(names) ? names[phase] : "?";
}

void hist_doc_kinds(FILE *out)
{
    static const char *const types[] = {"int", "str", "bytes"};
    for (unsigned k = 0; k < H_NKINDS; k++) {
        fprintf(out, "### %u `%s`\n\n%s.\n\n| slot | field | type |\n|---|---|---|\n", k,
                kinds[k].name, kinds[k].doc);
        for (int i = 0; i < kinds[k].nfields; i++) {
            fprintf(out, "| %d | `%s` | %s |\n", i, kinds[k].fields[i].name,
                    types[kinds[k].fields[i].type]);
        }
        fprintf(out, "\n");
    }
}
