# SPDX-License-Identifier: Apache-2.0
"""Second looks: what clients do under stress."""
import time

import wire
from rows_txn import begun
from table import row


@row("R01", "a batch is sent again after its transaction has ended")
def retry_after_end(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("same batch", s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0), s.lo(t, 0, -1))
    s.rec("next batch", s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1)[0])


@row("R02", "sequences go on over transactions of one epoch")
def sequences_go_on(s):
    t, x, pid, e = begun(s)
    for n in range(3):
        s.add(x, pid, e, (t, 0))
        s.rec("from zero" if n else "first", s.produce(t, 0, b"z", x, pid=pid, epoch=e, seq=0))
        s.rec("in order", s.produce(t, 0, b"%d" % n, x, pid=pid, epoch=e, seq=n + 1))
        s.rec("end", s.end(x, pid, e, n != 1))
        s.settled(x)
    s.rec("log", s.stable(t), s.fetch(t, 0, 0, 1))


@row("R03", "plain batches of a transactional producer outside of a transaction")
def plain_of_txn(s):
    t, x, pid, e = begun(s)
    s.rec("plain", s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0, txn=False))
    s.add(x, pid, e, (t, 0))
    s.rec("in a transaction that has written nothing",
          s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1, txn=False))
    s.rec("transactional", s.produce(t, 0, b"c", x, pid=pid, epoch=e, seq=2))
    s.rec("plain again", s.produce(t, 0, b"d", x, pid=pid, epoch=e, seq=3, txn=False)[0])
    s.end(x, pid, e, True)
    s.rec("log", s.stable(t), s.fetch(t, 0, 0, 1))


@row("R04", "an abort without a record still writes a marker")
def empty_abort(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.rec("end", s.end(x, pid, e, False))
    s.settled(x)
    s.rec("log", s.fetch(t, 0, 0, 1))
    s.rec("then", s.produce(t, 0, b"plain"))


@row("R05", "the timeout of an id changes with its owner")
def timeout_changes(s):
    x = wire.unique("id")
    shown = lambda: s.c.call("DescribeTransactions", 0, {"TransactionalIds": [x]})[
        "TransactionStates"][0]["TransactionTimeoutMs"]
    s.init(x, timeout=30000)
    s.rec("first", shown())
    s.init(x, timeout=5000)
    s.rec("second", shown())


@row("R06", "a new owner over offsets that a transaction holds")
def init_over_offsets(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.commit(g, t, 0, 1)
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 9)
    s.rec("held", s.committed(g, t, 0, True))
    s.rec("init", s.init(x)[0])
    s.settled(x)
    s.rec("free", s.until(lambda: s.committed(g, t, 0, True), lambda a: a[0] == 0))


@row("R07", "two transactions hold offsets of one partition, one aborts")
def two_hold(s):
    t, x, pid, e = begun(s)
    y, g = wire.unique("id"), wire.unique("group")
    _, qid, f = s.init(y)
    s.add_offsets(x, pid, e, g)
    s.add_offsets(y, qid, f, g)
    s.rec("both", s.txn_commit(x, pid, e, g, t, 0, 5), s.txn_commit(y, qid, f, g, t, 0, 6))
    s.rec("again", s.txn_commit(x, pid, e, g, t, 0, 7))
    s.end(y, qid, f, False)
    s.settled(y)
    s.rec("one holds", s.committed(g, t, 0, True))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True))


@row("R08", "a fenced producer commits offsets while the new owner has a transaction")
def fenced_offsets(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.init(x)
    _, other, f = s.init(x)
    s.add_offsets(x, other, f, g)
    s.rec("old", s.txn_commit(x, pid, e, g, t, 0, 5))
    s.rec("new", s.txn_commit(x, other, f, g, t, 0, 6))
    s.rec("wrong pid", s.txn_commit(x, pid + 1000000, f, g, t, 0, 5))
    s.rec("unknown id", s.txn_commit(wire.unique("no"), pid, f, g, t, 0, 5))
    s.end(x, other, f, True)
    s.settled(x)
    s.rec("committed", s.committed(g, t, 0, True))


@row("R09", "a topic is deleted while a transaction holds an offset of it")
def delete_held(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    other = wire.unique("group")
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 5)
    s.commit(other, t, 0, 5)
    s.delete(t)
    s.until(lambda: s.lo(t, 0, -1)[0], lambda c: c == 3)
    s.until(lambda: s.committed(other, t), lambda a: a[1] == -1)
    s.rec("end", s.end(x, pid, e, True))
    s.settled(x)
    s.rec("nothing", s.committed(g, t, 0, True))


@row("R10", "a time-out with held offsets")
def timeout_offsets(s):
    t, x, pid, e = begun(s, timeout=1000)
    g = wire.unique("group")
    s.commit(g, t, 0, 1)
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 9)
    s.rec("held", s.committed(g, t, 0, True)[0])
    s.rec("free", s.until(lambda: s.committed(g, t, 0, True), lambda a: a[0] == 0))
    s.rec("offset", s.txn_commit(x, pid, e, g, t, 0, 9))


@row("R11", "the timeout counts from the start, activity does not extend it")
def activity(s):
    t, x, pid, e = begun(s, timeout=1500)
    s.add(x, pid, e, (t, 0))
    began, n, code = time.time(), 0, 0
    while code == 0 and time.time() - began < 10:
        code = s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=n)[0]
        n += 1
        time.sleep(0.1)
    s.rec("ended with", code, 1.4 < time.time() - began < 4)


@row("R12", "fetch of several partitions, one of them wrong")
def several(s):
    t = s.topic(partitions=2)
    s.produce(t, 0, b"a")
    body = s.fetch_body(t, 0, 0, wait=3000, min_bytes=100000)
    body["Topics"].append({"Topic": wire.unique("no"), "Partitions": [
        {"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": 1000, "CurrentLeaderEpoch": -1}]})
    began = time.time()
    a = s.c.call("Fetch", 11, body)
    s.rec("at once", time.time() - began < 2,
          sorted(p["ErrorCode"] for r in a["Responses"] for p in r["Partitions"]))
    none = dict(body, Topics=[])
    a = s.c.call("Fetch", 11, none)
    s.rec("nothing asked", a["ErrorCode"], a["Responses"])


@row("R13", "fetch sessions that do not exist")
def sessions(s):
    t = s.topic()
    for sid, epoch in ((77, 1), (77, 0), (0, 5)):
        a = s.c.call("Fetch", 11, dict(s.fetch_body(t, 0, 0), SessionId=sid, SessionEpoch=epoch))
        s.rec("session %d epoch %d" % (sid, epoch), a["ErrorCode"])


@row("R14", "produce to several partitions, one of them wrong")
def produce_several(s):
    t = s.topic(partitions=2)
    a = s.c.call("Produce", 7, {"TransactionalId": None, "Acks": -1, "TimeoutMs": 1000, "TopicData": [
        {"Name": t, "PartitionData": [{"Index": 0, "Records": wire.batch([b"a"])},
                                      {"Index": 1, "Records": wire.batch([b"a"], crc=3)},
                                      {"Index": 2, "Records": wire.batch([b"a"])}]}]})
    s.rec("codes", sorted((p["Index"], p["ErrorCode"], p["BaseOffset"])
                          for p in a["Responses"][0]["PartitionResponses"]))
    a = s.c.call("Produce", 7, {"TransactionalId": None, "Acks": -1, "TimeoutMs": 1000,
                                "TopicData": []})
    s.rec("nothing", a["Responses"])


@row("R15", "a batch whose records do not fit its header")
def odd_records(s):
    t = s.topic()
    good = wire.batch([b"abc"])
    tail = good[21:-4] + b"\x7f" + good[-3:]
    crc = wire.crc32c(tail).to_bytes(4, "big")
    s.rec("garbled", s.produce_raw(t, 0, good[:17] + crc + tail)["ErrorCode"])
    s.rec("end", s.lo(t, 0, -1))


@row("R16", "AlterConfigs changes what is accepted")
def alter(s):
    t = s.topic()
    s.produce(t, 0, b"x" * 600)
    a = s.c.call("IncrementalAlterConfigs", 0, {"Resources": [
        {"ResourceType": 2, "ResourceName": t, "Configs": [
            {"Name": "max.message.bytes", "ConfigOperation": 0, "Value": "500"}]}],
        "ValidateOnly": False})
    s.rec("alter", a["Responses"][0]["ErrorCode"])
    s.rec("refused", s.until(lambda: s.produce(t, 0, b"x" * 600)[0], lambda c: c == 10))
    a = s.c.call("AlterConfigs", 1, {"Resources": [
        {"ResourceType": 2, "ResourceName": t, "Configs": []}], "ValidateOnly": False})
    s.rec("reset", a["Responses"][0]["ErrorCode"])
    s.rec("accepted", s.until(lambda: s.produce(t, 0, b"x" * 600)[0], lambda c: c == 0))
    a = s.c.call("IncrementalAlterConfigs", 0, {"Resources": [
        {"ResourceType": 2, "ResourceName": wire.unique("no"), "Configs": []},
        {"ResourceType": 2, "ResourceName": t, "Configs": [
            {"Name": "no.such", "ConfigOperation": 0, "Value": "5"}]}], "ValidateOnly": False})
    s.rec("wrong", [r["ErrorCode"] for r in a["Responses"]])


@row("S01", "a member that joins and never asks for its assignment")
def never_syncs(s):
    g = wire.unique("group")
    a, b = s.connect(), s.connect()
    one, n = s.stable_member(g, conn=a, rebalance=1000)
    s.name("member", one)
    s.join_send(b, g, rebalance=1000)
    two = b.recv()["MemberId"]
    s.join_send(b, g, member=two, rebalance=1000)
    s.until(lambda: s.beat(g, one, n), lambda c: c == 27)
    x = s.join(g, member=one, conn=a, rebalance=1000)
    s.rec("together", s.joined(x), b.recv()["ErrorCode"])
    s.rec("leader", s.sync(g, one, x["GenerationId"], [(one, b"x"), (two, b"y")], conn=a))
    s.rec("then a rebalance", s.until(lambda: s.beat(g, one, x["GenerationId"], conn=a),
                                      lambda c: c == 27))
    s.rec("the other is out", s.beat(g, two, x["GenerationId"]))


@row("S02", "a leader that does not assign")
def leader_stalls(s):
    g = wire.unique("group")
    a = s.join(g, rebalance=1000)
    one, n = a["MemberId"], a["GenerationId"]
    s.rec("completing", s.group_state(g)[1], s.beat(g, one, n))
    s.rec("gone", s.until(lambda: s.group_state(g), lambda x: x[2] == 0)[1])
    s.rec("heartbeat", s.beat(g, one, n))


@row("S03", "heartbeat and sync while the group prepares")
def preparing(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    c = s.connect()
    s.join_send(c, g)
    two = c.recv()["MemberId"]
    s.join_send(c, g, member=two)
    s.until(lambda: s.group_state(g), lambda x: x[1] == "PreparingRebalance")
    s.rec("old member", s.beat(g, one, n), s.sync(g, one, n)[0])
    s.rec("joining member", s.beat(g, two, n), s.sync(g, two, n)[0])
    s.rec("describe", s.group_state(g))
    s.rec("leave", s.leave(g, one))
    b = c.recv()
    s.rec("alone", b["ErrorCode"], b["GenerationId"] - n, len(b["Members"]))


@row("S04", "the joining member goes before the others have come")
def joiner_leaves(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    c = s.connect()
    s.join_send(c, g)
    two = c.recv()["MemberId"]
    s.join_send(c, g, member=two)
    s.until(lambda: s.group_state(g), lambda x: x[1] == "PreparingRebalance")
    s.rec("leave", s.leave(g, two))
    s.rec("its join", c.recv()["ErrorCode"])
    a = s.join(g, member=one)
    s.rec("first", a["ErrorCode"], a["GenerationId"] - n, len(a["Members"]))


@row("S05", "a follower joins again without a change")
def follower_rejoins(s):
    g = wire.unique("group")
    a, b = s.connect(), s.connect()
    one, n = s.stable_member(g, conn=a)
    s.name("member", one)
    s.join_send(b, g)
    two = b.recv()["MemberId"]
    s.name("member", two)
    s.join_send(b, g, member=two)
    s.until(lambda: s.beat(g, one, n), lambda c: c == 27)
    x = s.join(g, member=one, conn=a)
    y = b.recv()
    b.send("SyncGroup", 3, s.sync_body(g, two, y["GenerationId"]))
    s.rec("only one assigned", s.sync(g, one, x["GenerationId"], [(one, b"x")], conn=a))
    r = b.recv()
    s.rec("the other", r["ErrorCode"], r["Assignment"])
    s.rec("rejoin", s.joined(s.join(g, member=two, conn=b)))
    s.rec("no rebalance", s.beat(g, one, x["GenerationId"], conn=a))
    b.send("JoinGroup", 5, s.join_body(g, member=two, protocols=(("range", b"other"),)))
    s.rec("with other metadata", s.until(lambda: s.beat(g, one, x["GenerationId"], conn=a),
                                         lambda c: c == 27))


@row("S06", "two static members, one of them restarts and one is gone for good")
def two_static(s):
    g = wire.unique("group")
    a, b = s.connect(), s.connect()
    x = s.join(g, conn=a, instance="one", session=2000, rebalance=1500)
    one = x["MemberId"]
    s.name("member", one)
    s.sync(g, one, x["GenerationId"], [(one, b"x")], "one", a)
    s.join_send(b, g, instance="two", session=2000, rebalance=1500)
    s.until(lambda: s.beat(g, one, x["GenerationId"], "one"), lambda c: c == 27)
    x = s.join(g, conn=a, member=one, instance="one", session=2000, rebalance=1500)
    y = b.recv()
    two = y["MemberId"]
    s.name("member", two)
    s.rec("join", s.joined(x), s.joined(y))
    b.send("SyncGroup", 3, s.sync_body(g, two, y["GenerationId"], (), "two"))
    s.sync(g, one, x["GenerationId"], [(one, b"x"), (two, b"y")], "one", a)
    s.rec("follower", b.recv()["Assignment"])
    c = s.connect()
    z = s.join(g, conn=c, instance="two", session=2000, rebalance=1500)
    s.rec("restarted", z["ErrorCode"], z["GenerationId"] - y["GenerationId"], len(z["Members"]),
          s.name("member", z["Leader"]))
    s.rec("assignment stays", s.sync(g, z["MemberId"], z["GenerationId"], (), "two", c))
    s.rec("no rebalance", s.beat(g, one, x["GenerationId"], "one"))


@row("S07", "a static member's session ends")
def static_session(s):
    g = wire.unique("group")
    x = s.join(g, instance="one", session=1000)
    one, n = x["MemberId"], x["GenerationId"]
    s.sync(g, one, n, [(one, b"x")], "one")
    s.until(lambda: s.group_state(g), lambda a: a[1] == "Empty")
    s.rec("gone", s.group_state(g), s.beat(g, one, n, "one"))
    s.rec("back", s.joined(s.join(g, instance="one")).replace(one, "x")[:40])


@row("S08", "LeaveGroup of a static member by its id")
def static_leave(s):
    g = wire.unique("group")
    x = s.join(g, instance="one")
    one, n = x["MemberId"], x["GenerationId"]
    s.sync(g, one, n, [(one, b"x")], "one")
    s.rec("leave", s.leave(g, one))
    s.rec("state", s.group_state(g))


@row("S09", "commits of members without generation")
def odd_commits(s):
    t, g = s.topic(), wire.unique("group")
    m, n = s.stable_member(g)
    s.rec("member, no generation", s.commit(g, t, 0, 1, m, -1))
    s.rec("generation, no member", s.commit(g, t, 0, 1, "", n))
    s.rec("instance of nobody", s.commit(g, t, 0, 1, m, n, "who"))
    s.rec("empty group", s.commit("", t, 0, 1))


@row("S10", "a group of another kind than consumer")
def other_kind(s):
    g = wire.unique("group")
    a = s.join(g, kind="connect", protocols=(("v1", b"c"), ("v0", b"d")))
    s.rec("join", s.joined(a))
    s.rec("listed", [x["ProtocolType"] for x in s.c.call("ListGroups", 0, {})["Groups"]
                     if x["GroupId"] == g])
    s.rec("as a consumer", s.join_once(g)["ErrorCode"])


@row("S11", "the order of protocols decides between equals")
def votes(s):
    g = wire.unique("group")
    a, b = s.connect(), s.connect()
    one, n = s.stable_member(g, conn=a, protocols=(("x", b""), ("y", b""), ("z", b"")))
    s.join_send(b, g, protocols=(("z", b""), ("y", b"")))
    two = b.recv()["MemberId"]
    s.join_send(b, g, member=two, protocols=(("y", b""), ("z", b"")))
    s.until(lambda: s.beat(g, one, n), lambda c: c == 27)
    first = s.join(g, member=one, conn=a, protocols=(("x", b""), ("y", b""), ("z", b"")))
    s.rec("protocol", first["ProtocolName"])


@row("S12", "a member's connection ends while its join waits")
def join_lost(s):
    g = wire.unique("group")
    one, n = s.stable_member(g)
    c = s.connect()
    s.join_send(c, g)
    two = c.recv()["MemberId"]
    s.join_send(c, g, member=two)
    s.until(lambda: s.group_state(g), lambda x: x[1] == "PreparingRebalance")
    c.close()
    a = s.join(g, member=one)
    s.rec("still counted", a["ErrorCode"], len(a["Members"]))
    d = s.connect()
    d.send("JoinGroup", 5, s.join_body(g, member=two))
    r = d.recv()
    s.rec("asks again", r["ErrorCode"], r["GenerationId"] == a["GenerationId"])
