# SPDX-License-Identifier: Apache-2.0
"""Every version that is offered, of every api: the same answer, field by field."""
import time

import wire
from table import row


def each(api, low, high, doc):
    """A row per version."""
    def add(fn):
        for v in range(low, high + 1):
            def one(s, v=v):
                fn(s, v)
            one.__name__ = "%s_%d" % (fn.__name__, v)
            row("V-%s-%d" % (api, v), doc)(one)
        return fn
    return add


def keys(value):
    """The names of all fields, as they came."""
    if isinstance(value, dict):
        return {k: keys(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return None


@each("Produce", 3, 7, "Produce and what Fetch makes of it")
def produce(s, v):
    t = s.topic()
    blob = wire.batch([b"a", b"b"])
    a = s.produce_raw(t, 0, blob, version=v)
    s.rec("answer", sorted(a.items(), key=str))
    s.rec("unknown", sorted(s.produce_raw(wire.unique("no"), 0, blob, version=v).items(), key=str))
    s.rec("zstd", s.produce_raw(t, 0, wire.batch([b"a"], attributes=4), version=v)["ErrorCode"]
          if v < 7 else "allowed")


@each("Fetch", 4, 11, "Fetch")
def fetch(s, v):
    t = s.topic()
    s.produce(t, 0, [b"a", b"b"])
    a = s.c.call("Fetch", v, {k: x for k, x in s.fetch_body(t, 0, 0, iso=1).items()})
    p = a["Responses"][0]["Partitions"][0]
    blob = p.pop("Records")
    s.rec("answer", keys(a), sorted(p.items(), key=str), len(wire.unbatch(blob)))
    a = s.fetch_raw(t, 0, 0, version=v, iso=0)
    s.rec("aborted", a["AbortedTransactions"])


@each("ListOffsets", 1, 2, "ListOffsets")
def list_offsets(s, v):
    t = s.topic()
    s.produce(t, 0, b"a", ts=1000)
    for at in (-1, -2, 0, 1000, 1001):
        s.rec("at %d" % at, sorted(s.lo_raw(t, 0, at, version=v).items()))


@each("Metadata", 0, 4, "Metadata")
def metadata(s, v):
    t = s.topic(partitions=2)
    body = {"Topics": [{"Name": t}, {"Name": wire.unique("no")}]}
    if v >= 4:
        body["AllowAutoTopicCreation"] = False
    a = s.c.call("Metadata", v, body)
    s.rec("answer", keys(a))
    for x in sorted(a["Topics"], key=lambda x: x["Name"] != t):
        s.rec("topic", x["ErrorCode"], x.get("IsInternal"),
              [sorted(p.items()) for p in sorted(x["Partitions"],
                                                 key=lambda p: p["PartitionIndex"])])


@each("OffsetCommit", 2, 7, "OffsetCommit")
def offset_commit(s, v):
    t, g = s.topic(), wire.unique("group")
    s.rec("simple", s.commit(g, t, 0, 7, version=v), s.committed(g, t))
    m, n = s.stable_member(g)
    s.rec("member", s.commit(g, t, 0, 8, m, n, version=v), s.commit(g, t, 0, 9, m, n + 1, version=v),
          s.commit(g, t, 0, 9, version=v), s.committed(g, t))
    s.rec("null metadata", s.commit(g, t, 0, 8, m, n, metadata=None, version=v), s.committed(g, t))


@each("OffsetFetch", 1, 7, "OffsetFetch")
def offset_fetch(s, v):
    t, g = s.topic(), wire.unique("group")
    s.commit(g, t, 0, 7, metadata="m")
    body = {"GroupId": g, "Topics": [{"Name": t, "PartitionIndexes": [0, 3]}]}
    a = s.c.call("OffsetFetch", v, body)
    s.rec("answer", keys(a), a.get("ErrorCode"),
          [sorted(p.items()) for p in a["Topics"][0]["Partitions"]])
    if v >= 2:
        a = s.c.call("OffsetFetch", v, {"GroupId": g, "Topics": None})
        s.rec("all", [[sorted(p.items()) for p in x["Partitions"]] for x in a["Topics"]])
    a = s.c.call("OffsetFetch", v, {"GroupId": g, "Topics": []})
    s.rec("none", a["Topics"])


@each("FindCoordinator", 0, 2, "FindCoordinator")
def find_coordinator(s, v):
    s.find("g")
    body = {"Key": "g"}
    if v >= 1:
        body["KeyType"] = 0
    a = s.c.call("FindCoordinator", v, body)
    s.rec("answer", keys(a), a["ErrorCode"], a["NodeId"], a.get("ErrorMessage"), a["Port"] > 0)


@each("JoinGroup", 0, 5, "JoinGroup, SyncGroup, Heartbeat and LeaveGroup of that time")
def group(s, v):
    g = wire.unique("group")
    s.find(g)
    body = {"GroupId": g, "SessionTimeoutMs": 10000, "MemberId": "", "ProtocolType": "consumer",
            "Protocols": [{"Name": "range", "Metadata": b"r"}]}
    if v >= 1:
        body["RebalanceTimeoutMs"] = 10000
    a = s.until(lambda: s.c.call("JoinGroup", v, body), lambda a: a["ErrorCode"] not in (14, 15, 16))
    s.rec("join", keys(a), s.joined(a))
    if a["ErrorCode"] == 79:
        a = s.c.call("JoinGroup", v, dict(body, MemberId=a["MemberId"]))
        s.rec("join", keys(a), s.joined(a))
    m, n = a["MemberId"], a["GenerationId"]
    w = min(v, 3)
    a = s.c.call("SyncGroup", w, {"GroupId": g, "GenerationId": n, "MemberId": m,
                                  "Assignments": [{"MemberId": m, "Assignment": b"x"}]})
    s.rec("sync", sorted(a.items()))
    a = s.c.call("Heartbeat", w, {"GroupId": g, "GenerationId": n, "MemberId": m})
    s.rec("heartbeat", sorted(a.items()))
    a = s.c.call("LeaveGroup", min(v, 1), {"GroupId": g, "MemberId": m})
    s.rec("leave", sorted(a.items()))


@each("CreateTopics", 2, 4, "CreateTopics")
def create_topics(s, v):
    t = wire.unique("t")
    body = {"Topics": [{"Name": t, "NumPartitions": 1, "ReplicationFactor": 1}], "timeoutMs": 5000,
            "validateOnly": False}
    a = s.c.call("CreateTopics", v, body)
    s.rec("answer", keys(a), a["Topics"][0]["ErrorCode"])
    a = s.c.call("CreateTopics", v, body)
    s.rec("again", a["Topics"][0]["ErrorCode"], bool(a["Topics"][0]["ErrorMessage"]))
    body["Topics"] = [dict(body["Topics"][0], Name=wire.unique("t"), NumPartitions=-1,
                           ReplicationFactor=-1, Assignments=[
                               {"PartitionIndex": 0, "BrokerIds": [1]},
                               {"PartitionIndex": 1, "BrokerIds": [1]}])]
    a = s.c.call("CreateTopics", v, body)
    name = body["Topics"][0]["Name"]
    s.rec("assigned", a["Topics"][0]["ErrorCode"],
          s.until(lambda: s.lo(name, 1, -1), lambda x: x[0] == 0))
    twice = dict(body["Topics"][0], Name=wire.unique("t"), Assignments=[], NumPartitions=1,
                 ReplicationFactor=1)
    a = s.c.call("CreateTopics", v, dict(body, Topics=[twice, twice]))
    s.rec("named twice", [x["ErrorCode"] for x in a["Topics"]])


@each("DeleteRecords", 0, 1, "DeleteRecords")
def delete_records(s, v):
    t = s.topic()
    s.produce(t, 0, [b"a", b"b"])
    a = s.c.call("DeleteRecords", v, {"Topics": [{"Name": t, "Partitions": [
        {"PartitionIndex": 0, "Offset": 1}]}], "TimeoutMs": 5000})
    s.rec("answer", keys(a), a["Topics"][0]["Partitions"])


@each("InitProducerId", 0, 4, "InitProducerId")
def init_producer(s, v):
    x = wire.unique("id")
    a = s.init_raw(x, version=v)
    s.rec("answer", keys(a), a["ErrorCode"], s.name("pid", a["ProducerId"]), a["ProducerEpoch"])
    a = s.init_raw(None, version=v)
    s.rec("idempotent", a["ErrorCode"], s.name("pid", a["ProducerId"]), a["ProducerEpoch"])
    a = s.init_raw("", version=v)
    s.rec("refused", a["ErrorCode"], a["ProducerId"], a["ProducerEpoch"])


@each("Txn", 0, 1, "AddPartitionsToTxn and EndTxn of that time")
def transaction(s, v):
    t, x = s.topic(), wire.unique("id")
    _, pid, e = s.init(x)
    s.rec("add", s.add(x, pid, e, (t, 0), version=v), s.add(x, pid, e, (t, 0), version=v))
    s.rec("wrong", s.add(x, pid, e + 1, (t, 0), version=v), s.end(x, pid, e + 1, True, version=v))
    s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0)
    s.rec("end", s.end(x, pid, e, True, version=v), s.stable(t), s.visible(t, 0))


@each("TxnOffsetCommit", 0, 3, "TxnOffsetCommit")
def txn_offset(s, v):
    t, x, g = s.topic(), wire.unique("id"), wire.unique("group")
    _, pid, e = s.init(x)
    s.rec("add", s.add_offsets(x, pid, e, g), s.add_offsets(x, pid, e, g))
    s.rec("commit", s.txn_commit(x, pid, e, g, t, 0, 4, version=v))
    s.rec("unknown topic", s.txn_commit(x, pid, e, g, wire.unique("no"), 0, 4, version=v),
          s.txn_commit(x, pid, e, g, t, 9, 4, version=v))
    s.rec("fenced", s.txn_commit(x, pid, e - 1 if e else 5, g, t, 0, 4, version=v))
    s.rec("end", s.end(x, pid, e, True))
    s.settled(x)
    s.rec("committed", s.committed(g, t, 0, True))


@row("V-DescribeConfigs-1", "DescribeConfigs, with synonyms")
def describe_configs(s):
    t = s.topic(max_message_bytes=1234)
    a = s.c.call("DescribeConfigs", 1, {"Resources": [
        {"ResourceType": 2, "ResourceName": t, "ConfigurationKeys": ["max.message.bytes"]}],
        "IncludeSynonyms": False})
    s.rec("answer", a["Results"][0]["ErrorCode"], keys(a)["Results"][0]["Configs"],
          a["Results"][0]["ErrorMessage"])


@row("V-ListTransactions-1", "ListTransactions by duration")
def by_duration(s):
    t, x = s.topic(), wire.unique("id")
    _, pid, e = s.init(x)
    s.add(x, pid, e, (t, 0))
    ask = lambda ms: len(s.c.call("ListTransactions", 1, {
        "StateFilters": [], "ProducerIdFilters": [pid], "DurationFilter": ms})["TransactionStates"])
    time.sleep(0.05)
    s.rec("younger", ask(60000))
    s.rec("older", ask(10), ask(-1), ask(0))
    s.end(x, pid, e, False)
