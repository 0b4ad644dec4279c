# SPDX-License-Identifier: Apache-2.0
"""Transactions: visibility, offsets, fencing, errors, time-outs, admin."""
import time

import wire
from table import row


def begun(s, prefix="id", partitions=1, timeout=60000):
    """A topic and a producer that may begin. -> (topic, id, pid, epoch)"""
    topic = s.topic(partitions=partitions)
    txn = wire.unique(prefix)
    _, pid, epoch = s.init(txn, timeout)
    s.name("pid", pid)
    return topic, txn, pid, epoch


@row("T01 T02", "an open transaction: hidden from read_committed, seen by read_uncommitted")
def open_txn(s):
    t, x, pid, e = begun(s)
    s.produce(t, 0, b"plain")
    s.rec("add", s.add(x, pid, e, (t, 0)))
    s.rec("produce", *s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0))
    s.rec("committed", s.fetch(t, 0, 0, 1))
    s.rec("uncommitted", s.fetch(t, 0, 0, 0))
    s.end(x, pid, e, False)
    s.rec("end", s.stable(t))


@row("T03", "after commit visible; the marker takes one offset")
def commit(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, [b"a", b"b"], x, pid=pid, epoch=e, seq=0)
    s.rec("end", s.end(x, pid, e, True), s.stable(t))
    s.rec("committed", s.fetch(t, 0, 0, 1))
    s.rec("next", *s.produce(t, 0, b"plain"))


@row("T04", "aborted: in the index of aborted transactions, with an abort marker")
def abort(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("end", s.end(x, pid, e, False), s.stable(t))
    s.rec("committed", s.fetch(t, 0, 0, 1))
    s.rec("uncommitted", s.fetch(t, 0, 0, 0))
    s.rec("behind", s.fetch(t, 0, 1, 1))
    s.rec("visible", s.visible(t, 0))


@row("T05", "two producers interleaved, one commits, one aborts")
def interleaved(s):
    t, x, pid, e = begun(s)
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.name("pid", qid)
    s.add(x, pid, e, (t, 0))
    s.add(y, qid, f, (t, 0))
    for i in range(3):
        s.produce(t, 0, b"x%d" % i, x, pid=pid, epoch=e, seq=i)
        s.produce(t, 0, b"y%d" % i, y, pid=qid, epoch=f, seq=i)
    s.end(y, qid, f, False)
    s.settled(y)
    s.end(x, pid, e, True)
    s.rec("end", s.stable(t))
    s.rec("visible", s.visible(t, 0))
    s.rec("all", s.fetch(t, 0, 0, 1))


@row("T06 T07", "the last stable offset waits for the oldest open transaction")
def blocked(s):
    t, x, pid, e = begun(s)
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"x", x, pid=pid, epoch=e, seq=0)
    s.rec("plain", *s.produce(t, 0, b"plain"))
    s.add(y, qid, f, (t, 0))
    s.produce(t, 0, b"y", y, pid=qid, epoch=f, seq=0)
    s.end(y, qid, f, True)
    s.settled(y)
    s.rec("blocked", s.fetch(t, 0, 0, 1))
    s.end(x, pid, e, True)
    s.rec("moves", s.stable(t), s.visible(t, 0))


@row("T08", "ListOffsets latest by isolation")
def latest(s):
    t, x, pid, e = begun(s)
    s.produce(t, 0, b"plain")
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("open", s.lo(t, 0, -1, 0), s.lo(t, 0, -1, 1), s.lo(t, 0, -2, 1))
    s.end(x, pid, e, False)
    s.rec("closed", s.stable(t))


@row("T09", "a waiting read_committed fetch wakes on commit")
def wakes(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    c = s.connect()
    c.send("Fetch", 11, s.fetch_body(t, 0, 0, iso=1, wait=5000))
    s.rec("waits", c.quiet_for(0.3))
    began = time.time()
    s.end(x, pid, e, True)
    a = c.recv()["Responses"][0]["Partitions"][0]
    s.rec("woken", time.time() - began < 3, bool(a["Records"]))


@row("T10 m2", "markers in every partition that was added, written to or not")
def markers(s):
    t, x, pid, e = begun(s, partitions=3)
    s.rec("add", s.add(x, pid, e, (t, 0), (t, 1), (t, 2)))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.produce(t, 2, b"b", x, pid=pid, epoch=e, seq=0)
    s.end(x, pid, e, True)
    s.rec("state", *s.settled(x))
    for p in range(3):
        s.rec("partition %d" % p, s.fetch(t, p, 0, 0))


@row("m16", "aborted transactions are listed in order of completion")
def abort_order(s):
    t, x, pid, e = begun(s)
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.name("pid", qid)
    s.add(x, pid, e, (t, 0))
    s.add(y, qid, f, (t, 0))
    s.produce(t, 0, b"x", x, pid=pid, epoch=e, seq=0)
    s.produce(t, 0, b"y", y, pid=qid, epoch=f, seq=0)
    s.end(y, qid, f, False)
    s.settled(y)
    s.end(x, pid, e, False)
    s.settled(x)
    s.stable(t)
    s.rec("all", s.fetch(t, 0, 0, 1))
    s.rec("tail", s.fetch(t, 0, 3, 1))


@row("m17", "offsets by timestamp in read_committed")
def by_time_committed(s):
    t, x, pid, e = begun(s)
    base = int(time.time() * 1000) - 100000
    s.produce(t, 0, b"plain", ts=base)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0, ts=base + 10)
    s.rec("open", s.lo(t, 0, base, 1), s.lo(t, 0, base + 5, 1), s.lo(t, 0, base + 5, 0))
    s.end(x, pid, e, False)
    s.stable(t)
    s.rec("aborted", s.lo(t, 0, base + 5, 1))


@row("O01", "offsets of a transaction show at commit")
def txn_offsets(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.rec("commit", s.commit(g, t, 0, 3))
    s.rec("add", s.add_offsets(x, pid, e, g))
    s.rec("offset", s.txn_commit(x, pid, e, g, t, 0, 7))
    s.rec("before", s.committed(g, t))
    s.rec("end", s.end(x, pid, e, True))
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True))


@row("O02", "offsets of an aborted transaction are dropped")
def aborted_offsets(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.rec("none", s.committed(g, t))
    s.add_offsets(x, pid, e, g)
    s.rec("offset", s.txn_commit(x, pid, e, g, t, 0, 7))
    s.end(x, pid, e, False)
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True))


@row("O03", "a stable OffsetFetch says 88 while an offset is held")
def unstable(s):
    t, x, pid, e = begun(s, partitions=2)
    g = wire.unique("group")
    s.commit(g, t, 0, 3)
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 7)
    s.txn_commit(x, pid, e, g, t, 1, 8)
    s.rec("stable", s.committed(g, t, 0, True), s.committed(g, t, 1, True))
    s.rec("plain", s.committed(g, t, 0, False), s.committed(g, t, 1, False))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True), s.committed(g, t, 1, True))


@row("O04 m12", "who may commit offsets in a transaction: a stable group")
def txn_members(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    member, generation = s.stable_member(g)
    s.add_offsets(x, pid, e, g)
    ask = lambda **how: s.txn_commit(x, pid, e, g, t, 0, 1, **how)
    s.rec("unknown member", ask(member="nobody", generation=generation))
    s.rec("old generation", ask(member=member, generation=generation - 1))
    s.rec("new generation", ask(member=member, generation=generation + 1))
    s.rec("no member, no generation", ask())
    s.rec("version 2", ask(version=2))
    s.rec("right", ask(member=member, generation=generation))
    s.rec("unknown instance", ask(member=member, generation=generation, instance="i"))
    s.rec("plain without member", s.commit(g, t, 0, 1))
    s.end(x, pid, e, False)


@row("O04 m12", "who may commit offsets in a transaction: a group that rebalances")
def txn_members_rebalance(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    member, generation = s.stable_member(g)
    s.add_offsets(x, pid, e, g)
    second = s.connect()
    s.join_send(second, g)
    other = second.recv()["MemberId"]
    s.join_send(second, g, member=other)
    s.until(lambda: s.group_state(g), lambda a: a[1] == "PreparingRebalance")
    s.rec("preparing", s.txn_commit(x, pid, e, g, t, 0, 1, member, generation),
          s.commit(g, t, 0, 1, member, generation), s.beat(g, member, generation))
    a = s.join(g, member=member)
    b = second.recv()
    s.rec("completing, new generation", a["GenerationId"] - generation, b["ErrorCode"],
          s.txn_commit(x, pid, e, g, t, 0, 1, member, a["GenerationId"]),
          s.commit(g, t, 0, 1, member, a["GenerationId"]))
    s.rec("completing, old generation", s.txn_commit(x, pid, e, g, t, 0, 1, member, generation),
          s.commit(g, t, 0, 1, member, generation))
    s.end(x, pid, e, False)


@row("m13", "an evicted member of a group that is empty now")
def evicted(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    member, generation = s.stable_member(g, session=1000)
    s.until(lambda: s.group_state(g), lambda a: a[1] == "Empty")
    s.add_offsets(x, pid, e, g)
    s.rec("in a transaction", s.txn_commit(x, pid, e, g, t, 0, 1, member, generation))
    s.rec("plain", s.commit(g, t, 0, 1, member, generation))
    s.rec("heartbeat", s.beat(g, member, generation))
    s.end(x, pid, e, False)


@row("O05", "TxnOffsetCommit without AddOffsetsToTxn")
def offsets_not_added(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.rec("empty", s.txn_commit(x, pid, e, g, t, 0, 1))
    s.add(x, pid, e, (t, 0))
    s.rec("ongoing", s.txn_commit(x, pid, e, g, t, 0, 1))
    s.end(x, pid, e, False)


@row("m11", "of plain and transactional offsets the later record wins")
def later_record(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 10)
    s.rec("plain", s.commit(g, t, 0, 20))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("stays", s.committed(g, t, 0, True))
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.add_offsets(x, pid, e, g)
    s.add_offsets(y, qid, f, g)
    s.txn_commit(x, pid, e, g, t, 0, 30)
    s.txn_commit(y, qid, f, g, t, 0, 40)
    s.end(y, qid, f, True)
    s.settled(y)
    s.rec("one pends", s.committed(g, t, 0, True), s.committed(g, t, 0, False))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("stays", s.committed(g, t, 0, True))


@row("m14", "DeleteGroups drops an offset that a transaction holds")
def delete_group_pending(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.commit(g, t, 0, 5)
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 7)
    a = s.c.call("DeleteGroups", 1, {"GroupsNames": [g]})
    s.rec("delete", a["Results"][0]["ErrorCode"])
    s.rec("end", s.end(x, pid, e, True))
    s.settled(x)
    s.rec("gone", s.committed(g, t, 0, True))


@row("F01", "InitProducerId again: the same producer id, the next epoch")
def init_again(s):
    x = wire.unique("id")
    for version in (1, 3, 4, 4):
        code, pid, epoch = s.init(x, version=version)
        s.rec("version %d" % version, code, s.name("pid", pid), epoch)


@row("F02 F03 F04 F05 F06", "a fenced producer inside its transaction")
def zombie(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("init", *[s.init(x)[i] for i in (0, 2)])
    s.rec("produce", s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1)[0])
    s.rec("add", s.add(x, pid, e, (t, 0)), s.add(x, pid, e, (t, 0), version=0))
    s.rec("end", s.end(x, pid, e, True), s.end(x, pid, e, False, version=0))
    s.rec("add offsets", s.add_offsets(x, pid, e, g))
    s.rec("offsets", s.txn_commit(x, pid, e, g, t, 0, 1))
    s.stable(t)
    s.rec("log", s.fetch(t, 0, 0, 1))


@row("F15", "a fenced producer while the new owner has no transaction")
def zombie_idle(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.end(x, pid, e, True)
    s.settled(x)
    s.init(x)
    s.rec("produce", s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1)[0])
    s.rec("partition never written", s.produce(s.topic(), 0, b"b", x, pid=pid, epoch=e, seq=0)[0])


@row("F07 F08 F16 m1 m3", "InitProducerId over an open transaction")
def init_over_open(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("first", s.init_raw(x)["ErrorCode"])
    code, other, epoch = s.init(x)
    s.rec("then", code, s.name("pid", other), epoch - e)
    s.stable(t)
    s.rec("log", s.fetch(t, 0, 0, 1))
    s.add(x, other, epoch, (t, 0))
    s.rec("goes on", *s.produce(t, 0, b"b", x, pid=other, epoch=epoch, seq=0))
    s.rec("end", s.end(x, other, epoch, True), s.stable(t), s.visible(t, 0))


@row("F09", "InitProducerId with an expected epoch (KIP-360)")
def expected_epoch(s):
    t, x, pid, e = begun(s)
    s.rec("bump", *[s.init(x, pid=pid, epoch=e)[i] for i in (0, 2)])
    s.rec("retry", *[s.init(x, pid=pid, epoch=e)[i] for i in (0, 2)])
    s.rec("next", *[s.init(x, pid=pid, epoch=e + 1)[i] for i in (0, 2)])
    s.rec("stale", *[s.init(x, pid=pid, epoch=e)[i] for i in (0, 2)])
    s.rec("stale, version 3", *[s.init(x, pid=pid, epoch=e, version=3)[i] for i in (0, 2)])
    s.rec("another pid", s.init(x, pid=pid + 1000000, epoch=e)[0])
    s.rec("pid without epoch", s.init(x, pid=pid, epoch=-1)[0])
    s.init(x)
    s.rec("after a new owner", s.init(x, pid=pid, epoch=e + 2)[0])


@row("F10", "a producer id that is not the owner's")
def wrong_pid(s):
    t, x, pid, e = begun(s)
    s.rec("add", s.add(x, pid + 1000000, e, (t, 0)))
    s.rec("end", s.end(x, pid + 1000000, e, True))
    s.rec("offsets", s.add_offsets(x, pid + 1000000, e, "g"))
    s.rec("unknown id", s.add(wire.unique("no"), pid, e, (t, 0)), s.end(wire.unique("no"), pid, e, True))
    s.add(x, pid, e, (t, 0))
    s.rec("produce", s.produce(t, 0, b"a", x, pid=pid + 1000000, epoch=e, seq=0)[0])
    s.rec("produce, unknown id",
          s.produce(t, 0, b"a", wire.unique("no"), pid=pid + 1000000, epoch=e, seq=0)[0])
    s.end(x, pid, e, False)


@row("F11", "EndTxn: empty, repeated, the other outcome")
def end_rules(s):
    t, x, pid, e = begun(s)
    s.rec("empty", s.end(x, pid, e, True), s.end(x, pid, e, False))
    s.add(x, pid, e, (t, 0))
    s.rec("commit", s.end(x, pid, e, True))
    s.settled(x)
    s.rec("again", s.end(x, pid, e, True), s.end(x, pid, e, False))
    s.add(x, pid, e, (t, 0))
    s.rec("abort", s.end(x, pid, e, False))
    s.settled(x)
    s.rec("again", s.end(x, pid, e, False), s.end(x, pid, e, True))
    s.rec("higher epoch", s.end(x, pid, e + 1, True))


@row("F12 F13", "what InitProducerId refuses")
def init_refused(s):
    x = wire.unique("id")
    s.rec("timeout", s.init(x, timeout=900001)[0], s.init(x, timeout=0)[0], s.init(x, timeout=-1)[0])
    s.rec("at the limit", s.init(x, timeout=900000)[0])
    s.rec("empty id", s.init("")[0])


@row("F14 m7", "a transactional batch for a partition that was never added")
def not_added(s):
    t, x, pid, e = begun(s, partitions=2)
    s.rec("no transaction", s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)[0])
    s.add(x, pid, e, (t, 0))
    s.rec("another partition", s.produce(t, 1, b"a", x, pid=pid, epoch=e, seq=0)[0])
    s.rec("without an id", s.produce(t, 1, b"a", None, pid=pid, epoch=e, seq=0, txn=True)[0])
    s.rec("added", *s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("after the end", s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1)[0])
    s.rec("log", s.stable(t), s.fetch(t, 1, 0))


@row("m8", "the first sequence in a partition")
def first_sequence(s):
    t, x, pid, e = begun(s, partitions=2)
    s.add(x, pid, e, (t, 0), (t, 1))
    s.rec("nine", *s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=9))
    s.end(x, pid, e, False)
    s.settled(x)
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.rec("refused with zero", s.produce(t, 1, b"a", y, pid=qid, epoch=f, seq=0)[0])
    s.add(y, qid, f, (t, 1))
    s.rec("then nine", s.produce(t, 1, b"a", y, pid=qid, epoch=f, seq=9)[0])
    s.rec("then zero", *s.produce(t, 1, b"a", y, pid=qid, epoch=f, seq=0))
    s.end(y, qid, f, False)


@row("m27", "a batch without the transactional bit inside a transaction; acks 1")
def bit_missing(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("no bit", s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1, txn=False)[0])
    s.rec("acks 1", *s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1, acks=1))
    s.end(x, pid, e, False)


@row("m15", "DeleteRecords over an open transaction")
def trim_open(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.produce(t, 0, b"plain")
    s.rec("trim", *s.trim(t, 0, 1))
    s.produce(t, 0, b"more")
    s.rec("hidden", s.fetch(t, 0, 1, 1))
    s.rec("trim all", *s.trim(t, 0, -1))
    s.produce(t, 0, b"last")
    s.rec("hidden", s.lo(t, 0, -1, 1), s.lo(t, 0, -1, 0))
    s.end(x, pid, e, False)
    s.rec("closed", s.stable(t), s.visible(t, 0))


@row("m18", "WriteTxnMarkers: repeated, with nothing open, an older coordinator")
def write_markers(s):
    t, x, pid, e = begun(s)
    ask = lambda epoch, commit, coordinator: s.c.call("WriteTxnMarkers", 1, {"Markers": [
        {"ProducerId": pid, "ProducerEpoch": epoch, "TransactionResult": commit,
         "CoordinatorEpoch": coordinator, "Topics": [{"Name": t, "PartitionIndexes": [0]}]}]}
    )["Markers"][0]["Topics"][0]["Partitions"][0]["ErrorCode"]
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("commit", ask(e, True, 5), s.stable(t), s.visible(t, 0))
    s.rec("again", ask(e, True, 5))
    s.rec("lower coordinator", ask(e, True, 4))
    s.rec("log", s.fetch(t, 0, 0, 1))


@row("X01 m4", "a transaction whose time is over")
def timed_out(s):
    t, x, pid, e = begun(s, timeout=1000)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("moves", s.stable(t), s.visible(t, 0) == "")
    s.settled(x)
    s.rec("state", *s.txn_state(x))
    s.rec("end", s.end(x, pid, e, True), s.end(x, pid, e, False))
    s.rec("produce", s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1)[0])
    s.rec("add", s.add(x, pid, e, (t, 0)))
    s.rec("log", s.fetch(t, 0, 0, 1))


@row("m5", "InitProducerId with the epoch of before the time-out")
def timed_out_init(s):
    t, x, pid, e = begun(s, timeout=1000)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.stable(t)
    s.settled(x)
    code, other, epoch = s.init(x, pid=pid, epoch=e)
    s.rec("init", code, s.name("pid", other), epoch)
    s.rec("again", *[s.init(x, pid=pid, epoch=e)[i] for i in (0, 2)])


@row("A01 A02", "ListTransactions and DescribeTransactions")
def describe(s):
    t, x, pid, e = begun(s, partitions=2, timeout=30000)

    def listed(states):
        a = s.c.call("ListTransactions", 0, {"StateFilters": states, "ProducerIdFilters": [pid]})
        return a["ErrorCode"], a["UnknownStateFilters"], [v["TransactionState"]
                                                          for v in a["TransactionStates"]]
    s.rec("empty", *listed([]))
    s.add(x, pid, e, (t, 0), (t, 1))
    s.rec("ongoing", listed([]), listed(["Ongoing"]), listed(["Empty"]), listed(["Nonsense"]))
    a = s.c.call("DescribeTransactions", 0, {"TransactionalIds": [x, wire.unique("no")]})
    for v in a["TransactionStates"]:
        s.rec("described", v["ErrorCode"], v["TransactionState"], v["TransactionTimeoutMs"],
              v["TransactionStartTimeMs"] > 0, s.name("pid", v["ProducerId"]), v["ProducerEpoch"],
              [sorted(x["Partitions"]) for x in v["Topics"]])
    s.end(x, pid, e, True)
    s.settled(x)
    a = s.c.call("DescribeTransactions", 0, {"TransactionalIds": [x]})["TransactionStates"][0]
    s.rec("complete", a["TransactionState"], a["Topics"], a["TransactionStartTimeMs"] > 0)


@row("A03", "DescribeProducers")
def producers(s):
    t, x, pid, e = begun(s)

    def shown():
        a = s.c.call("DescribeProducers", 0, {"Topics": [{"Name": t, "PartitionIndexes": [0, 7]}]})
        ps = a["Topics"][0]["Partitions"]
        return [(p["ErrorCode"], [(s.name("pid", v["ProducerId"]), v["ProducerEpoch"],
                                   v["LastSequence"], v["CoordinatorEpoch"],
                                   v["CurrentTxnStartOffset"]) for v in p["ActiveProducers"]])
                for p in ps]
    s.rec("none", shown())
    s.produce(t, 0, b"plain")
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, [b"a", b"b"], x, pid=pid, epoch=e, seq=0)
    s.rec("open", shown())
    s.end(x, pid, e, True)
    s.stable(t)
    s.rec("closed", shown())


@row("D04", "a topic is deleted under an open transaction")
def delete_open(s):
    t, x, pid, e = begun(s)
    other = s.topic()
    s.add(x, pid, e, (t, 0), (other, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.produce(other, 0, b"b", x, pid=pid, epoch=e, seq=0)
    s.rec("delete", s.delete(t))
    s.rec("end", s.end(x, pid, e, True), s.stable(other))
    s.rec("state", s.settled(x)[1])
    s.rec("goes on", s.add(x, pid, e, (other, 0)))
    s.end(x, pid, e, False)


@row("D05", "AddPartitionsToTxn with an unknown topic")
def add_unknown(s):
    t, x, pid, e = begun(s)
    s.rec("both", sorted(s.add_raw(x, pid, e, [(t, 0), (wire.unique("no"), 0)])))
    s.rec("no such partition", sorted(s.add_raw(x, pid, e, [(t, 0), (t, 9)])))
    s.rec("state", s.txn_state(x)[1])
    s.rec("empty id", s.add_raw("", pid, e, [(t, 0)]))


@row("B01", "the connection of an open transaction ends")
def connection_ends(s):
    t, x, pid, e = begun(s)
    c, own = s.c, s.connect()
    s.c = own
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.c = c
    own.close()
    time.sleep(0.3)
    s.rec("still open", s.txn_state(x)[1], s.lo(t, 0, -1, 1))
    s.rec("end", s.end(x, pid, e, True), s.stable(t))


@row("m9", "EndTxn applied, then a new owner: the late answer says fenced, the log says committed")
def late_end(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.end(x, pid, e, True)
    s.settled(x)
    s.init(x)
    s.rec("retry", s.end(x, pid, e, True))
    s.rec("visible", s.stable(t), s.visible(t, 0))
