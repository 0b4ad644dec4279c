/* SPDX-License-Identifier: Apache-2.0 */
/* The shared table of deliveries: exact under concurrency and kills. */
#include "test.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "history/deliveries.h"

static struct err e;

static char *table_path(void)
{
    return path_join(test_dir(), "deliveries");
}

TEST(deliveries_count_per_record_and_group)
{
    char *path = table_path();
    struct deliveries *a = deliveries_open(path, 10, &e), *b = deliveries_open(path, 0, &e);
    CHECK(a && b);
    CHECK_INT(deliveries_add(a, "g", "t", 0, 5), 1);
    CHECK_INT(deliveries_add(b, "g", "t", 0, 5), 2);
    CHECK_INT(deliveries_add(b, "g2", "t", 0, 5), 1);
    CHECK_INT(deliveries_add(b, "g", "t2", 0, 5), 1);
    CHECK_INT(deliveries_add(b, "g", "t", 1, 5), 1);
    CHECK_INT(deliveries_add(b, "g", "t", 0, 6), 1);
    CHECK_INT(deliveries_add(b, "", "", -1, -1), 1);
    CHECK_INT(deliveries_add(a, "g", "t", 0, 5), 3);
    deliveries_close(a);
    deliveries_close(b);
    deliveries_close(NULL);
    free(path);
}

TEST(a_full_table_says_so)
{
    char *path = table_path();
    struct deliveries *d = deliveries_open(path, 4, &e);
    for (int i = 0; i < 16; i++) {
        CHECK_INT(deliveries_add(d, "g", "t", 0, i), 1);
    }
    CHECK_INT(deliveries_add(d, "g", "t", 0, 16), 0);
    CHECK_INT(deliveries_add(d, "g", "t", 0, 15), 2);
    deliveries_close(d);
    free(path);
}

TEST(a_table_that_is_none_is_refused)
{
    char *path = table_path();
    CHECK(deliveries_open(path, 0, &e) == NULL);
    CHECK_INT(e.kind, ERR_SYSTEM);
    CHECK(path_write(path, "junk", 4, &e) == 0);
    CHECK(deliveries_open(path, 0, &e) == NULL);
    CHECK_INT(e.kind, ERR_PROTOCOL);
    free(path);
}

/* Four processes add the same keys; one dies at a random moment and is replaced. No number is
 * given twice: the highest one of each key is the number of calls that were begun, or less by the
 * calls that a kill cut off. */
TEST_LIMIT(no_number_is_given_twice_whoever_is_killed, 30)
{
    enum { KEYS = 64, MAX = 4096, PROCS = 4, ROUNDS = 40 };
    char *path = table_path();
    struct deliveries *d = deliveries_open(path, 7, &e);
    uint8_t *given =
        mmap(NULL, KEYS * MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[PROCS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        pid_t *slot = &pids[round % PROCS];
        if (*slot) {
            kill(*slot, SIGKILL);
            waitpid(*slot, NULL, 0);
        }
        *slot = fork();
        if (*slot == 0) {
            struct deliveries *mine = deliveries_open(path, 0, &e);
            CHECK(mine != NULL);
            for (unsigned i = 0;; i++) {
                unsigned k = (i * 7 + (unsigned)round) % KEYS;
                uint32_t n = deliveries_add(mine, "g", "t", (int32_t)k, k);
                if (n == 0 || n >= MAX) {
                    _exit(n == 0);
                }
                __atomic_add_fetch(&given[k * MAX + n], 1, __ATOMIC_SEQ_CST);
            }
        }
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    for (int i = 0; i < PROCS; i++) {
        int status;
        kill(pids[i], SIGKILL);
        waitpid(pids[i], &status, 0);
        CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
    for (unsigned k = 0; k < KEYS; k++) {
        uint32_t top = deliveries_add(d, "g", "t", (int32_t)k, k), missing = 0;
        for (uint32_t n = 1; n < top && n < MAX; n++) {
            CHECK(given[k * MAX + n] <= 1);
            missing += given[k * MAX + n] == 0;
        }
        CHECK(missing <= ROUNDS);
    }
    deliveries_close(d);
    free(path);
}
