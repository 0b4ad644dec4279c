/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the hand-over between the loop and the thread of blocking calls. */
#include "client/blocking.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct blocking {
    struct loop *loop;
    rd_kafka_t *rk;
    blocking_fn done;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool asked;
    /* Of the running call: written by the loop before, by the thread during, read by the loop
     * after. */
    enum blocking_op op;
    rd_kafka_topic_partition_list_t *offsets;
    const rd_kafka_consumer_group_metadata_t *group;
    struct err result;
};

const char *blocking_name(enum blocking_op op)
{
    static const char *const names[] = {"init_transactions", "send_offsets_to_transaction",
                                        "commit_transaction", "abort_transaction", "quit"};
    return names[op];
}

static rd_kafka_error_t *make_call(const struct blocking *b)
{
    switch (b->op) {
    case BLOCKING_INIT:
        return rd_kafka_init_transactions(b->rk, -1);
    case BLOCKING_OFFSETS:
        return rd_kafka_send_offsets_to_transaction(b->rk, b->offsets, b->group, -1);
    case BLOCKING_COMMIT:
        return rd_kafka_commit_transaction(b->rk, -1);
    case BLOCKING_ABORT:
        return rd_kafka_abort_transaction(b->rk, -1);
    case BLOCKING_QUIT:
        break;
    }
    return NULL;
}

static void on_loop(void *arg)
{
    struct blocking *b = arg;
    if (b->offsets)
        rd_kafka_topic_partition_list_destroy(b->offsets);
    b->offsets = NULL;
    struct err e = b->result;
    b->done(b->arg, b->op, &e);
}

static void *run(void *arg)
{
    struct blocking *b = arg;
    for (bool quit = false; !quit;) {
        pthread_mutex_lock(&b->lock);
        while (!b->asked)
            pthread_cond_wait(&b->wake, &b->lock);
        b->asked = false;
        pthread_mutex_unlock(&b->lock);
        quit = b->op == BLOCKING_QUIT;
        err_clear(&b->result);
        client_fail_error(&b->result, make_call(b), blocking_name(b->op));
        loop_post(b->loop, on_loop, b);
    }
    return NULL;
}

struct blocking *blocking_open(struct loop *l, rd_kafka_t *rk, blocking_fn done, void *arg)
{
    struct blocking *b = xcalloc(1, sizeof *b);
    b->loop = l;
    b->rk = rk;
    b->done = done;
    b->arg = arg;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wake, NULL);
    int rc = pthread_create(&b->thread, NULL, run, b);
    if (rc != 0) {
        log_warn("no thread for transactions: %s", strerror(rc));
        abort();
    }
    return b;
}

void blocking_call(struct blocking *b, enum blocking_op op, const struct client_partitions *offsets,
                   const struct membership *ms)
{
    pthread_mutex_lock(&b->lock);
    b->op = op;
    b->offsets = offsets ? client_list(offsets) : NULL;
    b->group = ms ? membership_raw(ms) : NULL;
    b->asked = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

void blocking_free(struct blocking *b)
{
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b);
}
