/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sha256.h"
#include "test.h"

TEST(wrapped_error_keeps_the_inner_message)
{
    struct err e;
    CHECK_INT(err_set(&e, ERR_BROKER, 5, "no leader"), -1);
    CHECK_INT(err_wrap(&e, "reading %s", "t"), -1);
    CHECK_STR(e.msg, "reading t: no leader");
    CHECK_INT(e.code, 5);
}

TEST(wrapping_never_writes_past_the_message)
{
    struct err e;
    char big[2000];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    err_set(&e, ERR_USAGE, 0, "%s", big);
    err_wrap(&e, "%s", "outer");
    CHECK_INT(strlen(e.msg), sizeof e.msg - 1);
    err_wrap(&e, "%s", big);
    CHECK_INT(strlen(e.msg), sizeof e.msg - 1);
}

TEST(system_error_says_what_and_why)
{
    struct err e;
    errno = ENOENT;
    err_sys(&e, "opening %s", "/nowhere");
    CHECK_STR(e.msg, "opening /nowhere: No such file or directory");
}

TEST(buffer_grows_consumes_and_stays_terminated)
{
    struct buf b = {0};
    for (int i = 0; i < 1000; i++) {
        buf_printf(&b, "%03d", i);
    }
    CHECK_INT(b.len, 3000);
    buf_consume(&b, 2997);
    buf_append(&b, "", 0);
    CHECK_STR(buf_reserve(&b, 0) - 3, "999");
    char *s = buf_take(&b);
    CHECK_STR(s, "999");
    free(s);
}

TEST(map_forgets_what_is_worth_nothing_and_keeps_the_rest)
{
    struct map m = {0};
    for (uint64_t i = 1; i < 100000; i++) { /* a hundred live at any time */
        map_sweep(&m);
        map_put(&m, &i, sizeof i, NULL)->u = i;
        uint64_t old = i - 100;
        if (i > 100) {
            map_get(&m, &old, sizeof old)->u = 0;
        }
    }
    CHECK(m.n < 1000);
    for (uint64_t i = 99999 - 99; i < 100000; i++) {
        CHECK_INT(map_get(&m, &i, sizeof i)->u, i);
    }
    map_free(&m);
}

TEST(map_finds_what_was_put_in_order)
{
    struct map m = {0};
    for (uint64_t i = 0; i < 5000; i++) {
        bool fresh;
        map_put(&m, &i, sizeof i, &fresh)->u = i * 3;
        CHECK(fresh);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        CHECK_INT(map_get(&m, &i, sizeof i)->u, i * 3);
        CHECK_INT(m.items[i].u, i * 3);
    }
    CHECK(!map_get_str(&m, "absent"));
    map_put(&m, "", 0, NULL)->u = 7;
    CHECK_INT(map_get(&m, "", 0)->u, 7);
    map_free(&m);
}

TEST(hash_is_frozen)
{
    /* decisions of stored seeds rest on these values */
    CHECK(hash_str(1, "kaos") == hash_str(1, "kaos"));
    CHECK(hash_str(1, "kaos") != hash_str(2, "kaos"));
    double u = hash_unit(hash_mix(1, 2));
    CHECK(u >= 0 && u < 1);
    printf("# %016llx\n", (unsigned long long)hash_str(1, "kaos"));
    CHECK(hash_str(1, "kaos") == 0x9875aa4373b944ceu);
}

TEST(folders_are_made_copied_and_removed)
{
    struct err e;
    char *a = path_join(test_dir(), "x/y/z"), *f = path_join(a, "f"),
         *copy = path_join(test_dir(), "copy");
    CHECK_INT(path_mkdirs(a, 0700, &e), 0);
    CHECK_INT(path_mkdirs(a, 0700, &e), 0);
    CHECK_INT(path_write(f, "one\ntwo\nthree\n", 14, &e), 0);
    char *x = path_join(test_dir(), "x");
    CHECK_INT(path_copy_all(x, copy, &e), 0);
    char *g = path_join(copy, "y/z/f"), *last = path_tail(g, 2);
    CHECK_STR(last, "two\nthree");
    CHECK_INT(path_remove_all(x, &e), 0);
    CHECK_INT(path_remove_all(x, &e), 0);
    struct buf b = {0};
    CHECK_INT(path_read(f, 0, &b, &e), -1);
    CHECK_HAS(e.msg, "opening");
    CHECK_INT(path_read(g, 3, &b, &e), -1);
    CHECK_HAS(e.msg, "larger than 3");
    buf_free(&b);
    char *paths[] = {a, f, copy, x, g, last};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        free(paths[i]);
    }
}

TEST(bytes_that_are_not_utf8_become_base64)
{
    json_t *j = json_bytes("\xff\x00\x01\x02", 4);
    CHECK_STR(json_string_value(json_object_get(j, "base64")), "/wABAg==");
    json_decref(j);
    j = json_bytes("plain", 5);
    CHECK_STR(json_string_value(j), "plain");
    json_decref(j);
    CHECK(json_is_null(json_bytes(NULL, 0)));
}

TEST(the_fast_clock_keeps_to_the_kernels)
{
    uint64_t last = 0;
    for (int i = 0; i < 2000000; i++) {
        uint64_t fast = clock_fast_ns();
        CHECK(fast >= last);
        last = fast;
        if (i % 64 == 0) {
            uint64_t before = clock_mono_ns();
            fast = clock_fast_ns();
            CHECK(fast + 1000 >= before);
            CHECK(fast <= clock_mono_ns() + 1000);
        }
    }
}

static void check_sha(const char *text, size_t times, const char *want)
{
    struct sha256 s;
    char got[SHA256_TEXT];
    sha256_init(&s);
    for (size_t i = 0; i < times; i++) {
        sha256_add(&s, text, strlen(text));
    }
    sha256_end(&s, got);
    CHECK_STR(got, want);
}

TEST(sha256_is_that_of_the_standard)
{
    check_sha("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_sha("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256_of_a_file_that_is_not_there_is_an_error_that_names_it)
{
    char got[SHA256_TEXT];
    struct err e;
    char *path = path_join(test_dir(), "f");
    CHECK_INT(sha256_file(path, got, &e), -1);
    CHECK_HAS(e.msg, path);
    CHECK_INT(path_write(path, "abc", 3, &e), 0);
    CHECK_INT(sha256_file(path, got, &e), 0);
    CHECK_STR(got, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    free(path);
}
