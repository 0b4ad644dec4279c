/* SPDX-License-Identifier: Apache-2.0 */
/* Hides whose memory a message is: librdkafka's while its consumer lives, a copy afterwards (a
 * handle of librdkafka can not be destroyed while one of its messages is alive). */
#include "client/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/internal.h"

struct batch {
    struct batches *owner;
    struct batch *prev, *next;
    struct membership *membership;
    bool detached;
    size_t n, live;
    struct message items[];
};

struct batches {
    struct batch *first;
    bool released;
};

/* What message.raw points to once detached. */
struct copied {
    size_t n;
    struct message_header *headers;
    char *bytes;
};

struct batches *batches_new(void)
{
    return xcalloc(1, sizeof(struct batches));
}

static void fill(struct message *m, struct batch *b, rd_kafka_message_t *raw, const char *topic,
                 uint64_t assignment)
{
    static const char empty[1];
    rd_kafka_timestamp_type_t type;
    int64_t ts = rd_kafka_message_timestamp(raw, &type);
    m->topic = topic;
    m->partition = raw->partition;
    m->offset = raw->offset;
    m->timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : ts;
    m->key = raw->key;
    m->key_len = raw->key ? raw->key_len : 0;
    m->value = raw->payload;
    m->value_len = raw->payload ? raw->len : 0;
    if (m->key && m->key_len == 0)
        m->key = empty;
    if (m->value && m->value_len == 0)
        m->value = empty;
    m->assignment = assignment;
    m->batch = b;
    m->raw = raw;
    m->holds = 1;
}

void batches_add(struct batches *bs, rd_kafka_message_t **raw, size_t n, struct membership *ms,
                 uint64_t assignment, struct message **out)
{
    struct batch *b = xmalloc(sizeof *b + n * sizeof b->items[0]);
    *b = (struct batch){
        .owner = bs, .next = bs->first, .membership = membership_copy(ms), .n = n, .live = n};
    if (b->next)
        b->next->prev = b;
    bs->first = b;
    const rd_kafka_topic_t *rkt = NULL;
    const char *topic = NULL;
    for (size_t i = 0; i < n; i++) {
        if (raw[i]->rkt != rkt) {
            rkt = raw[i]->rkt;
            topic = client_intern(rd_kafka_topic_name(rkt));
        }
        fill(&b->items[i], b, raw[i], topic, assignment);
        out[i] = &b->items[i];
    }
}

static void free_copied(struct copied *c)
{
    free(c->headers);
    free(c->bytes);
    free(c);
}

static void end_batch(struct batch *b)
{
    struct batches *bs = b->owner;
    if (b->prev)
        b->prev->next = b->next;
    else
        bs->first = b->next;
    if (b->next)
        b->next->prev = b->prev;
    membership_free(b->membership);
    free(b);
    if (bs->released && !bs->first)
        free(bs);
}

void message_hold(struct message *m)
{
    m->holds++;
}

void message_release(struct message *m)
{
    if (--m->holds > 0)
        return;
    struct batch *b = m->batch;
    if (b->detached)
        free_copied(m->raw);
    else
        rd_kafka_message_destroy(m->raw);
    m->raw = NULL;
    if (--b->live == 0)
        end_batch(b);
}

static bool raw_header(const rd_kafka_message_t *raw, size_t i, struct message_header *h)
{
    rd_kafka_headers_t *hs;
    if (rd_kafka_message_headers(raw, &hs) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    return rd_kafka_header_get_all(hs, i, &h->name, &h->value, &h->len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool message_header(struct message *m, size_t i, struct message_header *h)
{
    if (!m->batch->detached)
        return raw_header(m->raw, i, h);
    const struct copied *c = m->raw;
    if (i >= c->n)
        return false;
    *h = c->headers[i];
    return true;
}

const struct membership *message_membership(const struct message *m)
{
    return m->batch->membership;
}

/* ---- copying out ---- */

static const void *put(char **at, const void *data, size_t len)
{
    if (!data)
        return NULL;
    char *here = *at;
    if (len > 0)
        memcpy(here, data, len);
    here[len] = 0;
    *at += len + 1;
    return here;
}

static void detach(struct message *m)
{
    rd_kafka_message_t *raw = m->raw;
    struct copied *c = xcalloc(1, sizeof *c);
    struct message_header h;
    size_t size = m->key_len + m->value_len + 2;
    for (; raw_header(raw, c->n, &h); c->n++)
        size += strlen(h.name) + h.len + 2;
    char *at = c->bytes = xmalloc(size);
    c->headers = xcalloc(c->n + 1, sizeof *c->headers);
    for (size_t i = 0; i < c->n; i++) {
        raw_header(raw, i, &h);
        c->headers[i].name = put(&at, h.name, strlen(h.name));
        c->headers[i].value = put(&at, h.value, h.len);
        c->headers[i].len = h.len;
    }
    m->key = put(&at, m->key, m->key_len);
    m->value = put(&at, m->value, m->value_len);
    m->raw = c;
    rd_kafka_message_destroy(raw);
}

void batches_detach(struct batches *bs)
{
    for (struct batch *b = bs->first; b; b = b->next) {
        for (size_t i = 0; !b->detached && i < b->n; i++)
            if (b->items[i].raw)
                detach(&b->items[i]);
        b->detached = true;
    }
}

void batches_release(struct batches *bs)
{
    bs->released = true;
    if (!bs->first)
        free(bs);
}
