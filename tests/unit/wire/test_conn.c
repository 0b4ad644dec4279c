/* SPDX-License-Identifier: Apache-2.0 */
/* Bad peers: nobody there, silent, half an answer, nonsense. Every call ends in time with an error
 * that names the address and the request. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "wire/admin.h"
#include "wire/schema.h"

/** A peer that answers each connection's first bytes with fixed ones, then closes or stays. */
/* The thread outlives the case: all of these are static. */
struct peer {
    int fd, port;
    const void *answer;
    size_t len;
    bool stay;
    pthread_t thread;
};

static void *peer_run(void *arg)
{
    struct peer *p = arg;
    for (;;) {
        char request[4096];
        int fd = accept(p->fd, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        if (recv(fd, request, sizeof request, 0) > 0) {
            send(fd, p->answer, p->len, MSG_NOSIGNAL);
        }
        if (!p->stay) {
            close(fd);
        }
    }
}

static void peer_listen(struct peer *p)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(p->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(p->fd, 16) == 0);
    CHECK(getsockname(p->fd, (struct sockaddr *)&at, &len) == 0);
    p->port = ntohs(at.sin_port);
}

static void peer_start(struct peer *p, const void *answer, size_t len, bool stay)
{
    *p = (struct peer){.answer = answer, .len = len, .stay = stay};
    peer_listen(p);
    CHECK(pthread_create(&p->thread, NULL, peer_run, p) == 0);
}

/** Asks for metadata; the error must come within the bound and name the address. */
static struct err ask(int port, int timeout_ms)
{
    struct err e = {0};
    struct admin_metadata m;
    char bootstrap[32];
    snprintf(bootstrap, sizeof bootstrap, "127.0.0.1:%d", port);
    struct admin *a = admin_open(bootstrap, NULL, &e);
    CHECK(a != NULL);
    uint64_t start = clock_mono_ns();
    CHECK_INT(admin_metadata(a, NULL, 0, timeout_ms, &m, &e), -1);
    CHECK((clock_mono_ns() - start) / 1000000 < (uint64_t)timeout_ms + 500);
    CHECK_HAS(e.msg, bootstrap);
    admin_metadata_free(&m);
    admin_close(a);
    return e;
}

TEST(an_address_that_cannot_be_read_is_named)
{
    static const char *const wrong[] = {"",           "host",    "host:", ":9092", "h:1,",
                                        "h:1,host:x", "h:99999", "[::1]", "h:0",   "h:12x"};
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CHECK(admin_open(wrong[i], NULL, &e) == NULL);
        CHECK_INT(e.kind, ERR_USAGE);
        CHECK_HAS(e.msg, "is not host:port");
    }
    admin_close(admin_open("[::1]:9092,h:1", NULL, &e));
}

TEST(nobody_there_is_a_timeout_that_says_refused)
{
    static struct peer p = {0};
    peer_listen(&p);
    close(p.fd);
    struct err e = ask(p.port, 300);
    CHECK_INT(e.kind, ERR_TIMEOUT);
    CHECK_HAS(e.msg, "Metadata");
    CHECK_HAS(e.msg, "refused");
}

struct waiter {
    char bootstrap[32];
    atomic_bool unwanted;
    struct err e;
    int rc;
};

static void *wait_long(void *arg)
{
    struct waiter *w = arg;
    struct admin *a = admin_open(w->bootstrap, NULL, &w->e);
    struct admin_metadata md;
    admin_cancel_by(&w->unwanted);
    w->rc = admin_metadata(a, NULL, 0, 60000, &md, &w->e);
    admin_metadata_free(&md);
    admin_close(a);
    return NULL;
}

TEST_LIMIT(a_wait_that_nobody_wants_any_more_ends, 20)
{
    static struct peer p = {0};
    struct waiter w = {.rc = 0};
    pthread_t thread;
    peer_listen(&p);
    snprintf(w.bootstrap, sizeof w.bootstrap, "127.0.0.1:%d", p.port);
    CHECK(pthread_create(&thread, NULL, wait_long, &w) == 0);
    int fd = accept(p.fd, NULL, NULL); /* it has asked, and gets no answer */
    uint64_t start = clock_mono_ns();
    atomic_store(&w.unwanted, true);
    pthread_join(thread, NULL);
    CHECK((clock_mono_ns() - start) / 1000000 < 5000);
    CHECK_INT(w.rc, -1);
    CHECK_INT(w.e.kind, ERR_TIMEOUT);
    close(fd);
    close(p.fd);
}

TEST(a_silent_node_is_a_timeout)
{
    static struct peer p = {0};
    peer_listen(&p); /* connections are taken by the kernel, nobody answers */
    struct err e = ask(p.port, 300);
    CHECK_INT(e.kind, ERR_TIMEOUT);
    CHECK_HAS(e.msg, "no answer");
    CHECK_HAS(e.msg, "Metadata");
    close(p.fd);
}

TEST(a_host_that_does_not_exist_is_named)
{
    struct err e = {0};
    struct admin_metadata m;
    struct admin *a = admin_open("no-such-host.invalid:9092", NULL, &e);
    CHECK_INT(admin_metadata(a, NULL, 0, 400, &m, &e), -1);
    CHECK_INT(e.kind, ERR_TIMEOUT);
    CHECK_HAS(e.msg, "no-such-host.invalid");
    admin_metadata_free(&m);
    admin_close(a);
}

TEST(another_protocol_is_told_apart)
{
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    static struct peer p;
    peer_start(&p, http, sizeof http - 1, false);
    struct err e = ask(p.port, 1000);
    CHECK_INT(e.kind, ERR_PROTOCOL);
    CHECK_HAS(e.msg, "is this a Kafka listener?");
}

TEST(half_an_answer_is_a_timeout_or_a_closed_connection)
{
    static const char half[] = "\0\0\0\x20\0\0\0\0half";
    static struct peer stays, closes;
    peer_start(&stays, half, sizeof half - 1, true);
    struct err e = ask(stays.port, 300);
    CHECK_INT(e.kind, ERR_TIMEOUT);
    CHECK_HAS(e.msg, "no answer");
    peer_start(&closes, half, sizeof half - 1, false);
    e = ask(closes.port, 300);
    CHECK_INT(e.kind, ERR_TIMEOUT);
    CHECK_HAS(e.msg, "closed");
}

TEST(nonsense_inside_of_a_frame_is_a_protocol_error)
{
    static const char wrong_id[] = "\0\0\0\4\0\0\0\x63";
    static const char lists[] = "\0\0\0\x0b\0\0\0\0\0\0\xff\xff\xff\xff\x0f";
    static struct peer p;
    peer_start(&p, wrong_id, sizeof wrong_id - 1, true);
    struct err e = ask(p.port, 1000);
    CHECK_INT(e.kind, ERR_PROTOCOL);
    CHECK_HAS(e.msg, "answer to request 99");
    peer_start(&p, lists, sizeof lists - 1, true);
    e = ask(p.port, 1000);
    CHECK_INT(e.kind, ERR_PROTOCOL);
    CHECK_HAS(e.msg, "ApiVersionsResponse version 3, field ApiKeys");
}

TEST(a_dead_node_in_the_bootstrap_list_is_passed_over)
{
    /* ApiVersions that offer nothing: the error proves that the second address was asked */
    static const char none[] = "\0\0\0\x0c\0\0\0\0\0\0\x01\0\0\0\0\0";
    static struct peer dead = {0}, p;
    struct err e = {0};
    struct admin_metadata m;
    char bootstrap[64];
    peer_listen(&dead);
    close(dead.fd);
    peer_start(&p, none, sizeof none - 1, true);
    snprintf(bootstrap, sizeof bootstrap, "127.0.0.1:%d,127.0.0.1:%d", dead.port, p.port);
    struct admin *a = admin_open(bootstrap, NULL, &e);
    CHECK_INT(admin_metadata(a, NULL, 0, 5000, &m, &e), -1);
    CHECK_INT(e.kind, ERR_BROKER);
    CHECK_HAS(e.msg, "does not offer");
    admin_metadata_free(&m);
    admin_close(a);
}

TEST(error_codes_have_names)
{
    CHECK_STR(kafka_error_name(KAFKA_UNSTABLE_OFFSET_COMMIT), "UNSTABLE_OFFSET_COMMIT");
    CHECK_STR(kafka_error_name(-1), "UNKNOWN_SERVER_ERROR");
    CHECK_STR(kafka_error_name(0), "NONE");
    CHECK_STR(kafka_error_name(9999), "UNKNOWN_ERROR_CODE");
    CHECK(kafka_error_retriable(KAFKA_NOT_COORDINATOR));
    CHECK(!kafka_error_retriable(KAFKA_PRODUCER_FENCED));
}
