/* SPDX-License-Identifier: Apache-2.0 */
/* kaos new: a scenario from a template; never overwrites. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/embed.h"
#include "base/err.h"
#include "base/mem.h"
#include "command/command.h"

extern const struct embedded template_embedded[]; /* lib/templates */

static int unknown(const char *name)
{
    struct buf b = {0};
    for (const struct embedded *t = template_embedded; t->name; t++) {
        buf_printf(&b, "%s%.*s", b.len ? ", " : "", (int)(strlen(t->name) - 4), t->name);
    }
    int rc =
        cli_fail(EXIT_USAGE, "new: no template %s; there are: %s", name, b.data ? b.data : "none");
    buf_free(&b);
    return rc;
}

int command_new(const struct cli *c)
{
    const char *path = cli_arg(c, 0);
    const char *name = cli_get(c, "template") ? cli_get(c, "template") : "smoke";
    if (!path || cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "new: name one file, as in `kaos new eos.lua -t eos`");
    }
    char *file = xasprintf("%s.lua", name);
    const struct embedded *t = embed_find(template_embedded, file);
    free(file);
    if (!t) {
        return unknown(name);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return cli_fail(EXIT_USAGE, "new: %s: %s", path,
                        errno == EEXIST ? "exists already; nothing was written" : strerror(errno));
    }
    for (size_t done = 0; done < t->len;) {
        ssize_t n = write(fd, t->data + done, t->len - done);
        if (n < 0 && errno != EINTR) {
            close(fd);
            return cli_fail(EXIT_ENVIRONMENT, "new: writing %s: %s", path, strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    printf("%s written; next: kaos run %s\n", path, path);
    return EXIT_PASS;
}
