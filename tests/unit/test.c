/* SPDX-License-Identifier: Apache-2.0 */
/* Runs registered cases, each in a child process with a time limit (seconds, scaled by
 * KAOS_TEST_SLOW for sanitizers and busy machines); prints TAP. Arguments select cases by
 * substring. */
#include "test.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SKIP = 77 };
static struct test_case *first, **last = &first;
static char dir[64];

void test_register(struct test_case *t)
{
    *last = t;
    last = &t->next;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("# %s:%d: ", file, line);
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    fflush(stdout);
    _exit(1);
}

void test_skip(const char *why)
{
    printf("# skipped: %s\n", why);
    fflush(stdout);
    _exit(EXIT_SKIP);
}

const char *test_dir(void)
{
    return dir;
}

void test_draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

static int run_case(struct test_case *t)
{
    const char *slow = getenv("KAOS_TEST_SLOW");
    snprintf(dir, sizeof dir, "/tmp/kaos-test.XXXXXX");
    if (!mkdtemp(dir)) {
        perror("mkdtemp");
        exit(1);
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        alarm((unsigned)(t->limit_s * (slow ? (int)strtol(slow, NULL, 10) : 1)));
        t->fn();
        fflush(stdout);
        exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (WIFSIGNALED(status)) {
        printf("# killed by signal %d%s\n", WTERMSIG(status),
               WTERMSIG(status) == SIGALRM ? " (time limit)" : "");
        return 1;
    }
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int n = 0, failed = 0, skipped = 0, total = 0;
    for (struct test_case *t = first; t; t = t->next) {
        total++;
    }
    printf("1..%d\n", total);
    for (struct test_case *t = first; t; t = t->next) {
        n++;
        if (argc > 1 && !strstr(t->name, argv[1])) {
            printf("ok %d - %s # SKIP not selected\n", n, t->name);
            skipped++;
            continue;
        }
        int rc = run_case(t);
        bool skip = rc == EXIT_SKIP;
        skipped += skip;
        failed += rc != 0 && !skip;
        printf("%s %d - %s%s\n", rc && !skip ? "not ok" : "ok", n, t->name, skip ? " # SKIP" : "");
    }
    printf("%d passed, %d failed, %d skipped\n", total - failed - skipped, failed, skipped);
    return failed ? 1 : 0;
}
