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
