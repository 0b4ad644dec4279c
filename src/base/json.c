/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"

int json_write(const char *path, const json_t *j, struct err *e)
{
    char *text = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!text) {
        return err_set(e, ERR_INTERNAL, 0, "writing %s: not representable as JSON", path);
    }
    int rc = path_write(path, text, strlen(text), e);
    free(text);
    return rc;
}

json_t *json_read(const char *path, struct err *e)
{
    struct buf b = {0};
    json_t *j = NULL;
    if (path_read(path, 0, &b, e) == 0) {
        json_error_t je;
        j = json_loadb(b.data ? b.data : "", b.len, 0, &je);
        if (!j) {
            err_set(e, ERR_PROTOCOL, 0, "%s:%d: %s", path, je.line, je.text);
        }
    }
    buf_free(&b);
    return j;
}

static char *base64(const unsigned char *p, size_t len)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = xmalloc((len + 2) / 3 * 4 + 1), *o = out;
    for (size_t i = 0; i < len; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (i + 1 < len ? (unsigned)p[i + 1] << 8 : 0) |
                     (i + 2 < len ? p[i + 2] : 0);
        *o++ = abc[v >> 18];
        *o++ = abc[v >> 12 & 63];
        *o++ = i + 1 < len ? abc[v >> 6 & 63] : '=';
        *o++ = i + 2 < len ? abc[v & 63] : '=';
    }
    *o = '\0';
    return out;
}

json_t *json_bytes(const void *data, size_t len)
{
    if (!data) {
        return json_null();
    }
    json_t *s = json_stringn(data, len);
    if (s) {
        return s;
    }
    char *text = base64(data, len);
    s = json_pack("{s:s}", "base64", text);
    free(text);
    return s;
}
