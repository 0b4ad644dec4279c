/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the text of /proc/PID/stat. Used by the runner and by the guard; no allocation. */
#include "io/procfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "PID (NAME) STATE PARENT GROUP ...": the name may hold anything, so counting starts at the last
 * ')'. */
static bool parse(const char *text, struct procfs_stat *s)
{
    const char *at = strrchr(text, ')');
    char *end;
    if (!at || at[1] != ' ' || at[2] == '\0') {
        return false;
    }
    s->state = at[2];
    at += 3;
    s->parent = (pid_t)strtol(at, &end, 10);
    if (end == at || *end != ' ') {
        return false;
    }
    at = end;
    s->group = (pid_t)strtol(at, &end, 10);
    return end != at;
}

bool procfs_read_stat(pid_t pid, struct procfs_stat *s)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return parse(text, s);
}
