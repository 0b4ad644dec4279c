# SPDX-License-Identifier: Apache-2.0
"""What was begun in something that has left meanwhile: DeleteRecords inside of transactions, offsets
that are deleted while a transaction has newer ones, topics that are made anew."""
import wire
from rows_txn import begun
from table import row


@row("m15", "DeleteRecords inside a batch of an open transaction, which is committed then")
def trim_inside_then_commit(s):
    trim_inside(s, True)


@row("m15", "DeleteRecords inside a batch of an open transaction, which is aborted then")
def trim_inside_then_abort(s):
    trim_inside(s, False)


def trim_inside(s, commit):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, [b"a", b"b", b"c", b"d"], x, pid=pid, epoch=e, seq=0)
    s.produce(t, 0, b"plain")
    s.rec("trim", *s.trim(t, 0, 2))
    for at in range(1, 6):
        s.rec("open, from %d" % at, s.fetch(t, 0, at, 1))
    s.rec("uncommitted", s.fetch(t, 0, 2, 0))
    s.rec("by time", s.lo(t, 0, 0, 1), s.lo(t, 0, 0, 0), s.lo(t, 0, -1, 1))
    s.rec("visible", s.visible(t, 0))
    s.end(x, pid, e, commit)
    s.rec("ended", s.stable(t), s.visible(t, 0))
    for at in range(2, 7):
        s.rec("ended, from %d" % at, s.fetch(t, 0, at, 1))
    s.rec("by time", s.lo(t, 0, 0, 1))


@row("m15", "DeleteRecords inside a batch behind an open transaction")
def trim_behind(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, [b"a", b"b"], x, pid=pid, epoch=e, seq=0)
    s.produce(t, 0, [b"plain", b"more", b"last"])
    s.produce(t, 0, [b"c", b"d"], x, pid=pid, epoch=e, seq=2)
    for start in (1, 2, 3, 4, 5, 6, 7):
        s.rec("trim", *s.trim(t, 0, start))
        s.rec("from %d" % start, s.fetch(t, 0, start, 1), s.lo(t, 0, -1, 1))
    s.produce(t, 0, [b"e", b"f"], x, pid=pid, epoch=e, seq=4)
    s.rec("from 7", s.fetch(t, 0, 7, 1), s.visible(t, 0))
    s.rec("trim", *s.trim(t, 0, 8))
    s.rec("from 8", s.fetch(t, 0, 8, 1), s.visible(t, 0))
    s.end(x, pid, e, True)
    s.rec("ended", s.stable(t), s.fetch(t, 0, 8, 1), s.visible(t, 0))


@row("m16", "aborted transactions below, across and above the start of the log")
def aborted_and_trimmed(s):
    t, x, pid, e = begun(s)
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.name("pid", qid)
    s.add(y, qid, f, (t, 0))
    s.produce(t, 0, b"long", y, pid=qid, epoch=f, seq=0)
    for i in range(3):
        s.add(x, pid, e, (t, 0))
        s.produce(t, 0, b"short%d" % i, x, pid=pid, epoch=e, seq=i)
        s.end(x, pid, e, False)
        s.settled(x)
    s.end(y, qid, f, False)
    s.rec("end", s.stable(t))
    for start in (0, 2, 3, 4, 7, 8):
        s.rec("trim", *s.trim(t, 0, start))
        s.rec("from %d" % start, s.fetch(t, 0, start, 1), s.visible(t, 0))


def delete_offset(s, group, topic):
    a = s.c.call("OffsetDelete", 0, {"GroupId": group, "Topics": [
        {"Name": topic, "Partitions": [{"PartitionIndex": 0}]}]})
    return a["ErrorCode"], a["Topics"][0]["Partitions"][0]["ErrorCode"] if a["Topics"] else None


@row("m14", "OffsetDelete while a transaction has an offset, too")
def delete_held(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.commit(g, t, 0, 5)
    s.add_offsets(x, pid, e, g)
    s.rec("held", s.txn_commit(x, pid, e, g, t, 0, 9), s.committed(g, t, 0, True))
    s.rec("delete", *delete_offset(s, g, t))
    s.rec("stable", s.committed(g, t, 0, True))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("ended", s.committed(g, t, 0, True))


@row("m14", "OffsetDelete of what only a transaction has")
def delete_only_held(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.add_offsets(x, pid, e, g)
    s.rec("held", s.txn_commit(x, pid, e, g, t, 0, 9), s.committed(g, t, 0, True))
    s.rec("delete", *delete_offset(s, g, t))
    s.rec("stable", s.committed(g, t, 0, True))
    s.end(x, pid, e, True)
    s.settled(x)
    s.rec("ended", s.committed(g, t, 0, True))


@row("F06", "offsets of a fenced producer when nothing is verified",
     needs="transaction.partition.verification.enable")
def zombie_not_verified(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.add_offsets(x, pid, e, g)
    s.rec("before", s.txn_commit(x, pid, e, g, t, 0, 1))
    _, _, now = s.init(x)
    s.rec("epoch", now - e)
    s.rec("zombie", s.txn_commit(x, pid, e, g, t, 0, 2))
    s.rec("committed", s.committed(g, t, 0, True))


def make_anew(s, topic, partitions):
    s.delete(topic)
    s.until(lambda: s.lo_raw(topic, 0, -1)["ErrorCode"], lambda code: code == 3)
    s.until(lambda: s.create(topic, partitions), lambda code: code == 0)
    for p in range(partitions):
        s.until(lambda p=p: s.lo_raw(topic, p, -1)["ErrorCode"], lambda code: code == 0)


def partitions_of(s, txn):
    a = s.c.call("DescribeTransactions", 0, {"TransactionalIds": [txn]})["TransactionStates"][0]
    return a["TransactionState"], sorted(p for t in a["Topics"] for p in t["Partitions"])


@row("D04", "a topic is made anew under an open transaction")
def anew_open(s):
    t, x, pid, e = begun(s, partitions=3)
    s.add(x, pid, e, (t, 0), (t, 1), (t, 2))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    make_anew(s, t, 2)
    s.rec("still", *partitions_of(s, x))
    s.rec("goes on", *s.produce(t, 0, b"b", x, pid=pid, epoch=e, seq=1))
    s.rec("hidden", s.fetch(t, 0, 0, 1))
    s.rec("end", s.end(x, pid, e, True), s.settled(x)[1], s.stable(t))
    s.rec("written to", s.fetch(t, 0, 0, 1))
    s.rec("only added", s.fetch(t, 1, 0, 1))


@row("D04", "a topic is deleted under an open transaction that has no other")
def gone_open(s):
    t, x, pid, e = begun(s)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.delete(t)
    s.until(lambda: s.lo_raw(t, 0, -1)["ErrorCode"], lambda code: code == 3)
    s.rec("still", *partitions_of(s, x))
    s.rec("end", s.end(x, pid, e, True), s.settled(x)[1])
