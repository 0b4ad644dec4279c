/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the threads in which blocking calls of librdkafka run: one per call, they are rare and a
 * hung one must not take a place in a pool. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "client/internal.h"

struct job {
    struct loop *loop;
    loop_fn work, done;
    void *arg;
};

static struct {
    void **items;
    size_t n, cap;
} leaked;

static void *run(void *arg)
{
    struct job *j = arg;
    j->work(j->arg);
    loop_post(j->loop, j->done, j->arg);
    free(j);
    return NULL;
}

void job_start(struct loop *l, loop_fn work, loop_fn done, void *arg)
{
    struct job *j = xmalloc(sizeof *j);
    *j = (struct job){l, work, done, arg};
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, run, j);
    if (rc != 0) {
        log_warn("no thread for a call of librdkafka: %s", strerror(rc));
        abort();
    }
    pthread_detach(thread);
}

void job_leak(void *p)
{
    *VEC_PUSH(&leaked) = p;
}
