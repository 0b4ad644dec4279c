/* SPDX-License-Identifier: Apache-2.0 */
/* How one admin call is run; private to the admin_*.c files. */
#pragma once
#include "wire/admin.h"
#include "wire/schema.h"

enum admin_route_kind { ROUTE_ANY, ROUTE_NODE, ROUTE_LEADER, ROUTE_COORDINATOR };
/** Who is asked. */
struct admin_route {
    enum admin_route_kind kind;
    int32_t node;                    /**< ROUTE_NODE */
    const char *topic;               /**< ROUTE_LEADER */
    int32_t partition;               /**< ROUTE_LEADER */
    enum admin_coordinator key_type; /**< ROUTE_COORDINATOR */
    const char *key;                 /**< ROUTE_COORDINATOR */
};

/** One kind of request; build and parse may be called several times. */
struct admin_op {
    struct admin_route route;
    int16_t api;
    int version; /**< the highest that build and parse understand */
    /** Fills req, whose version is set. */
    void (*build)(void *ctx, struct wire_msg *req);
    /** Reads the answer. @return -1 with e, where e->retriable asks for another round. */
    int (*parse)(void *ctx, const struct wire_msg *resp, struct err *e);
    void *ctx;
    int hold_ms; /**< how long the broker may sit on the request by our own wish */
    bool single; /**< an answer that was lost is not asked for again */
};

/** Repeats until success, a final error or the bound. */
int admin_run(struct admin *a, const struct admin_op *op, int timeout_ms, struct err *e);
/** 0 for code 0; else an ERR_BROKER "context: NAME" with e->retriable as Kafka has it. */
int admin_code(struct err *e, int64_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Describes a group of the consumer protocol; out is changed only by an answer that has one.
 *  @return -1 with code GROUP_ID_NOT_FOUND when it is none. */
int admin_describe_cgroup(struct admin *a, int timeout_ms, const char *group,
                          struct admin_group *out, struct err *e);
/** The element of `list` named `name`, added if it is not there. */
struct wire_value *admin_topic_of(struct wire_msg *req, const char *list, const char *name);
/** Learns brokers and leaders from a Metadata answer. */
void admin_learn(struct admin *a, const struct wire_value *root);
/** What is left of a bound, at least 1 while any is left, else 0. */
int admin_left_ms(uint64_t deadline_ns);
uint64_t admin_deadline(int timeout_ms);
/** Waits ms, but not beyond the deadline. @return false if it has passed. */
bool admin_pause(int ms, uint64_t deadline_ns);
/** Metadata of one node instead of any. */
int admin_metadata_from(struct admin *a, const struct admin_route *from, const char *const *topics,
                        size_t n, int timeout_ms, struct admin_metadata *out, struct err *e);
