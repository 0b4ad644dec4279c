/* SPDX-License-Identifier: Apache-2.0 */
/* docs/history-format.md holds the table of kinds as it is, and exports are lines of JSON. */
#include "test.h"

#include "base/mem.h"
#include "base/path.h"
#include "history/export.h"
#include "history/hist.h"

TEST(the_document_has_the_table_of_kinds_as_it_is)
{
    struct buf doc = {0};
    struct err e = {0};
    char *root = xmemdup0(__FILE__, (size_t)(strstr(__FILE__, "tests/unit/") - __FILE__));
    char *path = xasprintf("%sdocs/history-format.md", root);
    if (path_read(path, 0, &doc, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    char *want = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&want, &len);
    hist_doc_kinds(out);
    fclose(out);
    want[len - 1] = '\0'; /* the blank line after the last table */
    const char *have = strstr(doc.data, "### 0 `");
    CHECK(have != NULL);
    CHECK_STR(have, want);
    free(root);
    free(path);
    free(want);
    buf_free(&doc);
}

TEST(an_export_has_one_line_of_json_per_event)
{
    struct err e = {0};
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){"w", 1, 1}, &e);
    CHECK(h != NULL);
    for (int i = 0; i < 5; i++) {
        hist_add(h, H_LOG, HP_FACT, 0, HB("a\nb", 3));
    }
    hist_close(h);
    struct events *es = events_open(test_dir(), &e);
    CHECK(es != NULL);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK_INT(export_jsonl(es, out, &e), 0);
    fclose(out);
    int lines = 0;
    for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1, lines++) {
        json_t *j = json_loadb(p, (size_t)(end - p), 0, NULL);
        CHECK(json_is_object(j));
        CHECK_STR(json_string_value(json_object_get(json_object_get(j, "fields"), "text")), "a\nb");
        json_decref(j);
    }
    CHECK_INT(lines, 5);
    out = fopen("/dev/full", "w");
    CHECK(out != NULL);
    CHECK_INT(export_jsonl(es, out, &e), -1);
    CHECK_INT(e.kind, ERR_SYSTEM);
    fclose(out);
    free(text);
    events_free(es);
}
