/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are appended whole under a lock, so that suites that end at the same time lose nothing; the
 * file is rewritten with the last line of each scenario when it has grown. Files are named by their
 * path from the folder that holds the store, so that a project may move. */
#include "command/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

enum { GROWN = 1 << 20 };

struct ledger {
    char *root;       /**< absolute, "/" behind it */
    struct map codes; /**< "PATH\nID" -> exit code */
};

/** The folder that holds the store, with a slash; caller frees. */
static char *root_of(const char *store)
{
    char *parent = path_join(store, ".."), real[PATH_MAX];
    char *root = xasprintf("%s/", realpath(parent, real) ? real : "");
    free(parent);
    return root;
}

static char *key_of(const char *root, const char *path, const char *id)
{
    char real[PATH_MAX];
    const char *full = realpath(path, real) ? real : path;
    size_t n = strlen(root);
    return xasprintf("%s\n%s", n > 1 && strncmp(full, root, n) == 0 ? full + n : full, id);
}

static int write_whole(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static char *line_of(const char *key, int code)
{
    const char *nl = strchr(key, '\n');
    json_t *j = json_pack("{s:o, s:o, s:i}", "file", json_bytes(key, (size_t)(nl - key)), "id",
                          json_bytes(nl + 1, strlen(nl + 1)), "code", code);
    char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
    char *line = xasprintf("%s\n", text);
    free(text);
    json_decref(j);
    return line;
}

static void read_line(struct ledger *o, const char *line, size_t len)
{
    json_error_t je;
    json_t *j = json_loadb(line, len, 0, &je);
    const char *file = json_string_value(json_object_get(j, "file")),
               *id = json_string_value(json_object_get(j, "id"));
    const json_t *code = json_object_get(j, "code");
    if (file && id && json_is_integer(code)) {
        char *key = xasprintf("%s\n%s", file, id);
        map_put_str(&o->codes, key)->i = json_integer_value(code);
        free(key);
    }
    json_decref(j);
}

struct ledger *ledger_read(const char *store, struct err *e)
{
    struct ledger *o = xcalloc(1, sizeof *o);
    char *path = path_join(store, "outcomes.jsonl");
    struct buf b = {0};
    o->root = root_of(store);
    int rc = access(path, F_OK) == 0 ? path_read(path, 0, &b, e) : 0;
    for (size_t at = 0; at < b.len;) {
        const char *nl = memchr(b.data + at, '\n', b.len - at);
        size_t len = nl ? (size_t)(nl - b.data) - at : b.len - at;
        read_line(o, b.data + at, len);
        at += len + 1;
    }
    buf_free(&b);
    free(path);
    if (rc < 0) {
        ledger_free(o);
        return NULL;
    }
    return o;
}

/** Under the lock: the last line of each scenario alone. */
static int shrink(int fd, const char *store, struct err *e)
{
    struct ledger *o = ledger_read(store, e);
    if (!o) {
        return -1;
    }
    struct buf b = {0};
    for (size_t i = 0; i < o->codes.n; i++) {
        char *line = line_of(o->codes.items[i].key, (int)o->codes.items[i].i);
        buf_puts(&b, line);
        free(line);
    }
    int rc = ftruncate(fd, 0) < 0 || write_whole(fd, b.data ? b.data : "", b.len) < 0
                 ? err_sys(e, "writing %s/outcomes.jsonl", store)
                 : 0;
    buf_free(&b);
    ledger_free(o);
    return rc;
}

int ledger_add(const char *store, const char *path, const char *id, int code, struct err *e)
{
    char *file = path_join(store, "outcomes.jsonl"), *root = NULL, *key = NULL, *line = NULL;
    struct stat st;
    int rc = path_mkdirs(store, 0700, e);
    int fd = rc < 0 ? -1 : open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        rc = rc < 0 ? rc : err_sys(e, "opening %s", file);
        goto done;
    }
    root = root_of(store);
    key = key_of(root, path, id);
    line = line_of(key, code);
    if (flock(fd, LOCK_EX) < 0 || write_whole(fd, line, strlen(line)) < 0) {
        rc = err_sys(e, "writing %s", file);
    } else if (fstat(fd, &st) == 0 && st.st_size > GROWN) {
        rc = shrink(fd, store, e);
    }
done:
    if (fd >= 0) {
        close(fd);
    }
    free(file);
    free(root);
    free(key);
    free(line);
    return rc;
}

static bool failed(const struct ledger *o, const char *key)
{
    const struct map_entry *at = map_get_str(&o->codes, key);
    return at && at->i != 0;
}

bool ledger_failed(const struct ledger *o, const char *path, const char *id)
{
    char *own = key_of(o->root, path, id), *whole = key_of(o->root, path, "");
    bool yes = failed(o, own) || failed(o, whole);
    free(own);
    free(whole);
    return yes;
}

void ledger_files(const struct ledger *o, struct plan_strings *files)
{
    char cwd[PATH_MAX];
    bool here = getcwd(cwd, sizeof cwd) && strncmp(o->root, cwd, strlen(cwd)) == 0 &&
                strcmp(o->root + strlen(cwd), "/") == 0;
    for (size_t i = 0; i < o->codes.n; i++) {
        const char *key = o->codes.items[i].key, *nl = strchr(key, '\n');
        char *file = xasprintf("%s%.*s", here || *key == '/' ? "" : o->root, (int)(nl - key), key);
        if (o->codes.items[i].i != 0 && access(file, R_OK) == 0 && !plan_strings_has(files, file)) {
            plan_strings_add(files, file);
        }
        free(file);
    }
}

void ledger_free(struct ledger *o)
{
    if (o) {
        map_free(&o->codes);
        free(o->root);
        free(o);
    }
}
