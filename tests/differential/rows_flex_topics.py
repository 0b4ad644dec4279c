# SPDX-License-Identifier: Apache-2.0
"""The flexible versions: topics, their properties, and what their leaders are asked."""
import wire
from rows_flex import NO_ID, ask, plain, topic_id
from rows_versions import each

# ---- topics and properties -----------------------------------------------------------------------

MINE = ["cleanup.policy", "compression.type", "delete.retention.ms", "max.message.bytes",
        "message.timestamp.after.max.ms", "message.timestamp.type",
        "segment.bytes", "unclean.leader.election.enable"]


def known(answer):
    """Of the properties those that both know."""
    for t in answer["Topics"]:
        t["Configs"] = [c for c in t.get("Configs") or [] if c["Name"] in MINE]
        if t.get("TopicId"):
            t["TopicId"] = "no id" if t["TopicId"] == NO_ID else "an id"
    return answer


@each("CreateTopics", 5, 7, "CreateTopics")
def create_topics(s, v):
    def go(label, validate=False, **how):
        t = dict({"Name": wire.unique("t"), "NumPartitions": 2, "ReplicationFactor": 1}, **how)
        a = s.c.call("CreateTopics", v, {"Topics": [t], "timeoutMs": 5000, "validateOnly": validate})
        s.rec(label, plain(s, known(a)))
        return t["Name"]
    t = go("new", Configs=[{"Name": "max.message.bytes", "Value": "1234"}])
    go("again", Name=t)
    go("validated", True)
    go("defaults", NumPartitions=-1, ReplicationFactor=-1)
    go("no partitions", NumPartitions=0)
    go("no replicas", ReplicationFactor=0)
    go("replicas", ReplicationFactor=7)
    go("name", Name="no/name")
    go("dots", Name="..")
    go("property", Configs=[{"Name": "no.such", "Value": "1"}])
    go("value", Configs=[{"Name": "max.message.bytes", "Value": "many"}])
    go("null value", Configs=[{"Name": "max.message.bytes", "Value": None}])
    by_hand = dict(NumPartitions=-1, ReplicationFactor=-1)
    for label, parts in (("assigned", [(0, [1]), (1, [1])]), ("hole", [(0, [1]), (2, [1])]),
                         ("twice", [(0, [1]), (0, [1])]), ("no nodes", [(0, [])]),
                         ("unknown node", [(0, [9])]), ("same node", [(0, [1, 1])]),
                         ("uneven", [(0, [1]), (1, [1, 1])])):
        go(label, Assignments=[{"PartitionIndex": p, "BrokerIds": b} for p, b in parts], **by_hand)
    go("numbers and assignment", Assignments=[{"PartitionIndex": 0, "BrokerIds": [1]}])
    go("factor and assignment", NumPartitions=-1,
       Assignments=[{"PartitionIndex": 0, "BrokerIds": [1]}])


@each("DeleteTopics", 2, 6, "DeleteTopics, from version 6 by id")
def delete_topics(s, v):
    names = [s.topic(x) for x in ("a", "b", "c")]
    a, b, c = names
    if v < 6:
        go = lambda label, *list: ask(s, "DeleteTopics", v, {"TopicNames": list, "TimeoutMs": 5000},
                                      label)
        go("two", a, wire.unique("no"))
        go("twice", b, b)
        go("bad name", "no/name")
        go("nothing")
        go("third", b, c)
        return

    def deleted(label, *list):
        x = s.c.call("DeleteTopics", v, {"Topics": [{"Name": n, "TopicId": i} for n, i in list],
                                         "TimeoutMs": 5000})
        for r in x["Responses"]:
            r["TopicId"] = "no id" if r["TopicId"] == NO_ID else r["TopicId"] in ids
        s.rec(label, plain(s, x))
    ids = [topic_id(s, n) for n in names]
    deleted("by name", (a, NO_ID))
    deleted("unknown id", (None, b"\7" * 16))
    deleted("unknown name", (wire.unique("no"), NO_ID))
    deleted("bad name", ("no/name", NO_ID))
    deleted("neither", (None, NO_ID))
    deleted("both", (b, ids[1]))
    deleted("id twice", (None, ids[1]), (None, ids[1]))
    deleted("name twice", (b, NO_ID), (b, NO_ID))
    deleted("by id", (None, ids[1]), (c, NO_ID), (None, b"\7" * 16))
    s.rec("gone", [s.until(lambda n=n: s.lo(n, 0, -1)[0], lambda e: e == 3) for n in names])


@each("CreatePartitions", 1, 3, "CreatePartitions")
def create_partitions(s, v):
    t = s.topic(partitions=2)

    def go(label, count, name=t, validate=False, hand=None):
        hand = None if hand is None else [{"BrokerIds": b} for b in hand]
        ask(s, "CreatePartitions", v, {"Topics": [{"Name": name, "Count": count,
                                                   "Assignments": hand}],
                                       "TimeoutMs": 5000, "ValidateOnly": validate}, label)
    go("fewer", 1)
    go("as many", 2)
    go("none", 0)
    go("unknown", 3, wire.unique("no"))
    go("validated", 3, validate=True)
    go("by hand", 3, hand=[[1]])
    go("too few by hand", 6, hand=[[1]])
    go("unknown node", 4, hand=[[9]])
    go("no node", 4, hand=[[]])
    go("more", 5)
    s.rec("now", s.until(lambda: s.lo(t, 4, -1), lambda a: a[0] == 0), s.lo(t, 5, -1))
    a = s.c.call("CreatePartitions", v, {"Topics": [{"Name": t, "Count": 6}] * 2, "TimeoutMs": 5000})
    s.rec("twice", plain(s, a))


@each("DescribeConfigs", 2, 4, "DescribeConfigs of topics")
def describe_configs(s, v):
    t = s.topic(max_message_bytes=1234)

    def go(label, kind, name, keys, **how):
        a = s.c.call("DescribeConfigs", v, dict({"Resources": [
            {"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys}]}, **how))
        for r in a["Results"]:
            r["Configs"] = [c for c in r["Configs"] if c["Name"] in MINE]
        s.rec(label, plain(s, a))
    go("some", 2, t, MINE)
    go("synonyms", 2, t, MINE, IncludeSynonyms=True)
    go("all", 2, t, None)
    go("all", 2, t, [])
    go("unknown property", 2, t, ["no.such"])
    go("unknown topic", 2, wire.unique("no"), None)
    go("bad name", 2, "no/name", None)
    go("unknown node", 4, "77", None)
    go("no node", 4, "x", None)
    go("defaults of nodes", 4, "", None)
    a = s.c.call("DescribeConfigs", v, {"Resources": [
        {"ResourceType": 2, "ResourceName": t, "ConfigurationKeys": ["max.message.bytes"]},
        {"ResourceType": 2, "ResourceName": t, "ConfigurationKeys": ["segment.bytes"]}]})
    s.rec("twice", sorted(c["Name"] for r in a["Results"] for c in r["Configs"]))


@each("DescribeConfigs", 2, 4, "DescribeConfigs of nodes")
def describe_node(s, v):
    names = ["message.max.bytes", "group.max.session.timeout.ms", "num.partitions",
             "log.message.timestamp.after.max.ms", "auto.create.topics.enable",
             "transactional.id.expiration.ms", "log.cleanup.policy"]
    a = s.c.call("DescribeConfigs", v, {"Resources": [
        {"ResourceType": 4, "ResourceName": "1", "ConfigurationKeys": names}],
        "IncludeSynonyms": True})
    for c in a["Results"][0]["Configs"]:
        del c["ReadOnly"]  # Kafka can change some of them
    s.rec("answer", plain(s, a))


@each("AlterConfigs", 0, 2, "AlterConfigs")
def alter_configs(s, v):
    t = s.topic(max_message_bytes=1234, segment_bytes=2000000)

    def go(label, name, configs, validate=False):
        ask(s, "AlterConfigs", v, {"Resources": [
            {"ResourceType": 2, "ResourceName": name,
             "Configs": [{"Name": n, "Value": x} for n, x in configs]}],
            "ValidateOnly": validate}, label)
    go("validated", t, [("max.message.bytes", "5")], True)
    go("one", t, [("max.message.bytes", "77777")])
    go("unknown property", t, [("no.such", "1")])
    go("bad value", t, [("max.message.bytes", "x")])
    go("null", t, [("max.message.bytes", None)])
    go("unknown topic", wire.unique("no"), [("max.message.bytes", "1")])
    s.until(lambda: shown(s, t)["max.message.bytes"], lambda x: x == "77777")
    s.rec("now", shown(s, t))


@each("IncrementalAlterConfigs", 0, 1, "IncrementalAlterConfigs")
def incremental(s, v):
    t = s.topic(max_message_bytes=1234)

    def go(label, name, *configs, validate=False):
        ask(s, "IncrementalAlterConfigs", v, {"Resources": [
            {"ResourceType": 2, "ResourceName": name,
             "Configs": [{"Name": n, "ConfigOperation": o, "Value": x} for n, o, x in configs]}],
            "ValidateOnly": validate}, label)
    go("set", t, ("segment.bytes", 0, "2000000"))
    go("validated", t, ("segment.bytes", 0, "3000000"), validate=True)
    go("delete", t, ("max.message.bytes", 1, None))
    go("append to a number", t, ("segment.bytes", 2, "1"))
    go("null", t, ("segment.bytes", 0, None))
    go("unknown", t, ("no.such", 0, "1"))
    go("bad", t, ("segment.bytes", 0, "x"))
    go("twice", t, ("segment.bytes", 0, "2000000"), ("segment.bytes", 1, None))
    go("unknown topic", wire.unique("no"), ("segment.bytes", 0, "2000000"))
    s.until(lambda: shown(s, t)["max.message.bytes"], lambda x: x == "1048588")
    s.rec("now", shown(s, t))


def shown(s, t):
    a = s.c.call("DescribeConfigs", 4, {"Resources": [
        {"ResourceType": 2, "ResourceName": t,
         "ConfigurationKeys": ["max.message.bytes", "segment.bytes"]}]})
    return dict(sorted((c["Name"], c["Value"]) for c in a["Results"][0]["Configs"]))


# ---- what a leader is asked ----------------------------------------------------------------------

@each("ListOffsets", 3, 11, "ListOffsets")
def list_offsets(s, v):
    t, empty = s.topic(), s.topic("empty")
    for ts in ([1000, 3000], [2000], [3000]):
        s.produce(t, 0, [b"x"] * len(ts), ts=ts)
    for at in (-1, -2, -3, -4, -5, -6, -7, 0, 1000, 1500, 3000, 3001):
        for name in (t, empty):
            s.rec("at %d" % at, sorted(s.lo_raw(name, 0, at, version=v).items()))
    x = wire.unique("id")
    _, pid, e = s.init(x)
    s.add(x, pid, e, (t, 0))
    s.produce(t, 0, b"open", x, pid=pid, epoch=e, seq=0, ts=9000)
    for iso in (0, 1):
        for at in (-1, -2, -3, 3000, 8000):
            s.rec("with an open transaction, at %d, isolation %d" % (at, iso),
                  sorted(s.lo_raw(t, 0, at, iso, v).items()))
    s.end(x, pid, e, False)
    s.stable(t)
    for iso in (0, 1):  # the latest record is the marker, with the broker's time
        a = s.lo_raw(t, 0, -3, iso, v)
        s.rec("with an aborted one", a["ErrorCode"], a["Offset"])
    s.trim(t, 0, 2)
    for at in (-1, -2, 0):
        s.rec("trimmed, at %d" % at, sorted(s.lo_raw(t, 0, at, 0, v).items()))


@each("ListOffsets", 4, 11, "ListOffsets with leader epochs, and what makes no sense")
def list_offsets_odd(s, v):
    t = s.topic()
    s.produce(t, 0, b"a")

    def go(label, parts, name=t, **how):
        a = s.c.call("ListOffsets", v, dict({"ReplicaId": -1, "IsolationLevel": 0, "Topics": [
            {"Name": name, "Partitions": [{"PartitionIndex": p, "Timestamp": -1,
                                           "CurrentLeaderEpoch": e} for p, e in parts]}]}, **how))
        s.rec(label, plain(s, a))
    go("current", [(0, 0)])
    go("future", [(0, 1)])
    go("unknown partition", [(0, -1), (7, -1)])
    go("unknown topic", [(0, -1)], wire.unique("no"))
    go("twice", [(0, -1), (0, -1)])
    go("nothing", [])
    go("replica", [(0, -1)], ReplicaId=5)
    go("isolation", [(0, -1)], IsolationLevel=1)


@each("OffsetForLeaderEpoch", 2, 4, "OffsetForLeaderEpoch")
def epoch_end(s, v):
    t, empty = s.topic(), s.topic("empty")
    s.produce(t, 0, [b"a", b"b"])

    def go(label, name, epoch, current=-1, p=0, **how):
        ask(s, "OffsetForLeaderEpoch", v, dict({"Topics": [{"Topic": name, "Partitions": [
            {"Partition": p, "CurrentLeaderEpoch": current, "LeaderEpoch": epoch}]}]}, **how), label)
    for name in (t, empty):
        for epoch in (0, 1, -1, -2, 99):
            go("epoch %d" % epoch, name, epoch)
    go("current", t, 0, 0)
    go("future", t, 0, 1)
    go("unknown", wire.unique("no"), 0)
    go("partition", t, 0, p=9)
    if v >= 3:
        go("consumer", t, 0, ReplicaId=-1)


@each("DeleteRecords", 2, 2, "DeleteRecords")
def delete_records(s, v):
    t = s.topic()
    s.produce(t, 0, [b"a", b"b", b"c"])

    def go(label, name, p, offset):
        ask(s, "DeleteRecords", v, {"Topics": [{"Name": name, "Partitions": [
            {"PartitionIndex": p, "Offset": offset}]}], "TimeoutMs": 5000}, label)
    go("one", t, 0, 1)
    go("below", t, 0, 0)
    go("beyond", t, 0, 9)
    go("odd", t, 0, -2)
    go("all", t, 0, -1)
    go("partition", t, 4, 0)
    go("topic", wire.unique("no"), 0, 0)
