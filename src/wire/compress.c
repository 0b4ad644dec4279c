/* SPDX-License-Identifier: Apache-2.0 */
/* Hides four compression libraries behind one pair of functions. Output grows in steps up to a
 * limit, so that a small hostile input cannot take much memory. */
#include "wire/compress.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    STEP = 128 << 10,
    GZIP_WINDOW = 15 + 16, /**< zlib: largest window, gzip wrapping */
    XERIAL_HEADER = 16,
    XERIAL_BLOCK = 32 << 10, /**< what snappy-java writes */
    SNAPPY_RATIO = 32,       /**< snappy cannot do better than 64 bytes from 3 */
};
static const char too_big[] = "the decompressed records are too big";
static const char xerial_magic[8] = {(char)0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

static bool room(struct buf *out, size_t start, size_t limit, size_t *n)
{
    size_t used = out->len - start;
    *n = limit - used < STEP ? limit - used : STEP;
    if (*n > 0) {
        buf_reserve(out, *n);
    }
    return *n > 0;
}

/* ---- gzip -------------------------------------------------------------------------------------
 */

static const char *inflate_all(z_stream *z, size_t limit, struct buf *out)
{
    size_t start = out->len, n = 0;
    for (;;) {
        if (!room(out, start, limit, &n)) {
            return too_big;
        }
        z->next_out = (Bytef *)out->data + out->len;
        z->avail_out = (uInt)n;
        int rc = inflate(z, Z_NO_FLUSH);
        out->len += n - z->avail_out;
        if (rc == Z_STREAM_END) {
            if (z->avail_in < 2 || z->next_in[0] != 0x1f || z->next_in[1] != 0x8b) {
                return NULL;
            }
            rc = inflateReset(z); /* another member follows */
        }
        if (rc != Z_OK || (z->avail_in == 0 && z->avail_out > 0)) {
            return "the gzip data make no sense";
        }
    }
}

static const char *gzip_decode(const void *data, size_t len, size_t limit, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)len};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        return "zlib does not start";
    }
    const char *why = inflate_all(&z, limit, out);
    inflateEnd(&z);
    return why;
}

static const char *gzip_encode(const void *data, size_t len, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)len};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return "zlib does not start";
    }
    uLong bound = deflateBound(&z, (uLong)len);
    z.next_out = (Bytef *)buf_reserve(out, bound);
    z.avail_out = (uInt)bound;
    int rc = deflate(&z, Z_FINISH);
    out->len += bound - z.avail_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END ? NULL : "gzip failed";
}

/* ---- snappy -----------------------------------------------------------------------------------
 */

static const char *snappy_block(const char *p, size_t len, size_t limit, struct buf *out)
{
    size_t raw = 0;
    if (snappy_uncompressed_length(p, len, &raw) != SNAPPY_OK || raw > len * SNAPPY_RATIO) {
        return "the snappy data make no sense";
    }
    if (raw > limit) {
        return too_big;
    }
    char *to = buf_reserve(out, raw ? raw : 1);
    if (snappy_uncompress(p, len, to, &raw) != SNAPPY_OK) {
        return "the snappy data make no sense";
    }
    out->len += raw;
    return NULL;
}

static const char *snappy_decode(const char *p, size_t len, size_t limit, struct buf *out)
{
    if (len < XERIAL_HEADER || memcmp(p, xerial_magic, sizeof xerial_magic) != 0) {
        return snappy_block(p, len, limit, out);
    }
    size_t start = out->len;
    const char *end = p + len, *why = NULL;
    for (p += XERIAL_HEADER; p < end && !why;) {
        const uint8_t *u = (const uint8_t *)p;
        if (end - p < 4) {
            return "a snappy block is cut";
        }
        size_t n = (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
        p += 4;
        if (n > (size_t)(end - p)) {
            return "a snappy block is cut";
        }
        why = snappy_block(p, n, limit - (out->len - start), out);
        p += n;
    }
    return why;
}

static const char *snappy_put(const char *p, size_t len, bool framed, struct buf *out)
{
    size_t n = snappy_max_compressed_length(len);
    size_t head = framed ? 4 : 0;
    char *to = buf_reserve(out, n + head);
    if (snappy_compress(p, len, to + head, &n) != SNAPPY_OK) {
        return "snappy failed";
    }
    for (size_t i = 0; i < head; i++) {
        to[i] = (char)(n >> 8 * (3 - i));
    }
    out->len += n + head;
    return NULL;
}

static const char *snappy_encode(const char *p, size_t len, bool raw, struct buf *out)
{
    static const char versions[8] = {0, 0, 0, 1, 0, 0, 0, 1};
    if (raw) {
        return snappy_put(p, len, false, out);
    }
    buf_append(out, xerial_magic, sizeof xerial_magic);
    buf_append(out, versions, sizeof versions);
    const char *why = NULL;
    while (len > 0 && !why) {
        size_t n = len < XERIAL_BLOCK ? len : XERIAL_BLOCK;
        why = snappy_put(p, n, true, out);
        p += n;
        len -= n;
    }
    return why;
}

/* ---- lz4 --------------------------------------------------------------------------------------
 */

static const char *lz4_run(LZ4F_dctx *d, const char *p, size_t len, size_t limit, struct buf *out)
{
    size_t start = out->len, hint = 1;
    while (hint != 0) {
        size_t got = 0, used = len;
        if (!room(out, start, limit, &got)) {
            return too_big;
        }
        hint = LZ4F_decompress(d, out->data + out->len, &got, p, &used, NULL);
        if (LZ4F_isError(hint)) {
            return "the lz4 data make no sense";
        }
        if (got == 0 && used == 0 && hint != 0) {
            return "the lz4 frame is cut";
        }
        out->len += got;
        p += used;
        len -= used;
    }
    return NULL;
}

static const char *lz4_decode(const void *data, size_t len, size_t limit, struct buf *out)
{
    LZ4F_dctx *d = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION))) {
        return "lz4 does not start";
    }
    const char *why = lz4_run(d, data, len, limit, out);
    LZ4F_freeDecompressionContext(d);
    return why;
}

static const char *lz4_encode(const void *data, size_t len, struct buf *out)
{
    LZ4F_preferences_t prefs = {.frameInfo.blockMode = LZ4F_blockIndependent};
    size_t bound = LZ4F_compressFrameBound(len, &prefs);
    size_t n = LZ4F_compressFrame(buf_reserve(out, bound), bound, data, len, &prefs);
    if (LZ4F_isError(n)) {
        return "lz4 failed";
    }
    out->len += n;
    return NULL;
}

/* ---- zstd -------------------------------------------------------------------------------------
 */

static const char *zstd_run(ZSTD_DStream *d, const void *data, size_t len, size_t limit,
                            struct buf *out)
{
    size_t start = out->len, n = 0, hint = 1;
    ZSTD_inBuffer in = {data, len, 0};
    while (hint != 0 || in.pos < in.size) {
        if (!room(out, start, limit, &n)) {
            return too_big;
        }
        ZSTD_outBuffer o = {out->data + out->len, n, 0};
        size_t before = in.pos;
        hint = ZSTD_decompressStream(d, &o, &in);
        if (ZSTD_isError(hint)) {
            return "the zstd data make no sense";
        }
        if (o.pos == 0 && in.pos == before && hint != 0) {
            return "the zstd frame is cut";
        }
        out->len += o.pos;
    }
    return NULL;
}

static const char *zstd_decode(const void *data, size_t len, size_t limit, struct buf *out)
{
    ZSTD_DStream *d = ZSTD_createDStream();
    if (!d) {
        return "zstd does not start";
    }
    const char *why = zstd_run(d, data, len, limit, out);
    ZSTD_freeDStream(d);
    return why;
}

static const char *zstd_encode(const void *data, size_t len, struct buf *out)
{
    size_t bound = ZSTD_compressBound(len);
    size_t n = ZSTD_compress(buf_reserve(out, bound), bound, data, len, ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(n)) {
        return "zstd failed";
    }
    out->len += n;
    return NULL;
}

const char *compress_decode(int codec, const void *data, size_t len, size_t limit, struct buf *out)
{
    switch (codec) {
    case CODEC_NONE:
        if (len > limit) {
            return too_big;
        }
        buf_append(out, data, len);
        return NULL;
    case CODEC_GZIP:
        return gzip_decode(data, len, limit, out);
    case CODEC_SNAPPY:
        return snappy_decode(data, len, limit, out);
    case CODEC_LZ4:
        return lz4_decode(data, len, limit, out);
    case CODEC_ZSTD:
        return zstd_decode(data, len, limit, out);
    default:
        return "no such codec";
    }
}

const char *compress_encode(int codec, bool snappy_raw, const void *data, size_t len,
                            struct buf *out)
{
    switch (codec) {
    case CODEC_NONE:
        buf_append(out, data, len);
        return NULL;
    case CODEC_GZIP:
        return gzip_encode(data, len, out);
    case CODEC_SNAPPY:
        return snappy_encode(data, len, snappy_raw, out);
    case CODEC_LZ4:
        return lz4_encode(data, len, out);
    case CODEC_ZSTD:
        return zstd_encode(data, len, out);
    default:
        return "no such codec";
    }
}
