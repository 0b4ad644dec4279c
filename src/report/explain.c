/* SPDX-License-Identifier: Apache-2.0 */
/* The explain pages, which are compiled in from docs/explain. A word is a page's name, an exit
 * code, or something close enough to suggest a page. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/mem.h"
#include "report/report.h"

/* "2" means the page of that exit code. */
static const char *const exit_pages[] = {"pass", "fail", "inconclusive", "scenario_error",
                                         "environment"};

static char *page_name(const char *word)
{
    char *name = xasprintf("%s.md", word);
    for (char *p = name; *p; p++) {
        *p = *p == '-' || *p == ' ' ? '_' : (char)tolower((unsigned char)*p);
    }
    return name;
}

static const struct embedded *find(const char *word)
{
    char *end;
    long code = strtol(word, &end, 10);
    const char *page = word[0] && *end == '\0' && code >= 0 && code <= 4 ? exit_pages[code] : word;
    char *name = page_name(page);
    const struct embedded *f = embed_find(explain_embedded, name);
    free(name);
    return f;
}

/* Edits that turn a into b, counting at most 32 characters of each. */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    size_t row[MAX + 1], n = strnlen(b, MAX);
    for (size_t k = 0; k <= n; k++) {
        row[k] = k;
    }
    for (size_t i = 1; a[i - 1] && i <= MAX; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t up = row[k], best = diagonal + (a[i - 1] != b[k - 1]);
            best = up + 1 < best ? up + 1 : best;
            row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            diagonal = up;
        }
    }
    return row[n];
}

static int suggest(const char *word, struct err *e)
{
    char *name = page_name(word);
    const struct embedded *best = NULL;
    size_t least = strlen(word) / 2 + 1;
    for (const struct embedded *f = explain_embedded; f->name; f++) {
        size_t d = distance(name, f->name);
        if (d < least) {
            least = d;
            best = f;
        }
    }
    free(name);
    if (best) {
        return err_set(e, ERR_USAGE, 0, "nothing to explain about '%.60s'; did you mean '%.*s'?",
                       word, (int)strlen(best->name) - 3, best->name);
    }
    return err_set(e, ERR_USAGE, 0,
                   "nothing to explain about '%.60s'; `kaos explain` lists the pages", word);
}

/* The line behind the title: what the word means in one sentence. */
static void list_row(const struct embedded *f, FILE *out)
{
    const char *line = strchr(f->data, '\n');
    while (line && *line == '\n') {
        line++;
    }
    int len = line ? (int)strcspn(line, "\n") : 0;
    fprintf(out, "  %-24.*s %.*s\n", (int)strlen(f->name) - 3, f->name, len, line ? line : "");
}

int explain_write(const char *word, FILE *out, struct err *e)
{
    if (word) {
        const struct embedded *f = find(word);
        return f ? (fwrite(f->data, 1, f->len, out), 0) : suggest(word, e);
    }
    for (const struct embedded *f = explain_embedded; f->name; f++) {
        list_row(f, out);
    }
    return 0;
}
