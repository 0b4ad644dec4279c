# SPDX-License-Identifier: Apache-2.0
"""The flexible versions of what is no transaction: every version, field by field, and topic ids."""
import re

import wire
from rows_versions import each
from table import row

NO_ID = b"\0" * 16
HIDDEN = ("ThrottleTimeMs", "Host", "Port", "ClusterId", "ControllerId", "ClientHost")


def plain(s, value, name=""):
    """An answer without what differs between two brokers: ids become names."""
    if isinstance(value, dict):
        return {k: plain(s, v, k) for k, v in sorted(value.items()) if k not in HIDDEN}
    if isinstance(value, list):
        return sorted((plain(s, v, name) for v in value), key=str)
    if isinstance(value, bytes) and len(value) == 16 and name == "TopicId":
        return "no id" if value == NO_ID else s.name("id", value)
    if name == "ErrorMessage" and value not in ("NONE", "", None):
        return "said"
    if name in ("MemberId", "Leader"):
        return s.name("member", value)
    if name in ("Name", "Topic", "GroupId", "ResourceName", "TopicName", "Key") and value:
        return re.sub("-[0-9a-f]{10}", "", value)
    return value


def ask(s, api, version, body, label="answer"):
    a = s.c.call(api, version, body)
    s.rec(label, plain(s, a))
    return a


def topic_id(s, name):
    return s.c.call("Metadata", 12, {"Topics": [{"Name": name}]})["Topics"][0]["TopicId"]


# ---- what there is -------------------------------------------------------------------------------

@each("ApiVersions", 3, 4, "names of clients that are none")
def software(s, v):
    for name, version in (("x", "1"), ("a.b-c", "1.2-3"), ("", "1"), ("x", ""), ("-x", "1"),
                          ("x y", "1"), ("x", "1."), ("x_y", "1")):
        a = s.c.call("ApiVersions", v, {"ClientSoftwareName": name, "ClientSoftwareVersion": version})
        s.rec("%r %r" % (name, version), a["ErrorCode"], len(a["ApiKeys"]) > 0)


@each("Metadata", 5, 13, "Metadata")
def metadata(s, v):
    t, no = s.topic(partitions=2), wire.unique("no")
    body = {"Topics": [{"Name": t}, {"Name": no}, {"Name": "no/name"}], "AllowAutoTopicCreation": False}
    ask(s, "Metadata", v, body)
    if v >= 8:
        ask(s, "Metadata", v, dict(body, IncludeTopicAuthorizedOperations=True), "operations")
    if 8 <= v <= 10:
        ask(s, "Metadata", v, dict(body, IncludeClusterAuthorizedOperations=True), "cluster's")
    ask(s, "Metadata", v, dict(body, Topics=[]), "none")
    a = s.c.call("Metadata", v, dict(body, Topics=None))
    s.rec("all", t in [x["Name"] for x in a["Topics"]])


@each("Metadata", 10, 13, "Metadata by id")
def metadata_ids(s, v):
    t = s.topic()
    known, no = topic_id(s, t), b"\7" * 16
    asked = ([{"TopicId": known, "Name": None}], [{"TopicId": no, "Name": None}],
             [{"TopicId": known, "Name": t}], [{"TopicId": NO_ID, "Name": None}],
             [{"TopicId": known, "Name": None}, {"Name": wire.unique("no")}],
             [{"TopicId": known, "Name": None}, {"TopicId": no, "Name": None}])
    for i, topics in enumerate(asked):
        if v < 12:  # a null name is in the format only
            topics = [dict(x, Name=x["Name"] or "") if x.get("TopicId") else x for x in topics]
        try:
            ask(s, "Metadata", v, {"Topics": topics, "AllowAutoTopicCreation": False,
                                   "IncludeTopicAuthorizedOperations": True}, "by id %d" % i)
        except wire.Closed:
            s.rec("by id %d" % i, "closed")
            s.c = s.connect()


@each("FindCoordinator", 3, 6, "FindCoordinator")
def find_coordinator(s, v):
    g, x = wire.unique("group"), wire.unique("id")
    for kind in (0, 1, 9, -1):
        body = {"KeyType": kind}
        if v < 4:
            body["Key"] = g
        else:
            body["CoordinatorKeys"] = [g, x, ""]
        s.until(lambda b=body: s.c.call("FindCoordinator", v, b),
                lambda a: 15 not in [a.get("ErrorCode")] + [y["ErrorCode"] for y in
                                                            a.get("Coordinators", [])])
        try:
            ask(s, "FindCoordinator", v, body, "kind %d" % kind)
        except wire.Closed:
            s.rec("kind %d" % kind, "closed")
            s.c = s.connect()
    if v >= 4:
        ask(s, "FindCoordinator", v, {"KeyType": 0, "CoordinatorKeys": []}, "none")


@each("DescribeCluster", 0, 2, "DescribeCluster")
def describe_cluster(s, v):
    body = {"IncludeClusterAuthorizedOperations": False}
    if v >= 2:
        body["IncludeFencedBrokers"] = True
    ask(s, "DescribeCluster", v, body)
    ask(s, "DescribeCluster", v, dict(body, IncludeClusterAuthorizedOperations=True), "operations")
    for kind in (2, 7) if v >= 1 else ():
        a = s.c.call("DescribeCluster", v, dict(body, EndpointType=kind))
        s.rec("type %d" % kind, a["ErrorCode"], bool(a["ErrorMessage"]), a["Brokers"],
              a["EndpointType"], a["ControllerId"], a["ClusterId"])


@row("V-DescribeTopicPartitions-0", "pages of topics and partitions")
def describe_partitions(s):
    p = wire.unique("p")
    names = ["%s-%s" % (p, x) for x in "abc"]
    for n in names:
        s.topic_named(n, 3)
    topics = [{"Name": n} for n in reversed(names)] + [{"Name": p + "-b"}, {"Name": p + "-none"}]

    def go(label, cursor=None, limit=2000, asked=topics):
        try:
            return ask(s, "DescribeTopicPartitions", 0, {
                "Topics": asked, "ResponsePartitionLimit": limit, "Cursor": cursor}, label)
        except wire.Closed:
            s.rec(label, "closed")
            s.c = s.connect()
            return {}
    go("all")
    go("wrong name", asked=[{"Name": "no/name"}])
    for limit in (1, 2, 3, 4, 5, 6, 9, 0, -1):
        go("at most %d" % limit, limit=limit)
    at = {"TopicName": names[1], "PartitionIndex": 1}
    go("from the middle", at)
    go("from the middle, limited", at, 2)
    go("behind the end", dict(at, PartitionIndex=9))
    go("cursor that is not asked for", dict(at, TopicName=p + "-aa"))
    go("cursor of a negative partition", dict(at, PartitionIndex=-1))
    pages, cursor = [], None
    while len(pages) < 10:
        a = s.c.call("DescribeTopicPartitions", 0, {"Topics": topics, "Cursor": cursor,
                                                    "ResponsePartitionLimit": 4})
        pages.append([(x["Name"][-1], [y["PartitionIndex"] for y in x["Partitions"]])
                      for x in a["Topics"]])
        cursor = a["NextCursor"]
        if cursor is None:
            break
    s.rec("pages", pages)
    a = s.c.call("DescribeTopicPartitions", 0, {"Topics": [], "ResponsePartitionLimit": 2000,
                                                "Cursor": {"TopicName": p, "PartitionIndex": 0}})
    s.rec("everything from a name on", [x["Name"][-1] for x in a["Topics"]
                                        if x["Name"].startswith(p)])


# ---- groups --------------------------------------------------------------------------------------

def member_of(s, g, v, **how):
    """A member in a stable group; -> (member id, generation)"""
    return s.stable_member(g, **how)


@each("JoinGroup", 6, 9, "JoinGroup")
def join(s, v):
    g = wire.unique("group")
    s.find(g)
    body = dict(s.join_body(g), Reason="because") if v >= 8 else s.join_body(g)
    a = ask(s, "JoinGroup", v, body, "first")
    a = ask(s, "JoinGroup", v, dict(body, MemberId=a["MemberId"]), "second")
    m, n = a["MemberId"], a["GenerationId"]
    s.sync(g, m, n, [(m, b"mine")])
    ask(s, "JoinGroup", v, dict(body, MemberId="nobody"), "unknown")
    ask(s, "JoinGroup", v, dict(body, Protocols=[{"Name": "z", "Metadata": b""}]), "inconsistent")
    ask(s, "JoinGroup", v, dict(body, SessionTimeoutMs=1), "session")
    ask(s, "JoinGroup", v, dict(body, GroupId=""), "no group")
    ask(s, "JoinGroup", v, dict(body, MemberId=m), "leader again")


@each("JoinGroup", 6, 9, "a static member comes back")
def join_static(s, v):
    g = wire.unique("group")
    s.find(g)
    body = s.join_body(g, instance="i")
    a = ask(s, "JoinGroup", v, body, "first")
    s.sync(g, a["MemberId"], a["GenerationId"], [(a["MemberId"], b"mine")], "i")
    b = ask(s, "JoinGroup", v, body, "leader back")
    s.rec("assignment", *s.sync(g, b["MemberId"], b["GenerationId"], (), "i"))
    ask(s, "JoinGroup", v, dict(body, MemberId=a["MemberId"]), "former self")
    ask(s, "JoinGroup", v, dict(body, Protocols=[{"Name": "range", "Metadata": b"new"}]),
        "other metadata")


@each("SyncGroup", 4, 5, "SyncGroup")
def sync(s, v):
    g = wire.unique("group")
    a = s.join(g)
    m, n = a["MemberId"], a["GenerationId"]
    body = {"GroupId": g, "GenerationId": n, "MemberId": m,
            "Assignments": [{"MemberId": m, "Assignment": b"mine"}]}
    if v >= 5:
        ask(s, "SyncGroup", v, body, "no protocol")
        ask(s, "SyncGroup", v, dict(body, ProtocolType="consumer"), "no name")
        ask(s, "SyncGroup", v, dict(body, ProtocolType="x", ProtocolName="range"), "other type")
        ask(s, "SyncGroup", v, dict(body, ProtocolType="consumer", ProtocolName="x"), "other name")
        body.update(ProtocolType="consumer", ProtocolName="range")
    ask(s, "SyncGroup", v, body)
    ask(s, "SyncGroup", v, dict(body, Assignments=[]), "again")
    ask(s, "SyncGroup", v, dict(body, GenerationId=n + 1), "generation")
    ask(s, "SyncGroup", v, dict(body, MemberId="nobody"), "member")
    ask(s, "SyncGroup", v, dict(body, GroupId=wire.unique("no")), "group")
    ask(s, "SyncGroup", v, dict(body, GroupId=""), "no group")


@each("Heartbeat", 4, 4, "Heartbeat")
def heartbeat(s, v):
    g = wire.unique("group")
    m, n = s.stable_member(g)
    body = {"GroupId": g, "GenerationId": n, "MemberId": m}
    ask(s, "Heartbeat", v, body)
    ask(s, "Heartbeat", v, dict(body, GenerationId=n - 1), "generation")
    ask(s, "Heartbeat", v, dict(body, MemberId=""), "member")
    ask(s, "Heartbeat", v, dict(body, GroupInstanceId="i"), "instance")
    ask(s, "Heartbeat", v, dict(body, GroupId=""), "no group")


@each("LeaveGroup", 2, 5, "LeaveGroup, several at once")
def leave(s, v):
    g = wire.unique("group")
    m, _ = s.stable_member(g)
    if v < 3:
        ask(s, "LeaveGroup", v, {"GroupId": g, "MemberId": "nobody"}, "unknown")
        ask(s, "LeaveGroup", v, {"GroupId": g, "MemberId": m})
        ask(s, "LeaveGroup", v, {"GroupId": "", "MemberId": m}, "no group")
        ask(s, "LeaveGroup", v, {"GroupId": wire.unique("no"), "MemberId": m}, "unknown group")
        return
    reason = {"Reason": "enough"} if v >= 5 else {}
    who = [dict(MemberId=m, **reason), dict(MemberId="nobody", **reason),
           {"MemberId": "", "GroupInstanceId": "nobody"}]
    ask(s, "LeaveGroup", v, {"GroupId": wire.unique("no"), "Members": who}, "unknown group")
    ask(s, "LeaveGroup", v, {"GroupId": "", "Members": who}, "no group")
    ask(s, "LeaveGroup", v, {"GroupId": g, "Members": []}, "nobody")
    ask(s, "LeaveGroup", v, {"GroupId": g, "Members": who})
    s.rec("then", s.group_state(g))


@each("LeaveGroup", 3, 5, "static members leave by their instance")
def leave_static(s, v):
    g = wire.unique("group")
    m, _ = s.stable_member(g, instance="i")
    ask(s, "LeaveGroup", v, {"GroupId": g, "Members": [
        {"MemberId": "other", "GroupInstanceId": "i"}]}, "fenced")
    ask(s, "LeaveGroup", v, {"GroupId": g, "Members": [
        {"MemberId": "", "GroupInstanceId": "i"}]}, "by instance")
    s.rec("then", s.group_state(g))
    m, _ = s.stable_member(g, instance="i")
    ask(s, "LeaveGroup", v, {"GroupId": g, "Members": [
        {"MemberId": m, "GroupInstanceId": "i"}]}, "by both")
    s.rec("then", s.group_state(g))


@each("DescribeGroups", 1, 6, "DescribeGroups")
def describe_groups(s, v):
    g, t, empty = wire.unique("group"), s.topic(), wire.unique("empty")
    m, n = s.stable_member(g, instance="i")
    s.commit(empty, t, 0, 1)
    body = {"Groups": [g, empty, wire.unique("no")]}
    ask(s, "DescribeGroups", v, body)
    if v >= 3:
        a = s.c.call("DescribeGroups", v, dict(body, IncludeAuthorizedOperations=True))
        s.rec("operations", [(x["ErrorCode"], x["AuthorizedOperations"]) for x in a["Groups"]])
    s.join_send(s.connect(), g, instance="j")
    s.until(lambda: s.beat(g, m, n, "i"), lambda e: e == 27)
    a = s.c.call("DescribeGroups", v, {"Groups": [g]})["Groups"][0]
    s.rec("rebalancing", a["GroupState"], a["ProtocolData"], a["ProtocolType"],
          sorted((x["MemberMetadata"], x["MemberAssignment"]) for x in a["Members"]))


@each("ListGroups", 1, 5, "ListGroups")
def list_groups(s, v):
    g, t, empty = wire.unique("group"), s.topic(), wire.unique("empty")
    s.stable_member(g)
    s.commit(empty, t, 0, 1)

    def go(label, **filters):
        try:
            a = s.c.call("ListGroups", v, filters)
        except wire.Closed:
            s.rec(label, "closed")
            s.c = s.connect()
            return
        mine = [x for x in a["Groups"] if x["GroupId"] in (g, empty)]
        s.rec(label, a["ErrorCode"], plain(s, sorted(mine, key=lambda x: x["GroupId"] != g)))
    go("all")
    for states in (["Stable"], ["stable", "EMPTY"], ["Dead"], ["nonsense"], []) if v >= 4 else ():
        go("states %s" % states, StatesFilter=states)
    for types in (["classic"], ["Classic"], ["consumer"], ["nonsense"]) if v >= 5 else ():
        go("types %s" % types, TypesFilter=types)


@each("DeleteGroups", 0, 2, "DeleteGroups")
def delete_groups(s, v):
    g, t, empty = wire.unique("group"), s.topic(), wire.unique("empty")
    s.stable_member(g)
    s.commit(empty, t, 0, 1)
    ask(s, "DeleteGroups", v, {"GroupsNames": [g, empty, wire.unique("no"), ""]})
    ask(s, "DeleteGroups", v, {"GroupsNames": []}, "none")


# ---- offsets of groups ---------------------------------------------------------------------------

def commit_body(s, v, g, name, tid, p=0, offset=7, **how):
    where = {"TopicId": tid} if v >= 10 else {"Name": name}
    return dict({"GroupId": g, "Topics": [dict(where, Partitions=[
        {"PartitionIndex": p, "CommittedOffset": offset, "CommittedMetadata": "m"}])]}, **how)


@each("OffsetCommit", 8, 10, "OffsetCommit, from version 10 by id")
def offset_commit(s, v):
    t, g = s.topic(), wire.unique("group")
    tid = topic_id(s, t)
    s.find(g)
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid), "simple")
    s.rec("kept", s.committed(g, t))
    no = wire.unique("no")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, no, b"\7" * 16), "unknown topic")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, "", NO_ID), "no topic")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid, p=5), "unknown partition")
    ask(s, "OffsetCommit", v, commit_body(s, v, no, t, tid, GenerationIdOrMemberEpoch=3,
                                          MemberId="x"), "unknown group")
    m, n = s.stable_member(g)
    who = {"GenerationIdOrMemberEpoch": n, "MemberId": m}
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid, offset=9, **who), "member")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid, GenerationIdOrMemberEpoch=n + 1,
                                          MemberId=m), "generation")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid, GenerationIdOrMemberEpoch=n,
                                          MemberId="nobody"), "nobody")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid), "simple while used")
    ask(s, "OffsetCommit", v, commit_body(s, v, g, t, tid, GroupInstanceId="i", **who), "instance")
    ask(s, "OffsetCommit", v, dict(commit_body(s, v, g, t, tid, **who), Topics=[]), "nothing")
    s.rec("kept", s.committed(g, t))


@each("OffsetFetch", 8, 10, "OffsetFetch of several groups, from version 10 by id")
def offset_fetch(s, v):
    t, u = s.topic(partitions=2), s.topic("u")
    g, h = wire.unique("group"), wire.unique("other")
    s.commit(g, t, 0, 5, metadata="m")
    s.commit(g, u, 0, 6)
    s.commit(h, t, 1, 7)

    def topics(*list):
        return [dict({"TopicId": topic_id(s, n) if n else b"\7" * 16} if v >= 10 else
                     {"Name": n or "no"}, PartitionIndexes=p) for n, p in list]
    ask(s, "OffsetFetch", v, {"Groups": [
        {"GroupId": g, "Topics": topics((t, [0, 1, 9]), (u, [0]))},
        {"GroupId": h, "Topics": None},
        {"GroupId": wire.unique("no"), "Topics": topics((t, [0]))}]})
    ask(s, "OffsetFetch", v, {"Groups": [{"GroupId": g, "Topics": None}]}, "all")
    ask(s, "OffsetFetch", v, {"Groups": [{"GroupId": g, "Topics": []}]}, "no topics")
    ask(s, "OffsetFetch", v, {"Groups": []}, "no groups")
    ask(s, "OffsetFetch", v, {"Groups": [{"GroupId": wire.unique("no"), "Topics": None}]},
        "all of nobody")
    ask(s, "OffsetFetch", v, {"Groups": [{"GroupId": g, "Topics": topics((None, [0, 1]), (t, [0]))}]},
        "unknown topic")
    if v >= 9:
        m, n = s.stable_member(g)
        for member, epoch in ((m, n), (m, n + 5), ("nobody", n), ("nobody", -1)):
            ask(s, "OffsetFetch", v, {"Groups": [
                {"GroupId": g, "MemberId": member, "MemberEpoch": epoch,
                 "Topics": topics((t, [0]))}]}, "member at %d" % (epoch - n))


@each("OffsetFetch", 8, 10, "offsets that a transaction holds")
def offset_fetch_held(s, v):
    t, x, g = s.topic(), wire.unique("id"), wire.unique("group")
    tid = topic_id(s, t)
    _, pid, e = s.init(x)
    s.add_offsets(x, pid, e, g)
    s.txn_commit(x, pid, e, g, t, 0, 4)
    where = {"TopicId": tid} if v >= 10 else {"Name": t}
    for asked in ([dict(where, PartitionIndexes=[0])], None):
        for stable in (True, False):
            ask(s, "OffsetFetch", v, {"Groups": [{"GroupId": g, "Topics": asked}],
                                      "RequireStable": stable}, "stable %s" % stable)
    s.end(x, pid, e, True)
    s.settled(x)
    ask(s, "OffsetFetch", v, {"Groups": [{"GroupId": g, "Topics": None}], "RequireStable": True},
        "after")


@row("V-OffsetDelete-0", "OffsetDelete and what members subscribe to")
def offset_delete(s):
    t, u = s.topic(), s.topic("u")
    subscribed = lambda *names: b"\0\1" + len(names).to_bytes(4, "big") + b"".join(
        len(n).to_bytes(2, "big") + n.encode() for n in names) + b"\xff\xff\xff\xff"

    def go(label, g, *parts):
        ask(s, "OffsetDelete", 0, {"GroupId": g, "Topics": [
            {"Name": n, "Partitions": [{"PartitionIndex": p}]} for n, p in parts]}, label)
        s.rec("left", s.committed(g, t), s.committed(g, u))
    g = wire.unique("group")
    s.commit(g, t, 0, 5)
    s.commit(g, u, 0, 6)
    go("unknown", g, (t, 9), (wire.unique("no"), 0))
    go("nothing", g)
    m, n = s.stable_member(g, protocols=(("range", subscribed(t)),))
    go("one of them", g, (t, 0), (u, 0))
    s.commit(g, u, 0, 7, m, n)
    s.leave(g, m)
    go("empty", g, (t, 0), (u, 0))
    go("gone", g, (t, 0))
    for label, kind, data in (("no subscription", "consumer", b"x"),
                              ("no consumers", "other", subscribed(t))):
        h = wire.unique("group")
        s.commit(h, u, 0, 6)
        m, n = s.stable_member(h, kind=kind, protocols=(("range", data),))
        go(label, h, (t, 0), (u, 0))
        s.leave(h, m)
        go(label + ", empty", h, (t, 0), (u, 0))


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
