/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual nodes: what dies with one, what moves, and what a client of it sees. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/kafka_error.h"

enum { MS = 5000, LOOK_US = 5000, SHORT_MS = 300 };

static const char *const quick[] = {"broker.session.timeout.ms=100"};

static struct lab *three(void)
{
    struct broker_opts o = {.nodes = 3};
    return lab_start(&o, quick, 1);
}

static void create(struct admin *a, const char *name, int replicas)
{
    struct admin_new_topic t = {.name = name, .partitions = 1, .replicas = replicas};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

struct seen {
    int leader;
    size_t isr;
};

static struct seen look(struct admin *a, const char *topic)
{
    struct admin_metadata m;
    struct err e;
    CHECK_INT(admin_metadata(a, &topic, 1, MS, &m, &e), 0);
    const struct admin_partition *p = &m.topics[0].partitions[0];
    struct seen s = {p->leader, p->nisr};
    admin_metadata_free(&m);
    return s;
}

/** Waits for another leader than that. */
static struct seen wait_moved(struct admin *a, const char *topic, int from)
{
    struct seen s = look(a, topic);
    while (s.leader == from || s.leader < 0) {
        usleep(LOOK_US);
        s = look(a, topic);
    }
    return s;
}

static void wait_isr(struct admin *a, const char *topic, size_t n)
{
    while (look(a, topic).isr != n) {
        usleep(LOOK_US);
    }
}

static int produce(struct lab *l, int node, const char *topic, int64_t *base)
{
    static const char *const values[] = {"v"};
    struct buf blob = {0};
    struct wire_msg m;
    int fd = lab_connect_to(l, node);
    CHECK(fd >= 0);
    lab_batch(&blob, values, 1);
    lab_produce(&m, topic, 0, &blob);
    lab_send(fd, &m);
    int code = lab_produced(fd, base);
    buf_free(&blob);
    close(fd);
    return code;
}

static void put_epoch_request(struct wire_msg *m, int16_t api, int current, int asked)
{
    bool fetch = api == API_FETCH;
    lab_request(m, api, fetch ? 11 : 2);
    struct wire_value *t = wire_add(m, &m->root, "Topics");
    wire_set_str(m, t, "Topic", "t");
    struct wire_value *p = wire_add(m, t, "Partitions");
    wire_set_int(p, "CurrentLeaderEpoch", current);
    if (fetch) {
        wire_set_int(&m->root, "MaxBytes", 1 << 20);
        wire_set_int(p, "PartitionMaxBytes", 1 << 20);
    } else {
        wire_set_int(p, "LeaderEpoch", asked);
    }
}

/** Asks the node with an epoch that the client knows. @return the error. */
static int fetch_with_epoch(struct lab *l, int node, int epoch)
{
    struct wire_msg m;
    int fd = lab_connect_to(l, node);
    put_epoch_request(&m, API_FETCH, epoch, 0);
    lab_send(fd, &m);
    lab_read(fd, &m, API_FETCH, 11);
    int code =
        (int)wire_int(wire_at(wire_at(&m.root, "Responses", 0), "Partitions", 0), "ErrorCode");
    wire_free(&m);
    close(fd);
    return code;
}

static int64_t end_of_epoch(struct lab *l, int node, int current, int asked, int *epoch)
{
    struct wire_msg m;
    int fd = lab_connect_to(l, node);
    put_epoch_request(&m, API_OFFSET_FOR_LEADER_EPOCH, current, asked);
    lab_send(fd, &m);
    lab_read(fd, &m, API_OFFSET_FOR_LEADER_EPOCH, 2);
    const struct wire_value *p = wire_at(wire_at(&m.root, "Topics", 0), "Partitions", 0);
    int64_t end = wire_int(p, "EndOffset");
    *epoch = (int)wire_int(p, "LeaderEpoch");
    wire_free(&m);
    close(fd);
    return end;
}

TEST(a_dead_node_refuses_and_another_one_leads_in_a_later_epoch)
{
    struct lab *l = three();
    struct admin *a = lab_admin(l);
    int64_t base;
    int epoch;
    create(a, "t", 3);
    struct seen before = look(a, "t");
    int idle = lab_connect_to(l, before.leader);
    CHECK_INT(produce(l, before.leader, "t", &base), KAFKA_NONE);
    lab_order(l, "kill", before.leader);
    CHECK(lab_is_closed(idle));
    CHECK_INT(lab_connect_to(l, before.leader), -1);
    struct seen after = wait_moved(a, "t", before.leader);
    CHECK_INT(after.isr, 2);
    CHECK_INT(produce(l, after.leader, "t", &base), KAFKA_NONE);
    CHECK_INT(base, 1);
    CHECK_INT(fetch_with_epoch(l, after.leader, 0), KAFKA_FENCED_LEADER_EPOCH);
    CHECK_INT(fetch_with_epoch(l, after.leader, 1), KAFKA_NONE);
    CHECK_INT(fetch_with_epoch(l, after.leader, 2), KAFKA_UNKNOWN_LEADER_EPOCH);
    CHECK_INT(end_of_epoch(l, after.leader, 1, 0, &epoch), 1);
    CHECK_INT(epoch, 0);
    CHECK_INT(end_of_epoch(l, after.leader, 1, 1, &epoch), 2);
    lab_order(l, "restart", before.leader);
    wait_isr(a, "t", 3);
    CHECK_INT(look(a, "t").leader, after.leader); /* it stays */
    CHECK_INT(produce(l, before.leader, "t", &base), KAFKA_NOT_LEADER_OR_FOLLOWER);
    close(idle);
    admin_close(a);
    lab_stop(l);
}

static void wait_refuses(struct lab *l, int node)
{
    int fd;
    while ((fd = lab_connect_to(l, node)) >= 0) {
        close(fd);
        usleep(LOOK_US);
    }
}

TEST(what_only_a_dead_node_has_has_no_leader_until_it_is_back)
{
    struct lab *l = three();
    struct admin *a = lab_admin(l);
    int64_t base;
    create(a, "t", 1);
    struct seen before = look(a, "t");
    CHECK_INT(produce(l, before.leader, "t", &base), KAFKA_NONE);
    lab_order(l, "kill", before.leader);
    while (look(a, "t").leader > 0) {
        usleep(LOOK_US);
    }
    CHECK_INT(produce(l, before.leader % 3 + 1, "t", &base), KAFKA_NOT_LEADER_OR_FOLLOWER);
    lab_order(l, "restart", before.leader);
    struct seen after = wait_moved(a, "t", -1);
    CHECK_INT(after.leader, before.leader);
    CHECK_INT(fetch_with_epoch(l, after.leader, 2), KAFKA_NONE); /* 1 had none */
    CHECK_INT(produce(l, after.leader, "t", &base), KAFKA_NONE);
    CHECK_INT(base, 1); /* nothing was lost */
    admin_close(a);
    lab_stop(l);
}

TEST(a_single_node_can_be_away_for_a_moment)
{
    struct lab *l = lab_start(NULL, quick, 1);
    struct admin *a = lab_admin(l);
    int64_t base;
    create(a, "t", 1);
    CHECK_INT(produce(l, 1, "t", &base), KAFKA_NONE);
    lab_order(l, "kill", 1);
    wait_refuses(l, 1);
    lab_order(l, "restart", 1);
    while (lab_connect_to(l, 1) < 0) {
        usleep(LOOK_US);
    }
    CHECK_INT(wait_moved(a, "t", -1).leader, 1);
    CHECK_INT(produce(l, 1, "t", &base), KAFKA_NONE);
    CHECK_INT(base, 1);
    admin_close(a);
    lab_stop(l);
}

/** Produces to a node that is about to die. @return whether the record is in the log. */
static bool dies_behind_the_append(struct lab *l, struct admin *a, int64_t before)
{
    static const char *const values[] = {"last"};
    struct admin_offset end;
    struct buf blob = {0};
    struct wire_msg m;
    struct err e;
    int fd = lab_connect_to(l, 1);
    lab_batch(&blob, values, 1);
    lab_produce(&m, "t", 0, &blob);
    lab_order(l, "kill", 1);
    lab_send(fd, &m);
    CHECK(lab_is_closed(fd)); /* never an answer */
    wait_refuses(l, 1);
    lab_order(l, "restart", 1);
    CHECK_INT(admin_list_offsets(a, "t", 0, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED, MS, &end, &e), 0);
    buf_free(&blob);
    close(fd);
    return end.offset > before;
}

TEST(a_node_may_die_between_append_and_answer)
{
    struct lab *l = lab_start(NULL, quick, 1);
    struct admin *a = lab_admin(l);
    create(a, "t", 1);
    while (!dies_behind_the_append(l, a, 0)) { /* the machine may be too slow for its last moment */
    }
    admin_close(a);
    lab_stop(l);
}

TEST(without_enough_in_sync_acks_all_is_refused)
{
    static const char *const settings[] = {"broker.session.timeout.ms=100",
                                           "min.insync.replicas=3"};
    struct broker_opts o = {.nodes = 3};
    struct lab *l = lab_start(&o, settings, 2);
    struct admin *a = lab_admin(l);
    int64_t base;
    create(a, "t", 3);
    int leader = look(a, "t").leader;
    CHECK_INT(produce(l, leader, "t", &base), KAFKA_NONE);
    lab_order(l, "stop", leader % 3 + 1); /* goes at once */
    wait_isr(a, "t", 2);
    CHECK_INT(produce(l, leader, "t", &base), KAFKA_NOT_ENOUGH_REPLICAS);
    admin_close(a);
    lab_stop(l);
}

/** Sends a record to the node; nobody answers for a while. */
static int send_in_vain(struct lab *l, int node, const char *topic)
{
    static const char *const values[] = {"late"};
    struct buf blob = {0};
    struct wire_msg m;
    char c;
    int fd = lab_connect_to(l, node);
    struct timeval limit = {.tv_usec = SHORT_MS * 1000}, again = {.tv_sec = MS / 1000};
    CHECK(fd >= 0); /* the kernel accepts */
    lab_batch(&blob, values, 1);
    lab_produce(&m, topic, 0, &blob);
    lab_send(fd, &m);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK_INT(recv(fd, &c, 1, 0), -1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &again, sizeof again);
    buf_free(&blob);
    return fd;
}

TEST(a_pause_that_nobody_notices_only_delays)
{
    struct broker_opts o = {.nodes = 3};
    struct lab *l = lab_start(&o, NULL, 0); /* sessions of 9 s */
    struct admin *a = lab_admin(l);
    int64_t base = -1;
    create(a, "t", 3);
    int leader = look(a, "t").leader;
    lab_order(l, "pause", leader);
    int fd = send_in_vain(l, leader, "t");
    lab_order(l, "resume", leader);
    CHECK_INT(lab_produced(fd, &base), KAFKA_NONE);
    CHECK_INT(base, 0);
    CHECK_INT(fetch_with_epoch(l, leader, 0), KAFKA_NONE);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(a_node_that_was_paused_too_long_refuses_what_it_was_sent)
{
    struct lab *l = three();
    struct admin *a = lab_admin(l);
    int64_t base = -1;
    create(a, "t", 3);
    struct seen before = look(a, "t");
    lab_order(l, "pause", before.leader);
    int fd = send_in_vain(l, before.leader, "t");
    struct seen after = wait_moved(a, "t", before.leader);
    CHECK_INT(produce(l, after.leader, "t", &base), KAFKA_NONE);
    lab_order(l, "resume", before.leader);
    CHECK_INT(lab_produced(fd, &base), KAFKA_NOT_LEADER_OR_FOLLOWER);
    wait_isr(a, "t", 3);
    CHECK_INT(produce(l, after.leader, "t", &base), KAFKA_NONE);
    CHECK_INT(base, 1);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(what_an_isolated_node_was_sent_is_lost)
{
    struct broker_opts o = {.nodes = 3};
    struct lab *l = lab_start(&o, NULL, 0);
    struct admin *a = lab_admin(l);
    int64_t base = -1;
    create(a, "t", 3);
    int leader = look(a, "t").leader;
    lab_order(l, "isolate", leader);
    int fd = send_in_vain(l, leader, "t");
    lab_order(l, "resume", leader);
    char c;
    CHECK(recv(fd, &c, 1, 0) <= 0);
    close(fd);
    CHECK_INT(produce(l, leader, "t", &base), KAFKA_NONE);
    CHECK_INT(base, 0);
    admin_close(a);
    lab_stop(l);
}

TEST(another_controller_takes_over_but_not_without_a_majority)
{
    struct lab *l = three();
    struct admin *a = lab_admin(l);
    struct err e;
    int first = admin_controller(a, MS, &e), second = first;
    lab_order(l, "kill", first);
    while (second == first) {
        second = admin_controller(a, MS, &e);
        usleep(LOOK_US);
    }
    CHECK(second > 0);
    lab_order(l, "kill", second);
    while (admin_controller(a, 200, &e) > 0) {
        usleep(LOOK_US);
    }
    CHECK_INT(e.code, KAFKA_LEADER_NOT_AVAILABLE);
    lab_order(l, "restart", second);
    CHECK(admin_controller(a, MS, &e) > 0);
    admin_close(a);
    lab_stop(l);
}

TEST(without_a_majority_nobody_is_taken_for_gone)
{
    struct lab *l = three();
    struct admin *a = lab_admin(l);
    struct err e;
    create(a, "t", 3);
    struct seen before = look(a, "t");
    lab_order(l, "kill", before.leader);
    lab_order(l, "kill", before.leader % 3 + 1);
    while (admin_controller(a, 200, &e) > 0) {
        usleep(LOOK_US);
    }
    usleep(2 * SHORT_MS * 1000); /* longer than a session */
    CHECK_INT(look(a, "t").leader, before.leader);
    CHECK_INT(look(a, "t").isr, 3);
    lab_order(l, "restart", before.leader % 3 + 1);
    CHECK(wait_moved(a, "t", before.leader).leader > 0);
    admin_close(a);
    lab_stop(l);
}

TEST(commands_are_checked)
{
    struct lab *l = three();
    struct err e = {0};
    CHECK_INT(lab_tell(l, "kill", &e), -1);
    CHECK_HAS(e.msg, "'kill' is not VERB NODE");
    CHECK_INT(lab_tell(l, "kill 4", &e), -1);
    CHECK_HAS(e.msg, "there is no node 4: the nodes are 1 to 3");
    CHECK_INT(lab_tell(l, "maim 1", &e), -1);
    CHECK_HAS(e.msg, "'maim' is not known");
    CHECK_INT(lab_tell(l, "resume 1", &e), -1);
    CHECK_HAS(e.msg, "resume: node 1 is up");
    CHECK_INT(lab_tell(l, "restart 1", &e), -1);
    CHECK_INT(lab_tell(l, "kill 1", &e), 0);
    CHECK_INT(lab_tell(l, "kill 1", &e), -1);
    CHECK_HAS(e.msg, "kill: node 1 is down");
    lab_stop(l);
}
