/* SPDX-License-Identifier: Apache-2.0 */
/* The binary headers by which kaos knows its own records again. Integers are little-endian; a text
 * is one length byte and its bytes. Version 1:
 *   kaos      u8 version, text run, text role, u32 index, u32 incarnation, text topic
 * (destination), u64 sequence (of the process, from 1) kaos-src  u8 version, text topic, i32
 * partition, i64 offset: the record this one was made from kaos-txn  u8 version, text transactional
 * id, u32 incarnation, u64 number: only inside one Everything but the last number is the same for
 * all records of a producer and topic, so writers keep the bytes and overwrite their end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENT_HEADER "kaos"
#define IDENT_SRC    "kaos-src"
#define IDENT_TXN    "kaos-txn"
enum {
    IDENT_VERSION = 1,
    IDENT_TEXT_MAX = 255,
    IDENT_MAX = 1 + 3 * (1 + IDENT_TEXT_MAX) + 4 + 4 + 8, /**< bytes of the longest header */
};

struct ident_text { /**< borrowed, not NUL-terminated */
    const char *p;
    uint8_t len;
};
struct ident_header {
    struct ident_text run, role, topic;
    uint32_t index, incarnation;
    uint64_t seq;
};
struct ident_src {
    struct ident_text topic;
    int32_t partition;
    int64_t offset;
};
struct ident_txn {
    struct ident_text id;
    uint32_t incarnation;
    uint64_t number;
};

/** s as text; longer than IDENT_TEXT_MAX is cut (names are checked where they are declared). */
struct ident_text ident_text(const char *s);
bool ident_is(struct ident_text t, const char *s);

/** Each writes into out (IDENT_MAX bytes) and returns the length. */
size_t ident_put(uint8_t *out, const struct ident_header *h);
size_t ident_put_src(uint8_t *out, const struct ident_src *s);
size_t ident_put_txn(uint8_t *out, const struct ident_txn *t);
/** Overwrites the number at the end of a header written by ident_put() or ident_put_txn(). */
static inline void ident_set_last(uint8_t *header, size_t len, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        header[len - 8 + (size_t)i] = (uint8_t)(number >> (8 * i));
    }
}
/** Overwrites partition and offset of a header written by ident_put_src(). */
void ident_set_src(uint8_t *header, size_t len, int32_t partition, int64_t offset);

/** Each checks version, lengths and that nothing is left over; false = not ours. The texts of the
 * result are borrowed from data. */
bool ident_get(const void *data, size_t len, struct ident_header *h);
bool ident_get_src(const void *data, size_t len, struct ident_src *s);
bool ident_get_txn(const void *data, size_t len, struct ident_txn *t);
