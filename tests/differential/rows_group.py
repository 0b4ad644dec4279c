# SPDX-License-Identifier: Apache-2.0
"""Groups of the classic protocol and their offsets."""
import struct
import time

import wire
from table import row


@row("G01", "JoinGroup without a member id")
def member_id(s):
    g = wire.unique("group")
    a = s.join_once(g)
    s.rec("version 5", s.joined(a))
    s.rec("then", s.joined(s.join(g, member=a["MemberId"])))
    h = wire.unique("group")
    s.rec("version 3", s.joined(s.join(h, version=3)))
    s.rec("unknown", s.joined(s.join_once(h, member="nobody")))
    s.rec("unknown group", s.joined(s.join_once(wire.unique("group"), member="nobody")))


@row("G01", "what JoinGroup refuses")
def join_refused(s):
    g = wire.unique("group")

    def ask(**how):
        return s.join_once(how.pop("group", g), **how)["ErrorCode"]
    s.rec("session", ask(session=10), ask(session=10000000))
    s.rec("no protocols", ask(protocols=()))
    s.rec("no type", ask(kind=""))
    s.c.send("JoinGroup", 5, s.join_body(""))
    s.rec("empty group", s.c.recv()["ErrorCode"])


@row("G02", "join, sync, heartbeat, leave")
def life(s):
    g = wire.unique("group")
    a = s.join(g)
    m, n = a["MemberId"], a["GenerationId"]
    s.rec("join", s.joined(a))
    s.rec("state", *s.group_state(g))
    s.rec("sync", *s.sync(g, m, n, [(m, b"mine")]))
    s.rec("sync again", *s.sync(g, m, n))
    s.rec("heartbeat", s.beat(g, m, n), s.beat(g, m, n + 1), s.beat(g, "nobody", n),
          s.beat(wire.unique("no"), m, n))
    s.rec("sync wrong", s.sync(g, m, n + 1), s.sync(g, "nobody", n))
    s.rec("state", *s.group_state(g))
    s.rec("leave", s.leave(g, m), s.leave(g, m), s.leave(wire.unique("no"), m))
    s.rec("state", *s.group_state(g))
    s.rec("heartbeat", s.beat(g, m, n))
    s.rec("next", s.joined(s.join(g)))


@row("G02", "a member leaves while its join waits")
def leave_waiting(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    s.name("member", one)
    c = s.connect()
    s.join_send(c, g)
    two = c.recv()["MemberId"]
    s.name("member", two)
    s.join_send(c, g, member=two)
    s.rec("waits", s.until(lambda: s.beat(g, one, n), lambda e: e == 27), c.quiet_for(0.2))
    s.rec("leave", s.leave(g, two))
    s.rec("told", s.joined(c.recv()))
    s.rec("alone", s.joined(s.join(g, member=one)))


@row("G03", "a second member")
def second(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    s.name("member", one)
    c = s.connect()
    s.join_send(c, g)
    two = c.recv()["MemberId"]
    s.name("member", two)
    s.join_send(c, g, member=two)
    s.rec("told", s.until(lambda: s.beat(g, one, n), lambda e: e == 27))
    s.rec("sync", s.sync(g, one, n)[0])
    a = s.join(g, member=one)
    b = c.recv()
    s.rec("first", s.joined(a))
    s.rec("second", s.joined(b))
    c.send("SyncGroup", 3, s.sync_body(g, two, b["GenerationId"]))
    s.rec("waits", c.quiet_for(0.2))
    s.rec("leader", *s.sync(g, one, a["GenerationId"], [(one, b"x"), (two, b"y")]))
    r = c.recv()
    s.rec("follower", r["ErrorCode"], r["Assignment"])
    s.rec("leave", s.leave(g, one))
    s.rec("told", s.until(lambda: s.beat(g, two, b["GenerationId"], conn=c), lambda e: e == 27))
    s.rec("alone", s.joined(s.join(g, member=two, conn=c)))


@row("G03", "a member that is not there when the others join")
def late(s):
    g = wire.unique("group")
    one, n = s.stable_member(g, rebalance=1000)
    s.name("member", one)
    c = s.connect()
    s.join_send(c, g, rebalance=1000)
    two = c.recv()["MemberId"]
    s.join_send(c, g, member=two, rebalance=1000)
    s.rec("waits", c.quiet_for(0.4))
    s.rec("without the first", s.joined(c.recv()))
    s.rec("first is out", s.beat(g, one, n + 1))
    s.join_send(s.c, g, member=one)
    s.rec("rejoin", s.c.recv()["ErrorCode"])


@row("G03", "the leader joins again, a follower joins again")
def rejoin(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    a = s.join(g, member=one)
    s.rec("leader", a["GenerationId"] - n, a["ErrorCode"])
    s.rec("again before sync", s.join(g, member=one)["GenerationId"] - n)
    s.sync(g, one, n + 1, [(one, b"")])
    s.rec("other metadata", s.join(g, member=one, protocols=(("range", b"new"),))["GenerationId"] - n)


@row("m30", "a member that was told its id and did not come back")
def pending_member(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    c = s.connect()
    s.join_send(c, g, session=1500)
    s.rec("told", c.recv()["ErrorCode"])
    s.join_send(s.c, g, member=one)
    s.rec("held up", s.c.quiet_for(0.5))
    s.rec("then", s.c.recv()["GenerationId"] - n)


@row("G04", "OffsetCommit: generations and members")
def commits(s):
    t, g = s.topic(), wire.unique("group")
    s.rec("simple", s.commit(g, t, 0, 1), s.committed(g, t))
    m, n = s.stable_member(g)
    s.rec("stale", s.commit(g, t, 0, 2, m, n - 1), s.commit(g, t, 0, 2, m, n + 1))
    s.rec("unknown member", s.commit(g, t, 0, 2, "nobody", n))
    s.rec("no member", s.commit(g, t, 0, 2))
    s.rec("good", s.commit(g, t, 0, 3, m, n, metadata="note"), s.committed(g, t))
    s.rec("unknown group", s.commit(wire.unique("no"), t, 0, 2, m, n))
    s.rec("unknown topic", s.commit(g, wire.unique("no"), 0, 2, m, n), s.commit(g, t, 9, 2, m, n))
    s.rec("large metadata", s.commit(g, t, 0, 2, m, n, metadata="x" * 5000))
    s.rec("odd numbers", s.commit(g, t, 0, 999, m, n), s.committed(g, t),
          s.commit(g, t, 0, -5, m, n), s.committed(g, t))
    s.leave(g, m)
    s.rec("after leaving", s.commit(g, t, 0, 4, m, n), s.commit(g, t, 0, 4, m, n + 1),
          s.commit(g, t, 0, 4))


@row("G04", "OffsetFetch")
def fetches(s):
    t, g = s.topic(partitions=2), wire.unique("group")
    s.rec("unknown group", s.committed(wire.unique("no"), t), s.committed(wire.unique("no"), t, 0, True))
    s.commit(g, t, 0, 5, metadata="m")
    s.rec("one", s.committed(g, t, 0), s.committed(g, t, 1), s.committed(g, t, 9),
          s.committed(g, wire.unique("no")))
    a = s.c.call("OffsetFetch", 7, {"GroupId": g, "Topics": None, "RequireStable": False})
    s.rec("all", a["ErrorCode"], [[(p["PartitionIndex"], p["CommittedOffset"])
                                   for p in x["Partitions"]] for x in a["Topics"]])
    s.commit(g, t, 0, 4)
    s.rec("back", s.committed(g, t, 0))


@row("G05", "a silent member is evicted")
def silent(s):
    g = wire.unique("group")
    m, n = s.stable_member(g, session=1500)
    began = time.time()
    s.until(lambda: s.group_state(g), lambda a: a[1] == "Empty")
    s.rec("empty", s.group_state(g), 1.3 < time.time() - began < 6)
    s.rec("heartbeat", s.beat(g, m, n))


@row("G05", "heartbeats keep a member")
def beats(s):
    g = wire.unique("group")
    m, n = s.stable_member(g, session=1000)
    codes = set()
    for _ in range(8):
        time.sleep(0.25)
        codes.add(s.beat(g, m, n))
    s.rec("all well", codes)


@row("G06", "a static member comes back")
def static(s):
    g = wire.unique("group")
    a = s.join(g, instance="i")
    one, n = a["MemberId"], a["GenerationId"]
    s.rec("join", s.joined(a))
    s.rec("sync", *s.sync(g, one, n, [(one, b"mine")], "i"))
    b = s.join(g, instance="i")
    two = b["MemberId"]
    s.rec("back", s.joined(b), two != one)
    s.rec("sync", *s.sync(g, two, b["GenerationId"], (), "i"))
    s.rec("former self", s.beat(g, one, n, "i"), s.sync(g, one, n, (), "i")[0])
    t = s.topic()
    s.rec("its commits", s.commit(g, t, 0, 1, one, n, "i"), s.commit(g, t, 0, 1, two, n, "i"))
    s.join_send(s.c, g, member=one, instance="i")
    s.rec("its join", s.c.recv()["ErrorCode"])
    s.rec("unknown instance", s.beat(g, two, n, "j"))


@row("G07", "the choice of a protocol")
def protocols(s):
    g = wire.unique("group")
    a, b, c = s.connect(), s.connect(), s.connect()
    one, n = s.stable_member(g, conn=a, protocols=(("x", b"1"), ("y", b"2")))
    s.join_send(b, g, protocols=(("z", b""),))
    s.rec("none in common", b.recv()["ErrorCode"])
    s.join_send(b, g, kind="other", protocols=(("x", b""),))
    s.rec("another type", b.recv()["ErrorCode"])
    s.join_send(b, g, protocols=(("y", b"3"), ("z", b"")))
    two = b.recv()["MemberId"]
    s.join_send(b, g, member=two, protocols=(("y", b"3"), ("z", b"")))
    s.until(lambda: s.beat(g, one, n), lambda e: e == 27)
    first = s.join(g, member=one, conn=a, protocols=(("x", b"1"), ("y", b"2")))
    s.rec("common", first["ProtocolName"], b.recv()["ProtocolName"],
          sorted(m["Metadata"] for m in first["Members"]))


@row("G08", "ListGroups, DescribeGroups, DeleteGroups")
def admin(s):
    g, t = wire.unique("group"), s.topic()
    m, n = s.stable_member(g)
    listed = lambda: [(x["ProtocolType"]) for x in s.c.call("ListGroups", 0, {})["Groups"]
                      if x["GroupId"] == g]
    s.rec("list", listed())
    a = s.c.call("DescribeGroups", 0, {"Groups": [g, wire.unique("no")]})["Groups"]
    for x in a:
        s.rec("described", x["ErrorCode"], x["GroupState"], x["ProtocolType"], x["ProtocolData"],
              [(v["ClientId"], v["MemberMetadata"], v["MemberAssignment"]) for v in x["Members"]])
    drop = lambda name: s.c.call("DeleteGroups", 1, {"GroupsNames": [name]})["Results"][0]["ErrorCode"]
    s.rec("delete", drop(g), drop(wire.unique("no")))
    s.commit(g, t, 0, 5, m, n)
    s.leave(g, m)
    s.rec("empty", listed(), drop(g), s.committed(g, t))
    s.rec("gone", listed(), s.group_state(g))


@row("G08", "OffsetDelete")
def offset_delete(s):
    g, t = wire.unique("group"), s.topic()
    s.commit(g, t, 0, 5)
    drop = lambda name: s.c.call("OffsetDelete", 0, {"GroupId": name, "Topics": [
        {"Name": t, "Partitions": [{"PartitionIndex": 0}]}]})
    a = drop(g)
    s.rec("delete", a["ErrorCode"], a["Topics"][0]["Partitions"], s.committed(g, t))
    s.rec("unknown group", drop(wire.unique("no"))["ErrorCode"])


@row("G09", "FindCoordinator")
def coordinators(s):
    for kind in (0, 1):
        a = s.find(wire.unique("key"), kind)
        s.rec("kind %d" % kind, a["ErrorCode"], a["NodeId"], a["ErrorMessage"])
    s.rec("kind 9", s.c.call("FindCoordinator", 2, {"Key": "x", "KeyType": 9})["ErrorCode"])


@row("G07", "equal votes for protocols")
def tie(s):
    for first, second in (("range", "rr"), ("b", "a"), ("sticky", "range"), ("protocol-1", "protocol-2"),
                          ("roundrobin", "range"), ("cooperative-sticky", "range")):
        g, c = wire.unique("group"), s.connect()
        both = ((first, b""), (second, b""))
        one, n = s.stable_member(g, protocols=both)
        c.send("JoinGroup", 3, s.join_body(g, version=3, protocols=both[::-1]))
        s.until(lambda: s.beat(g, one, n), lambda e: e == 27)
        s.rec("%s, %s" % (first, second), s.join(g, member=one, protocols=both)["ProtocolName"],
              c.recv()["ProtocolName"])


def consumers(*topics):
    """What a consumer says of itself: the oldest version of it, which all newer ones begin with."""
    return struct.pack(">hi", 0, len(topics)) + b"".join(
        struct.pack(">h", len(t)) + t.encode() for t in topics) + struct.pack(">i", -1)


@row("G08", "OffsetDelete: what members subscribed to when the generation began")
def subscribed(s):
    g, t, o = wire.unique("group"), s.topic(), s.topic("other")

    def ask():
        return [s.c.call("OffsetDelete", 0, {"GroupId": g, "Topics": [
            {"Name": x, "Partitions": [{"PartitionIndex": 0}]}]})["Topics"][0]["Partitions"][0]["ErrorCode"]
            for x in (t, o)]

    def speaks(*topics):
        return (("range", consumers(*topics)),)
    c = s.connect()
    one, n = s.stable_member(g, protocols=speaks(t))
    s.rec("one member", *ask())
    c.send("JoinGroup", 3, s.join_body(g, version=3, protocols=speaks(o)))
    s.until(lambda: s.beat(g, one, n), lambda e: e == 27)
    s.rec("another has come", *ask())
    first, second = s.join(g, member=one, protocols=speaks(t)), c.recv()
    two, n = second["MemberId"], second["GenerationId"]
    s.rec("a generation of both", *ask())
    s.sync(g, one, n, [(one, b"x")])
    s.rec("leave", s.leave(g, two), *ask())
    s.rec("alone", s.join(g, member=one, protocols=speaks(t))["GenerationId"] - n, *ask())
    for label, raw in (("no data", consumers(t)[:-4]), ("cut", consumers(t)[:-1]), ("nothing", b""),
                       ("text", b"raw"), ("nobody's", consumers())):
        s.join(g, member=one, protocols=(("range", raw),))
        s.rec(label, *ask())
    s.rec("empty", s.leave(g, one), *ask())


@row("G02", "a member that was told its id leaves: the others begin anew")
def pending_leaves(s):
    g, c = wire.unique("group"), s.connect()
    one, n = s.stable_member(g)
    for version in (1, 3):
        s.join_send(c, g)
        body = {"GroupId": g, "MemberId": c.recv()["MemberId"]}
        if version == 3:
            body = {"GroupId": g, "Members": [{"MemberId": body["MemberId"], "GroupInstanceId": "i"}]}
        a = s.c.call("LeaveGroup", version, body)
        s.rec("leave", a["ErrorCode"], [m["ErrorCode"] for m in a.get("Members", [])], s.group_state(g))
        n = s.join(g, member=one)["GenerationId"]
        s.rec("completing", n, s.group_state(g), s.sync(g, one, n)[0])


@row("G06", "a member that was told its id comes with an instance")
def pending_static(s):
    for version in (5, 9):
        g = wire.unique("group")
        member = s.join_once(g)["MemberId"]
        s.name("member", member)
        s.rec("join", s.joined(s.join_once(g, member=member, instance="i", version=version)))
        s.rec("without", s.joined(s.join_once(g, member=member, version=version)))


@row("G02", "members that leave together begin one generation")
def leave_together(s):
    g, c = wire.unique("group"), s.connect()
    one, n = s.stable_member(g, version=3)
    c.send("JoinGroup", 5, s.join_body(g, instance="i"))
    s.until(lambda: s.beat(g, one, n), lambda e: e == 27)
    a = s.c.call("LeaveGroup", 3, {"GroupId": g, "Members": [
        {"MemberId": one}, {"MemberId": "", "GroupInstanceId": "i"}]})
    s.rec("leave", [m["ErrorCode"] for m in a["Members"]])
    s.rec("told", s.joined(c.recv()))
    s.rec("state", *s.group_state(g))
    s.rec("next", s.joined(s.join(g)))


@row("G02", "a member leaves while it waits for its assignment: nobody is told")
def leave_syncing(s):
    g, c = wire.unique("group"), s.connect()
    one, n = s.stable_member(g, instance="i")
    s.join_send(c, g, instance="j")
    s.until(lambda: s.beat(g, one, n, "i"), lambda e: e == 27)
    n = s.join(g, member=one, instance="i")["GenerationId"]
    two = c.recv()["MemberId"]
    c.send("SyncGroup", 3, s.sync_body(g, two, n, (), "j"))
    s.rec("waits", c.quiet_for(0.2))
    s.rec("leave", s.leave(g, two), s.group_state(g))
    s.rec("waits", c.quiet_for(0.5))
    s.rec("alone", s.join(g, member=one, instance="i")["GenerationId"] - n, c.quiet_for(0.2))


@row("G03", "joins and syncs again over another connection: the first is never answered")
def asks_again(s):
    g, old, new = wire.unique("group"), s.connect(), s.connect()
    one, n = s.stable_member(g, instance="i")
    c = s.connect()
    c.send("JoinGroup", 5, s.join_body(g, instance="j"))
    s.until(lambda: s.beat(g, one, n, "i"), lambda e: e == 27)
    a = s.join(g, member=one, instance="i")
    two, n = c.recv()["MemberId"], a["GenerationId"]
    s.name("member", two)
    for conn in (old, new):
        conn.send("SyncGroup", 3, s.sync_body(g, two, n, (), "j"))
        s.rec("waits", conn.quiet_for(0.2))
    s.rec("leader", s.sync(g, one, n, [(two, b"x")], "i"))
    s.rec("sync", new.recv()["Assignment"], old.quiet_for(0.3))
    older = s.connect()
    for conn in (older, new):
        conn.send("JoinGroup", 5, s.join_body(g, member=two, instance="j", protocols=(("range", b"n"),)))
        s.rec("waits", conn.quiet_for(0.2))
    s.rec("leader", s.join(g, member=one, instance="i")["GenerationId"] - n)
    s.rec("join", new.recv()["GenerationId"] - n, older.quiet_for(0.3), old.quiet_for(0.1))


@row("G07", "the group's type stays while a member is expected, though none is left")
def type_stays(s):
    g, t, c = wire.unique("group"), s.topic(), s.connect()
    one, n = s.stable_member(g, kind="connect", instance="i")
    c.send("JoinGroup", 5, s.join_body(g, kind="connect", instance="j"))
    s.until(lambda: s.beat(g, one, n, "i"), lambda e: e == 27)
    expected = s.join_once(g, kind="connect")["MemberId"]
    s.c.call("LeaveGroup", 3, {"GroupId": g, "Members": [
        {"MemberId": "", "GroupInstanceId": i} for i in ("i", "j")]})
    s.rec("nobody is left", c.recv()["ErrorCode"], s.group_state(g))
    s.rec("another type", s.join_once(g)["ErrorCode"], s.join_once(g, kind="connect")["ErrorCode"])
    s.rec("offsets", s.c.call("OffsetDelete", 0, {"GroupId": g, "Topics": [
        {"Name": t, "Partitions": [{"PartitionIndex": 0}]}]})["ErrorCode"])
    s.rec("goes", s.leave(g, expected), s.group_state(g))


@row("G07", "a full group", needs="group.max.size")
def full(s):
    g, b, c = wire.unique("group"), s.connect(), s.connect()
    one, n = s.stable_member(g, protocols=(("x", b""),))
    early = [s.join_once(g, protocols=(("x", b""),))["MemberId"] for _ in range(2)]
    b.send("JoinGroup", 5, s.join_body(g, instance="i", protocols=(("x", b""),)))
    s.rec("begins anew", s.until(lambda: s.beat(g, one, n), lambda e: e == 27))
    c.send("JoinGroup", 5, s.join_body(g, member=early[0], protocols=(("x", b""),)))
    s.until(lambda: s.group_state(g)[2], lambda k: k == 3)
    s.rec("other protocol", s.join_once(g, protocols=(("z", b""),))["ErrorCode"])
    s.rec("new", s.join_once(g)["ErrorCode"])
    s.rec("expected", s.join_once(g, member=early[1], protocols=(("x", b""),))["ErrorCode"])
    s.rec("too late", s.join_once(g, member=one, protocols=(("x", b""),))["ErrorCode"], s.group_state(g))
    s.rec("is out", s.beat(g, one, n), s.leave(g, early[1]), c.quiet_for(0.2))
    s.rec("comes back", s.join_once(g, instance="i", protocols=(("x", b""),))["ErrorCode"])
    a = s.c.call("LeaveGroup", 3, {"GroupId": g, "Members": [{"MemberId": "", "GroupInstanceId": "i"}]})
    s.rec("leaves", a["Members"][0]["ErrorCode"], b.recv()["ErrorCode"], c.recv()["GenerationId"] - n)
    a = s.join_once(g, protocols=(("x", b""),))
    s.rec("room", a["ErrorCode"], s.join_once(g, protocols=(("z", b""),))["ErrorCode"])
    b.send("JoinGroup", 5, s.join_body(g, member=a["MemberId"], protocols=(("x", b""),)))
    s.until(lambda: s.group_state(g)[1], lambda x: x == "PreparingRebalance")
    s.rec("rejoins", s.join(g, member=early[0], protocols=(("x", b""),))["GenerationId"] - n)
    s.rec("full", b.recv()["ErrorCode"], s.join_once(g)["ErrorCode"],
          s.join_once(g, member=early[1])["ErrorCode"])


@row("G05", "joins and syncs that are answered at once do not keep a member")
def no_sign_of_life(s):
    for what in ("join, completing", "join", "sync"):
        g, c = wire.unique("group"), s.connect()
        one, n = s.stable_member(g)
        body = s.join_body(g, instance="i", session=2000)
        c.send("JoinGroup", 5, body)
        s.until(lambda: s.beat(g, one, n), lambda e: e == 27)
        n = s.join(g, member=one)["GenerationId"]
        two = c.recv()["MemberId"]
        if what != "join, completing":
            c.send("SyncGroup", 3, s.sync_body(g, two, n, (), "i"))
            s.sync(g, one, n, [(two, b"x")])
            s.rec("synced", c.recv()["ErrorCode"])

        def ask():
            if what == "sync":
                return s.sync(g, two, n, (), "i")[0]
            return s.c.call("JoinGroup", 5, dict(body, MemberId=two))["ErrorCode"]
        s.rec(what, ask(), s.until(ask, lambda e: e != 0, 10), s.group_state(g))


@row("G06", "who takes over has the session of its former self until it shows that it lives")
def session_stays(s):
    g = wire.unique("group")
    one, n = s.stable_member(g, instance="i", session=2000)
    a = s.join(g, instance="i", session=60000, rebalance=60000)
    s.rec("back", a["GenerationId"] - n)
    s.rec("gone", s.until(lambda: s.group_state(g), lambda x: x[1] == "Empty", 10))
    one, n = s.stable_member(g, instance="i", session=2000)
    a = s.join(g, instance="i", session=60000, rebalance=60000)
    s.rec("heartbeat", s.beat(g, a["MemberId"], n, "i"))
    s.rec("stays", s.until(lambda: s.group_state(g), lambda x: x[1] == "Empty", 4))


@row("G03", "how long the first rebalance is put off", needs="group.initial.rebalance.delay.ms")
def first_delay(s):
    """For a delay of 1500 ms."""
    def first(act, **how):
        g, c, began = wire.unique("group"), s.connect(), time.time()
        how.setdefault("rebalance", 60000)
        c.send("JoinGroup", 5, s.join_body(g, instance="i", **how))
        c.quiet_for(0.4)
        answered = (act(g) or c).recv()
        took = time.time() - began
        return answered["ErrorCode"], "early" if took < 1.3 else "once" if took < 2.5 else "twice"

    def again(g, member="", **how):
        d = s.connect()
        d.send("JoinGroup", 5, s.join_body(g, member=member, rebalance=60000, **how))
        return d
    s.rec("one", first(lambda g: None))
    s.rec("short rebalances", first(lambda g: None, rebalance=600))
    s.rec("another comes", first(lambda g: again(g, instance="j")))
    s.rec("it comes again", first(lambda g: again(g, instance="i")))
    s.rec("an expected one comes", first(lambda g: again(g, s.join_once(g)["MemberId"])))
    s.rec("and leaves", first(lambda g: s.leave(g, s.join_once(g)["MemberId"]) and None))
    s.rec("and expires", first(lambda g: s.join_once(g, session=500) and None))
