# SPDX-License-Identifier: Apache-2.0
"""The flexible versions: Produce and Fetch, by id, and fetch sessions."""
import wire
from rows_flex import NO_ID, plain, topic_id
from rows_versions import each

# ---- produce -------------------------------------------------------------------------------------

def produced(s, v, label, parts, acks=-1, txn=None, topics=None):
    """parts: (topic, id, partition, blob)"""
    data = [dict({"TopicId": i} if v >= 13 else {"Name": n},
                 PartitionData=[{"Index": p, "Records": b}]) for n, i, p, b in parts]
    a = s.c.call("Produce", v, {"TransactionalId": txn, "Acks": acks, "TimeoutMs": 5000,
                                "TopicData": data if topics is None else topics})
    for t in a["Responses"]:
        for p in t["PartitionResponses"]:
            p["RecordErrors"] = [(e["BatchIndex"], bool(e["BatchIndexErrorMessage"]))
                                 for e in p.get("RecordErrors", [])]
            if p["LogAppendTimeMs"] > 0:
                p["LogAppendTimeMs"] = "a time"
    s.rec(label, plain(s, a))


@each("Produce", 8, 13, "Produce")
def produce(s, v):
    t, no = s.topic(), wire.unique("no")
    stamped = s.topic("stamped", message_timestamp_type="LogAppendTime")
    small = s.topic("small", max_message_bytes=200)
    ids = [topic_id(s, n) for n in (t, stamped, small)]

    def go(label, blob, name=t, tid=None, p=0, **how):
        produced(s, v, label, [(name, tid or ids[0], p, blob)], **how)
    go("good", wire.batch([b"a", b"b"]))
    go("stamped", wire.batch([b"a"]), stamped, ids[1])
    go("unknown topic", wire.batch([b"a"]), no, b"\7" * 16)
    go("no topic", wire.batch([b"a"]), "", NO_ID)
    go("unknown partition", wire.batch([b"a"]), p=7)
    go("crc", wire.batch([b"a"], crc=5))
    go("magic", wire.batch([b"a"], magic=1))
    go("too large", wire.batch([b"x" * 300]), small, ids[2])
    go("control", wire.batch([b"a"], attributes=32))
    go("count", wire.batch([b"a"], count=2, last_delta=1))
    go("in the future", wire.batch([b"a", b"b"], ts=[5, 9000000000000]))
    go("nothing", b"")
    go("two batches", wire.batch([b"a"]) + wire.batch([b"b"]))
    go("gap", wire.batch([b"a"], pid=7, epoch=0, seq=5))
    go("half a producer", wire.batch([b"a"], pid=7, epoch=-1, seq=-1))
    go("of no transaction", wire.batch([b"a"], pid=7, epoch=0, seq=0, txn=True))
    go("acks", wire.batch([b"a"]), acks=2)
    produced(s, v, "no partitions", [], topics=[
        dict({"TopicId": ids[0]} if v >= 13 else {"Name": t}, PartitionData=[])])
    produced(s, v, "no topics", [], topics=[])
    s.rec("end", s.lo(t, 0, -1), s.fetch(t, 0, 0))


@each("Produce", 8, 13, "Produce of a transaction")
def produce_txn(s, v):
    t, x = s.topic(), wire.unique("id")
    tid = topic_id(s, t)
    _, pid, e = s.init(x)
    blob = lambda seq: wire.batch([b"a"], pid=pid, epoch=e, seq=seq, txn=True)
    s.add(x, pid, e, (t, 0))
    produced(s, v, "first", [(t, tid, 0, blob(0))], txn=x)
    produced(s, v, "again", [(t, tid, 0, blob(0))], txn=x)
    produced(s, v, "gap", [(t, tid, 0, blob(7))], txn=x)
    produced(s, v, "no id", [(t, tid, 0, blob(1))])
    produced(s, v, "other id", [(t, tid, 0, blob(1))], txn=wire.unique("id"))
    s.end(x, pid, e, True)
    s.rec("end", s.stable(t), s.visible(t, 0))


# ---- fetch ---------------------------------------------------------------------------------------

def fetch_body(v, parts, sid=0, epoch=-1, wait=0, forget=(), **how):
    """parts, forget: (topic, id, {partition fields})"""
    def where(n, i):
        return {"TopicId": i} if v >= 13 else {"Topic": n}

    def part(f):
        return dict({"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": 1 << 20}, **f)
    body = {"MaxWaitMs": wait, "MinBytes": 1, "MaxBytes": 1 << 20, "IsolationLevel": 0,
            "SessionId": sid, "SessionEpoch": epoch,
            "Topics": [dict(where(n, i), Partitions=[part(f) for f in fs]) for n, i, fs in parts],
            "ForgottenTopicsData": [dict(where(n, i), Partitions=ps) for n, i, ps in forget]}
    if v <= 14:
        body["ReplicaId"] = -1
    return dict(body, **how)


def fetched(s, label, v, *args, **how):
    a = s.c.call("Fetch", v, fetch_body(v, *args, **how))
    sid = a["SessionId"]
    a["SessionId"] = "a session" if sid else "none"
    for t in a["Responses"]:
        for p in t["Partitions"]:
            p["Records"] = None if p["Records"] is None else [
                r["value"] for b in wire.unbatch(p["Records"]) for r in b["records"]]
            if p["AbortedTransactions"]:
                p["AbortedTransactions"] = [(s.name("pid", x["ProducerId"]), x["FirstOffset"])
                                            for x in p["AbortedTransactions"]]
    s.rec(label, plain(s, a))
    return sid


@each("Fetch", 12, 18, "Fetch, from version 13 by id")
def fetch(s, v):
    t, u, no = s.topic(partitions=2), s.topic("u"), wire.unique("no")
    tid, uid = topic_id(s, t), topic_id(s, u)
    s.produce(t, 0, [b"a", b"b"])
    s.produce(u, 0, [b"c"])
    go = lambda label, parts, **how: fetched(s, label, v, parts, **how)
    go("two topics", [(t, tid, [{}, {"Partition": 1}]), (u, uid, [{}])])
    go("committed", [(t, tid, [{}])], IsolationLevel=1)
    go("unknown topic", [(no, b"\7" * 16, [{}])])
    go("no topic", [("", NO_ID, [{}])])
    go("unknown partition", [(t, tid, [{"Partition": 9}])])
    go("nothing", [])
    go("at the end", [(t, tid, [{"FetchOffset": 2}])])
    go("beyond", [(t, tid, [{"FetchOffset": 9}])])
    go("below", [(t, tid, [{"FetchOffset": -1}])])
    go("epoch", [(t, tid, [{"CurrentLeaderEpoch": 0}])])
    go("future epoch", [(t, tid, [{"CurrentLeaderEpoch": 5}])])
    for last in (0, 1, -1, -2):
        for at in (0, 2, 9):
            go("last epoch %d at %d" % (last, at),
               [(t, tid, [{"LastFetchedEpoch": last, "FetchOffset": at}])])
    go("one byte", [(t, tid, [{"PartitionMaxBytes": 1}]), (u, uid, [{}])], MaxBytes=1)
    s.delete(u)
    s.until(lambda: s.lo(u, 0, -1)[0], lambda e: e == 3)
    go("deleted", [(u, uid, [{}])])


@each("Fetch", 7, 18, "Fetch sessions")
def sessions(s, v):
    t, u = s.topic(partitions=2), s.topic("u")
    tid, uid = topic_id(s, t), topic_id(s, u)
    s.produce(t, 0, [b"a"])
    whole = [(t, tid, [{}, {"Partition": 1}])]
    go = lambda label, *args, **how: fetched(s, label, v, *args, **how)
    go("final: none", whole, epoch=-1)
    sid = go("new", whole, epoch=0)
    go("nothing has changed but what is not fetched yet", [], sid, 1)
    go("the offset", [(t, tid, [{"FetchOffset": 1}])], sid, 2)
    s.produce(t, 1, [b"b"])
    go("the other has data", [], sid, 3)
    go("still", [], sid, 4)
    go("wrong epoch", [], sid, 4)
    go("wrong id", [], sid ^ 1, 5)
    go("added", [(u, uid, [{}])], sid, 5)
    go("nothing new", [(t, tid, [{"Partition": 1, "FetchOffset": 1}])], sid, 6)
    go("a bad offset", [(t, tid, [{"Partition": 1, "FetchOffset": 7}])], sid, 7)
    go("still bad", [], sid, 8)
    go("good again", [(t, tid, [{"Partition": 1, "FetchOffset": 1}])], sid, 9)
    s.trim(t, 1, 1)
    go("the start has moved", [], sid, 10)
    go("forgotten", [], sid, 11, forget=[(t, tid, [1])])
    s.produce(t, 1, [b"c"])
    go("not said", [], sid, 12)
    go("forgotten twice, and what was not there", [], sid, 13, forget=[(t, tid, [1, 9])])
    s.delete(u)
    s.until(lambda: s.lo(u, 0, -1)[0], lambda e: e == 3)
    go("deleted", [], sid, 14)
    s.topic_named(u)
    s.produce(u, 0, [b"other"])
    go("another of that name", [], sid, 15)
    other = 12 if v >= 13 else 13
    fetched(s, "in the other version", other, [], sid, 16)
    go("empty", [], sid, 16, forget=[(t, tid, [0]), (u, uid, [0])])
    go("gone", [], sid, 17)
    sid = go("another", whole, epoch=0)
    new = go("in its place", whole, sid, 0)
    go("replaced", [], sid, 1)
    go("closed", [], new, -1)
    go("gone", [], new, 1)
    sid = go("of nothing", [], epoch=0)
    go("of nothing, again", [], sid, 1)
    sid = go("of nothing that is there", [("no", b"\7" * 16, [{}])], epoch=0)
    go("still not there", [], sid, 1)


@each("Fetch", 12, 13, "a session waits, and another request uses it")
def session_waits(s, v):
    t = s.topic()
    tid = topic_id(s, t)
    s.produce(t, 0, [b"a"])
    at_end = [(t, tid, [{"FetchOffset": 1}])]
    sid = fetched(s, "new", v, at_end, epoch=0)
    s.rec("first", sid != 0)
    c = s.connect()
    c.send("Fetch", v, fetch_body(v, [], sid, 1, wait=8000))
    s.rec("waits", c.quiet_for(0.2))
    s.produce(t, 0, [b"b"])
    a = c.recv()
    s.rec("woken", a["ErrorCode"], a["SessionId"] == sid,
          [[len(wire.unbatch(p["Records"])) for p in x["Partitions"]] for x in a["Responses"]])
    c.send("Fetch", v, fetch_body(v, [(t, tid, [{"FetchOffset": 2}])], sid, 2, wait=400))
    s.rec("waits", c.quiet_for(0.1))
    fetched(s, "meanwhile", v, [], sid, 3)
    a = c.recv()
    s.rec("late", a["ErrorCode"], a["Responses"])
