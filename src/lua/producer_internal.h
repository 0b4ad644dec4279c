/* SPDX-License-Identifier: Apache-2.0 */
/* Waits of a producer, shared by l_producer.c and producer_send.c. */
#pragma once
#include "lua/codec.h"
#include "lua/rt.h"

struct send_wait { /**< a w:send that waits for its outcome */
    struct wait wait;
    struct lproducer *p;
    uint64_t seq;
    struct producer_ack ack;
    struct send_wait *next;
};
struct flush_wait {
    struct wait wait;
    struct lproducer *p;
    struct flush_wait *next;
};
struct room_wait { /**< a send that waits for room */
    struct wait wait;
    struct lproducer *p;
    struct room_wait *next;
    uint64_t seq; /**< already in the history */
    int idx;
    bool outcome;
};
