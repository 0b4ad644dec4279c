/* SPDX-License-Identifier: Apache-2.0 */
/* A broker in a thread of its own, and raw sockets to it. */
#pragma once
#include "broker/broker.h"
#include "wire/admin.h"
#include "wire/schema.h"
#include "wire/txn.h"

struct lab;
/** n settings "name=value". */
struct lab *lab_start(const struct broker_opts *o, const char *const *settings, size_t n);
void lab_stop(struct lab *l);
/** "127.0.0.1:1234,..." */
const char *lab_address(const struct lab *l);
struct admin *lab_admin(const struct lab *l);

/** A connected socket; reads end after 10 s. */
int lab_connect(const struct lab *l);
/** To a node; -1 = refused. */
int lab_connect_to(const struct lab *l, int node);
/** Has a command for nodes carried out. @return as broker_command(). */
int lab_tell(struct lab *l, const char *command, struct err *e);
/** "kill", 2: a command that must not fail. */
void lab_order(struct lab *l, const char *verb, int node);
/** Has fn look at the broker in its own thread. */
void lab_look(struct lab *l, void (*fn)(struct broker *b, void *arg), void *arg);
void lab_write(int fd, const void *p, size_t len);
/** Sends a request without waiting. */
void lab_send(int fd, struct wire_msg *req);
/** Starts a request of an api. */
void lab_request(struct wire_msg *m, int16_t api, int16_t version);
/** Reads the answer to such a request. */
void lab_read(int fd, struct wire_msg *resp, int16_t api, int16_t version);
/** Whether the broker ends the connection (with nothing more to read). */
bool lab_is_closed(int fd);
/** One batch of records with these values. */
void lab_batch(struct buf *out, const char *const *values, int n);
/** A Produce request (version 7) for one partition; blob is borrowed. */
void lab_produce(struct wire_msg *m, const char *topic, int32_t partition, const struct buf *blob);
/** Error and base offset of the answer to it. */
int lab_produced(int fd, int64_t *base);
/** An AddPartitionsToTxn request (version 1) for partition 0 of topic t. */
void lab_add_to_txn(struct wire_msg *m, const struct txn *t);
/** Error of the answer to it. */
int lab_added_to_txn(int fd);
