/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a program is: looked up before anything is started, as its own process will look it
 * up, so that a program that is not there ends the run at once and says what to do. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sha256.h"
#include "cluster/kafka_home.h"
#include "run/exec.h"

char *exec_folder(const struct run *r)
{
    char *file = realpath(r->o->path ? r->o->path : r->plan->file, NULL);
    char *slash = file ? strrchr(file, '/') : NULL;
    if (!slash) {
        free(file);
        return realpath(".", NULL);
    }
    slash[slash == file] = '\0';
    return file;
}

char *exec_path(void)
{
    static const char *const own[] = {"venv/bin", "workers/bin"};
    const char *inherited = getenv("PATH");
    struct buf b = {0};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        char *home = kafka_home_dir(own[i]);
        if (home) {
            buf_printf(&b, "%s/%s:", home, own[i]);
        }
        free(home);
    }
    buf_puts(&b, inherited && *inherited ? inherited : "/usr/local/bin:/usr/bin:/bin");
    return buf_take(&b);
}

static bool is_file(const char *path, int how)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, how) == 0;
}

static char *in_folder(const char *folder, const char *name)
{
    return *name == '/' ? xstrdup(name) : path_join(folder, name);
}

/* Caller frees; NULL = not there. */
static char *find_program(const char *folder, const char *name)
{
    if (strchr(name, '/')) {
        char *full = in_folder(folder, name);
        if (is_file(full, X_OK)) {
            return full;
        }
        free(full);
        return NULL;
    }
    char *path = exec_path(), *found = NULL;
    for (const char *at = path; *at && !found;) {
        size_t n = strcspn(at, ":");
        char *dir = n ? xmemdup0(at, n) : xstrdup(".");
        char *in = in_folder(folder, dir);
        found = path_join(in, name);
        if (!is_file(found, X_OK)) {
            free(found);
            found = NULL;
        }
        free(in);
        free(dir);
        at += n + (at[n] == ':');
    }
    free(path);
    return found;
}

static int check_role(const char *folder, const struct plan_role *role, struct err *e)
{
    const char *name = role->exec.items[0];
    if (strchr(name, '{')) {
        return 0; /* differs between processes: its start will tell */
    }
    char *program = find_program(folder, name);
    int rc = 0;
    if (!program) {
        rc = err_set(e, ERR_PROCESS, 0, "role %s: there is no program %s %s%s; %s%s%s", role->name,
                     name, strchr(name, '/') ? "seen from " : "on PATH, .kaos/venv/bin and ",
                     strchr(name, '/') ? folder : ".kaos/workers/bin in front",
                     role->build ? "build it with `" : "correct `exec`, or install it",
                     role->build ? role->build : "", role->build ? "`" : "");
    }
    free(program);
    return rc;
}

int exec_check(struct run *r, struct err *e)
{
    char *folder = exec_folder(r);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->plan->roles.n; i++) {
        const struct plan_role *role = &r->plan->roles.items[i];
        if (plan_is_program(role) && r->o->places && plan_conf_get(r->o->places, role->name)) {
            rc = err_set(e, ERR_USAGE, 0,
                         "role %s is a program, and programs run on this host: place only roles "
                         "with `run`",
                         role->name);
        } else if (plan_is_program(role)) {
            rc = check_role(folder, role, e);
        }
    }
    free(folder);
    return rc;
}

static void put_hash(json_t *j, const char *path)
{
    char hash[SHA256_TEXT];
    struct err e;
    if (sha256_file(path, hash, &e) == 0) {
        json_object_set_new(j, path, json_string(hash));
    }
}

json_t *exec_json(const struct run *r, const struct plan_role *role)
{
    json_t *argv = json_array(), *hashes = json_object(), *groups = json_array();
    char *folder = exec_folder(r), *program = find_program(folder, role->exec.items[0]);
    if (program) {
        put_hash(hashes, program);
    }
    for (size_t i = 0; i < role->exec.n; i++) {
        json_array_append_new(argv, json_string(role->exec.items[i]));
        char *path = i ? in_folder(folder, role->exec.items[i]) : NULL;
        if (path && is_file(path, R_OK)) {
            put_hash(hashes, path);
        }
        free(path);
    }
    for (size_t i = 0; i < role->groups.n; i++) {
        json_array_append_new(groups, json_string(role->groups.items[i]));
    }
    json_t *j = json_pack("{s:o,s:s,s:s?,s:o,s:o}", "exec", argv, "folder", folder, "program",
                          program, "sha256", hashes, "groups", groups);
    free(program);
    free(folder);
    return j;
}
