# SPDX-License-Identifier: Apache-2.0
"""Groups of the consumer protocol (KIP-848)."""
import time

import wire
from table import row

BUSY = (14, 15, 16)


class Group:
    """A group with topics t0, t1, ..., as its members see it."""

    def __init__(self, s, *sizes, version=1):
        self.s = s
        self.version = version
        self.name = wire.unique("group")
        self.topics = [s.topic(partitions=n) for n in sizes]
        self.ids = {}
        s.find(self.name)
        self.wait_for_topics(sum(sizes))

    def wait_for_topics(self, partitions):
        """The coordinator hears of new topics later than their leaders do: a member of another
        group joins until it is given all."""
        other, m = wire.unique("group"), member("m")
        self.s.until(lambda: self.raw(m, 0, version=1, group=other)["Assignment"],
                     lambda a: a and partitions == sum(len(t["Partitions"])
                                                       for t in a["TopicPartitions"]))
        self.raw(m, -1, version=1, group=other)

    def body(self, member, epoch, **how):
        body = {"GroupId": self.name, "MemberId": member, "MemberEpoch": epoch}
        if epoch == 0:
            body.update(RebalanceTimeoutMs=10000, TopicPartitions=[],
                        SubscribedTopicNames=list(self.topics))
        keys = {"instance": "InstanceId", "rack": "RackId", "rebalance": "RebalanceTimeoutMs",
                "topics": "SubscribedTopicNames", "regex": "SubscribedTopicRegex",
                "assignor": "ServerAssignor", "group": "GroupId"}
        for k, v in how.items():
            if k == "owned":
                body["TopicPartitions"] = None if v is None else [
                    {"TopicId": self.id(t), "Partitions": p} for t, p in v.items()]
            else:
                body[keys[k]] = v
        return body

    def raw(self, member, epoch, version=None, **how):
        v = self.version if version is None else version
        return self.s.until(
            lambda: self.s.c.call("ConsumerGroupHeartbeat", v, self.body(member, epoch, **how)),
            lambda a: a["ErrorCode"] not in BUSY)

    def describe(self, name=None):
        return self.s.until(
            lambda: self.s.c.call("ConsumerGroupDescribe", 1, {"GroupIds": [name or self.name]}),
            lambda a: a["Groups"][0]["ErrorCode"] not in BUSY)["Groups"][0]

    def id(self, t):
        """The id of topic number t, or of a topic that does not exist (-1)."""
        if t == -1:
            return b"\x07" * 16
        self.learn()
        return {v: k for k, v in self.ids.items()}["t%d" % t]

    def learn(self):
        for m in self.describe()["Members"]:
            for a in (m["Assignment"], m["TargetAssignment"]):
                for t in a["TopicPartitions"]:
                    if t["TopicName"] in self.topics:
                        label = "t%d" % self.topics.index(t["TopicName"])
                        self.ids[t["TopicId"]] = label

    def parts(self, assignment):
        """{label: partitions} or None"""
        if assignment is None:
            return None
        if any(t["TopicId"] not in self.ids for t in assignment["TopicPartitions"]):
            self.learn()
        return {self.ids.get(t["TopicId"], "?"): sorted(t["Partitions"]) for t in
                sorted(assignment["TopicPartitions"],
                       key=lambda t: self.ids.get(t["TopicId"], "?"))}

    def line(self, a):
        return "error %d epoch %d interval %d has %s" % (
            a["ErrorCode"], a["MemberEpoch"], a["HeartbeatIntervalMs"], self.parts(a["Assignment"]))

    def beat(self, member, epoch, **how):
        return self.line(self.raw(member, epoch, **how))

    def error(self, member, epoch, **how):
        return self.raw(member, epoch, **how)["ErrorCode"]

    def shown(self, name=None):
        g = self.describe(name)
        members = sorted(g["Members"], key=lambda m: (m["InstanceId"] or "", m["MemberId"]))
        return "error %d %s epoch %d assigned %d by %s: %s" % (
            g["ErrorCode"], g["GroupState"], g["GroupEpoch"], g["AssignmentEpoch"],
            g["AssignorName"], "; ".join(
                "%s %s e%d has %s target %s" % (
                    self.s.name("member", m["MemberId"]), m["InstanceId"], m["MemberEpoch"],
                    self.parts(m["Assignment"]), self.parts(m["TargetAssignment"]))
                for m in members))


def member(name):
    return wire.unique(name)


@row("K03", "a member joins, lives and leaves")
def consumer_life(s):
    g, m = Group(s, 3), member("m")
    s.rec("join", g.beat(m, 0))
    s.rec("shown", g.shown())
    s.rec("beat", g.beat(m, 2))
    s.rec("owned", g.beat(m, 2, owned={0: [0, 1, 2]}))
    s.rec("full", g.beat(m, 2, owned={0: [0, 1, 2]}, rebalance=10000, topics=g.topics))
    s.rec("again", g.beat(m, 0))
    s.rec("shown", g.shown())
    s.rec("leave", g.beat(m, -1))
    s.rec("shown", g.shown())
    s.rec("after", g.error(m, 2), g.error(m, -1))
    s.rec("new one", g.beat(member("n"), 0))


@row("K03", "what a heartbeat is refused for")
def consumer_refused(s):
    g, m = Group(s, 1), member("m")
    join = lambda **how: g.error(m, 0, **how)
    s.rec("no rebalance timeout", join(rebalance=-1))
    s.rec("partitions", join(owned={-1: [0]}), join(owned=None))
    s.rec("no topics", join(topics=None))
    s.rec("names", g.error("", 0), g.error(" ", 0), join(group=""), join(instance=""), join(rack=" "))
    s.rec("epochs", g.error(m, -3), g.error(m, -2), g.error("", 1), g.error("", -1))
    s.rec("assignor", join(assignor="other"), join(assignor=""))
    s.rec("unknown group", g.error(m, 1), g.error(m, -1), g.error(m, -2, instance="i"))
    s.rec("nothing made", g.describe()["ErrorCode"])
    s.rec("join", g.beat(m, 0, topics=[]))
    s.rec("unknown member", g.error(member("no"), 1), g.error(member("no"), -1))


@row("K03", "a member epoch that is not the member's")
def consumer_epochs(s):
    g, one, two = Group(s, 2), member("m"), member("m")
    g.raw(one, 0)
    s.rec("above", g.error(one, 3))
    s.rec("below", g.error(one, 2, topics=g.topics))
    g.raw(two, 0)
    s.rec("to revoke", g.beat(one, 2))
    kept = g.parts(g.raw(one, 2, rebalance=10000, topics=g.topics, owned={0: [0, 1]})["Assignment"])
    s.rec("kept", len(kept["t0"]))
    s.rec("revoked", len(kept["t0"]), g.raw(one, 2, owned={0: kept["t0"]})["MemberEpoch"])
    s.rec("previous", g.error(one, 2), g.error(one, 2, owned={0: [0, 1]}),
          g.error(one, 2, owned={0: kept["t0"]}), g.error(one, 2, owned={}))
    s.rec("now", g.raw(one, 3)["MemberEpoch"])


def settle(g, members, has):
    """Heartbeats of all until nothing changes for three rounds; has: member -> its partitions.
    Each gives up and takes what it is told. -> the rounds' largest overlap (0 = never two owners)"""
    epochs = {m: g.raw(m, 0)["MemberEpoch"] if m not in has else has[m][0] for m in members}
    held = {m: has[m][1] if m in has else {} for m in members}
    quiet, overlap = 0, 0
    for _ in range(60):
        changed = False
        for m in members:
            a = g.raw(m, epochs[m], owned={int(t[1:]): p for t, p in held[m].items()})
            if a["ErrorCode"]:
                raise RuntimeError("heartbeat of %s: %d" % (m, a["ErrorCode"]))
            parts = g.parts(a["Assignment"])
            changed = changed or a["MemberEpoch"] != epochs[m] or (
                parts is not None and parts != held[m])
            epochs[m] = a["MemberEpoch"]
            held[m] = held[m] if parts is None else parts
            have = [(t, p) for x in held.values() for t, ps in x.items() for p in ps]
            overlap = max(overlap, len(have) - len(set(have)))
        quiet = 0 if changed else quiet + 1
        if quiet == 3:
            break
    for m in members:
        has[m] = (epochs[m], held[m])
    return overlap


def sizes(has, members):
    return sorted(sum(len(p) for p in has[m][1].values()) for m in members)


@row("K03", "two members, then three, then one")
def consumer_rebalance(s):
    g, m = Group(s, 6), [member("m%d" % i) for i in range(3)]
    has = {}
    for n in (1, 2, 3):
        s.rec("%d members" % n, settle(g, m[:n], has), sizes(has, m[:n]))
        s.rec("epochs", [has[x][0] for x in m[:n]], g.describe()["GroupState"])
    s.rec("leave", g.beat(m[0], -1))
    s.rec("left", settle(g, m[1:], has), sizes(has, m[1:]), [has[x][0] for x in m[1:]])
    s.rec("leave", g.beat(m[1], -1))
    s.rec("one", settle(g, m[2:], has), has[m[2]])


@row("K03", "a partition is given when its owner has let go of it")
def consumer_handover(s):
    g, one, two = Group(s, 2), member("m"), member("m")
    s.rec("first", g.beat(one, 0))
    s.rec("second waits", g.beat(two, 0))
    s.rec("state", g.describe()["GroupState"])
    s.rec("second waits", g.beat(two, 3))
    a = g.raw(one, 2)
    kept = g.parts(a["Assignment"])["t0"]
    s.rec("first gives up", a["MemberEpoch"], len(kept))
    s.rec("says nothing", g.beat(one, 2))
    s.rec("still has both", g.beat(one, 2, owned={0: [0, 1]}))
    s.rec("second waits", g.beat(two, 3))
    a = g.raw(one, 2, owned={0: kept})
    s.rec("has given up", a["MemberEpoch"], a["Assignment"])
    a = g.raw(two, 3)
    got = g.parts(a["Assignment"])["t0"]
    s.rec("second gets it", a["MemberEpoch"], sorted(kept + got))
    s.rec("state", g.describe()["GroupState"])


@row("K03", "a description says what a member has yet to give up")
def consumer_giving_up(s):
    g = Group(s, 2, 1)
    g.raw("a", 0, assignor="range")
    g.raw("b", 0)
    s.rec("asked to", g.beat("a", 2))
    s.rec("shown", g.shown())
    s.rec("wants less", g.beat("a", 2, topics=g.topics[:1]))
    s.rec("shown", g.shown())
    s.rec("given up", g.beat("a", 2, owned={0: [0]}))
    s.rec("shown", g.shown())


@row("K03", "a member that leaves while others wait for it")
def consumer_leaves(s):
    g, one, two = Group(s, 4), member("m"), member("m")
    g.raw(one, 0)
    g.raw(two, 0)
    s.rec("gives up", len(g.parts(g.raw(one, 2)["Assignment"])["t0"]))
    s.rec("leaves", g.beat(one, -1))
    s.rec("all", g.beat(two, 3))
    s.rec("shown", g.describe()["GroupEpoch"], g.describe()["GroupState"])


@row("K03", "a member that does not give up is put out")
def consumer_rebalance_timeout(s):
    g, one, two = Group(s, 2), member("m"), member("m")
    g.raw(one, 0, rebalance=1000)
    g.raw(two, 0)
    s.rec("to give up", g.raw(one, 2)["MemberEpoch"])

    def both():
        time.sleep(0.2)
        g.raw(two, 3)
        return g.error(one, 2)
    s.rec("out", s.until(both, lambda e: e != 0))
    epoch, a = 3, None
    while not a or len((g.parts(a["Assignment"]) or {}).get("t0", [])) < 2:
        a = g.raw(two, epoch)
        epoch = a["MemberEpoch"]
        if a["ErrorCode"]:
            break
    s.rec("the other has all", g.shown().count("[0, 1]"))


@row("K03", "a silent member is put out")
def consumer_session(s):
    g, one, two = Group(s, 2), member("m"), member("m")
    g.raw(one, 0)
    g.raw(two, 0)
    epoch, began = 3, time.time()
    while time.time() < began + 12:
        a = g.raw(two, epoch)
        epoch = a["MemberEpoch"]
        if len((g.parts(a["Assignment"]) or {}).get("t0", [])) == 2:
            break
        time.sleep(0.1)
    s.rec("has all", epoch, 2.5 < time.time() - began < 8)
    s.rec("the silent one", g.error(one, 2))
    s.until(lambda: g.describe()["GroupState"], lambda x: x == "Empty")
    s.rec("nobody", g.shown())


@row("K03", "a static member that goes and comes back")
def consumer_static(s):
    g, one, two, three = Group(s, 2), member("m"), member("m"), member("m")
    s.rec("join", g.beat(one, 0, instance="i"))
    s.rec("twice", g.error(two, 0, instance="i"))
    s.rec("as another", g.error(two, 2, instance="i"))
    s.rec("unknown instance", g.error(one, 2, instance="j"))
    s.rec("without instance", g.beat(one, 2))
    s.rec("goes", g.beat(one, -2, instance="i"))
    s.rec("away", g.shown())
    s.rec("former self", g.error(one, 2, instance="i"))
    s.rec("comes back", g.beat(two, 0, instance="i"))
    s.rec("shown", g.shown())
    s.rec("former self", g.error(one, 2, instance="i"), g.error(one, 2), g.error(one, -1, instance="i"),
          g.error(one, -2, instance="i"))
    s.rec("other leaves", g.error(three, -1, instance="j"))
    s.rec("goes", g.beat(two, -2, instance="i"))
    s.rec("back as itself", g.beat(two, 0, instance="i"))
    s.rec("leaves", g.beat(two, -1, instance="i"))
    s.rec("shown", g.shown())


@row("K03", "a member that gets an instance id, and an instance that takes a member's id")
def consumer_static_ids(s):
    g = Group(s, 4)
    g.raw("a", 0, assignor="range")
    s.rec("becomes static", g.beat("a", 0, instance="i"))
    s.rec("shown", g.shown())
    s.rec("beats", g.beat("a", 2, instance="i"), g.beat("a", 2), g.error("a", 2, instance="j"))
    g.raw("b", 0)
    g.raw("a", -2, instance="i")
    s.rec("takes another's id", g.beat("b", 0, instance="i"))
    s.rec("shown", g.shown())
    s.rec("former self", g.error("a", 3), g.error("a", 3, instance="i"))
    s.rec("leaves", g.beat("b", -1))
    s.rec("shown", g.shown())


@row("K03", "a static member that is away keeps its partitions until its session ends")
def consumer_static_away(s):
    g, one, two = Group(s, 2), member("m"), member("m")
    has = {}
    g.raw(one, 0, instance="i")
    has[one] = (2, {"t0": [0, 1]})
    settle(g, [one, two], has)
    s.rec("both", sizes(has, [one, two]))
    s.rec("goes", g.beat(one, -2, instance="i"))
    s.rec("other", g.beat(two, 3))
    began, epoch = time.time(), 3
    while time.time() < began + 12:
        a = g.raw(two, epoch)
        epoch = a["MemberEpoch"]
        if len((g.parts(a["Assignment"]) or {}).get("t0", [])) == 2:
            break
        time.sleep(0.1)
    s.rec("at last", epoch, 1.5 < time.time() - began < 8)


@row("K03", "subscriptions that change")
def consumer_subscription(s):
    g, m = Group(s, 2, 1), member("m")
    a, b = g.topics
    s.rec("both", g.beat(m, 0))
    s.rec("same", g.beat(m, 2, topics=[b, a]))
    s.rec("one", g.beat(m, 2, topics=[a]))
    s.rec("given up", g.beat(m, 2, owned={0: [0, 1]}))
    s.rec("shown", g.shown())
    s.rec("none", g.beat(m, 3, topics=[]))
    s.rec("given up", g.beat(m, 3, owned={}))
    no = wire.unique("no")
    s.rec("one that is not there", g.beat(m, 4, topics=[no, b]))
    s.rec("shown", g.shown())
    s.create(no, 1)
    e = s.until(lambda: g.raw(m, 5), lambda x: x["MemberEpoch"] == 6)
    s.rec("now it is there", e["MemberEpoch"], len(e["Assignment"]["TopicPartitions"]))


@row("K03", "topics that grow and vanish")
def consumer_topics(s):
    g, m = Group(s, 1, 1), member("m")
    s.rec("join", g.beat(m, 0))
    a = s.c.call("CreatePartitions", 0, {
        "Topics": [{"Name": g.topics[0], "Count": 3, "Assignments": None}],
        "TimeoutMs": 10000, "ValidateOnly": False})
    s.rec("grow", [x["ErrorCode"] for x in a["Results"]])
    e = s.until(lambda: g.raw(m, 2), lambda x: x["MemberEpoch"] == 3)
    s.rec("grown", g.line(e))
    s.delete(g.topics[1])
    e = s.until(lambda: g.raw(m, 3), lambda x: x["Assignment"])
    s.rec("one is gone", g.line(e))
    s.rec("given up", s.until(lambda: g.raw(m, 3, owned={0: [0, 1, 2]}),
                              lambda x: x["MemberEpoch"] == 4)["MemberEpoch"])
    s.rec("shown", g.shown())


@row("K03", "the assignors")
def consumer_assignors(s):
    g = Group(s, 5, 2)
    m = ["a", "b", "c"]
    has = {}
    for x in m:
        g.raw(x, 0, assignor="range")
        has[x] = (g.describe()["GroupEpoch"] if x == "a" else 0, {})
    has = {"a": (2, {"t0": [0, 1, 2, 3, 4], "t1": [0, 1]})}
    settle(g, m, has)
    s.rec("range", [has[x][1] for x in m], g.describe()["AssignorName"])
    for x in m[:2]:
        s.rec("another", g.error(x, has[x][0], assignor="uniform"))
    s.rec("by majority", g.describe()["AssignorName"], g.describe()["GroupEpoch"])
    g.raw("c", -1)
    settle(g, m[:2], has)
    s.rec("uniform", sizes(has, m[:2]))


@row("K03", "two assignors with as many votes: the one that only the asking member wants")
def consumer_assignor_tie(s):
    for order in (("uniform", "range"), ("range", "uniform")):
        g = Group(s, 1, 1)

        def targets():
            x = g.describe()
            return x["AssignorName"], sorted(
                sum(len(t["Partitions"]) for t in m["TargetAssignment"]["TopicPartitions"])
                for m in x["Members"])
        for who, assignor in zip("ab", order):
            g.raw(who, 0, assignor=assignor)
        s.rec("second " + order[1], targets())
        g.raw("c", 0)
        s.rec("one who does not mind", targets())
        for who in "ab":
            g.raw("c", -1)
            g.raw(who, 0)
            s.rec("asked by " + who, targets())
            g.raw("c", 0)
        g.raw("d", 0, assignor="range")
        s.rec("a majority", targets())
        g.raw("e", 0, assignor="uniform")
        s.rec("two and two", targets())


@row("K03", "range: static members first, topics that not all want")
def consumer_range(s):
    g, has = Group(s, 4, 3), {}
    g.raw("z", 0, assignor="range", instance="i1")
    g.raw("y", 0, assignor="range", instance="i0")
    g.raw("a", 0, assignor="range", topics=[g.topics[0]])
    has["z"] = (2, {"t0": [0, 1, 2, 3], "t1": [0, 1, 2]})
    settle(g, ["z", "y", "a"], has)
    s.rec("range", [has[x][1] for x in ("y", "z", "a")])


@row("K03", "uniform: topics that not all want")
def consumer_uniform_mixed(s):
    g, has = Group(s, 6, 3), {}
    g.raw("a", 0)
    has["a"] = (2, {"t0": [0, 1, 2, 3, 4, 5], "t1": [0, 1, 2]})
    g.raw("b", 0, topics=[g.topics[0]])
    g.raw("c", 0, topics=[g.topics[1]])
    settle(g, ["a", "b", "c"], has)
    every = [(t, p) for x in has.values() for t, ps in x[1].items() for p in ps]
    s.rec("all once", len(every), len(set(every)), sorted(has["b"][1]), sorted(has["c"][1]))
    s.rec("even", sizes(has, ["a", "b", "c"]))


@row("K03", "version 0: the broker makes the member id")
def consumer_version_0(s):
    g = Group(s, 1)
    a = g.raw("", 0, version=0)
    s.rec("made", g.line(a), len(a["MemberId"]) == 22)
    m = a["MemberId"]
    s.rec("beat", g.beat(m, 2, version=0))
    s.rec("own id", g.error("mine", 0, version=0))
    s.rec("shown", g.describe()["GroupEpoch"], len(g.describe()["Members"]))


@row("K03", "ConsumerGroupDescribe, ListGroups, DescribeGroups, DeleteGroups")
def consumer_admin(s):
    g, m = Group(s, 1), member("m")
    g.raw(m, 0, instance="i", rack="r")
    x = g.describe()
    s.rec("group", {k: v for k, v in x.items() if k not in ("GroupId", "Members")})
    for v in x["Members"]:
        s.rec("member", v["InstanceId"], v["RackId"], v["ClientId"], v["ClientHost"],
              v["SubscribedTopicNames"] == g.topics, repr(v["SubscribedTopicRegex"]), v["MemberType"])
    none = wire.unique("no")
    for name in (none, ""):
        s.rec("none", *[g.describe(none)[k] for k in ("ErrorCode", "GroupState", "GroupEpoch",
                                                      "AssignorName", "Members")])
    classic = wire.unique("classic")
    c, n = s.stable_member(classic)
    s.rec("classic", g.describe(classic)["ErrorCode"])
    listed = lambda: [x["ProtocolType"] for x in s.c.call("ListGroups", 0, {})["Groups"]
                      if x["GroupId"] == g.name]
    s.rec("list", listed())
    s.rec("as classic", s.group_state(g.name))
    drop = lambda: s.c.call("DeleteGroups", 1, {"GroupsNames": [g.name]})["Results"][0]["ErrorCode"]
    s.rec("delete", drop())
    g.raw(m, -1, instance="i")
    s.rec("empty", listed(), drop(), listed(), g.describe()["ErrorCode"])


@row("K03", "the classic protocol at a consumer group, and the other way round")
def consumer_and_classic(s):
    g, m, n = Group(s, 1), member("m"), member("m")
    t = g.topics[0]
    g.raw(m, 0, instance="i")
    s.rec("join", s.join_once(g.name)["ErrorCode"], s.join_once(g.name, member=m)["ErrorCode"])
    s.rec("heartbeat", s.beat(g.name, m, 2), s.beat(g.name, m, 2, "i"), s.beat(g.name, "x", 2, "i"))
    s.rec("sync", s.sync(g.name, m, 2)[0], s.sync(g.name, "x", 2, (), "i")[0])
    s.rec("still", g.beat(m, 2))
    s.rec("commit", s.commit(g.name, t, 0, 5, m, 2), s.commit(g.name, t, 0, 5),
          s.commit(g.name, t, 0, 5, "x", 2))
    g.raw(m, -1, instance="i")
    s.rec("commit of nobody", s.commit(g.name, t, 0, 6), s.committed(g.name, t))
    c, generation = s.stable_member(g.name)
    s.rec("becomes classic", generation, s.group_state(g.name), s.committed(g.name, t))
    s.rec("a member of the new protocol", g.error(m, 0), g.error(m, 2))
    s.leave(g.name, c)
    s.rec("empty", g.error(m, 2), g.beat(m, 0))
    s.rec("offset", s.committed(g.name, t), s.group_state(g.name))


@row("K03", "LeaveGroup of the classic protocol puts members out")
def consumer_put_out(s):
    g, one, two, three = Group(s, 1), member("m"), member("m"), member("m")
    g.raw(one, 0, instance="i")
    g.raw(two, 0)
    g.raw(three, 0, instance="j")
    out = lambda *who: [(m["MemberId"] in (one, two, three, ""), m["ErrorCode"]) for m in s.c.call(
        "LeaveGroup", 3, {"GroupId": g.name, "Members": [
            {"MemberId": m, "GroupInstanceId": i} for m, i in who]})["Members"]]
    s.rec("wrong", out(("x", None), ("", "k"), ("x", "i")))
    s.rec("epoch", g.describe()["GroupEpoch"])
    s.rec("out", out((two, None), ("", "i")))
    s.rec("epoch", g.describe()["GroupEpoch"], len(g.describe()["Members"]))
    s.rec("last", s.leave(g.name, three), g.shown())


@row("K03", "OffsetCommit and OffsetFetch of members")
def consumer_offsets(s):
    g, one, two = Group(s, 2), member("m"), member("m")
    t, has = g.topics[0], {}
    commit = lambda who, e, p=0, instance=None, v=9: s.commit(
        g.name, t, p, 5, who, e, instance, version=v)

    def fetch(who, e, name=None):
        a = s.c.call("OffsetFetch", 9, {"Groups": [
            {"GroupId": name or g.name, "MemberId": who, "MemberEpoch": e,
             "Topics": [{"Name": t, "PartitionIndexes": [0]}]}], "RequireStable": False})["Groups"][0]
        return a["ErrorCode"], [x["CommittedOffset"] for y in a["Topics"] for x in y["Partitions"]]
    none = wire.unique("no")
    s.rec("no group", s.commit(none, t, 0, 5, one, 1, version=9), fetch(one, 1, none),
          fetch(None, -1, none))
    g.raw(one, 0)
    s.rec("member", commit(one, 2), commit(one, 3), commit(one, 1), commit("x", 2), commit("", 2))
    s.rec("nobody", commit("", -1), commit(one, -1), commit(one, 2, v=8))
    s.rec("instance", commit(one, 2, instance="i"))
    s.rec("fetch", fetch(one, 2), fetch(one, 3), fetch(one, 1), fetch("x", 2), fetch(None, -1))
    s.rec("fetch as nobody", fetch("", -1), fetch(one, -1), fetch(None, 2))
    has[one] = (2, {"t0": [0, 1]})
    settle(g, [one, two], has)
    mine, lost = has[one][1]["t0"][0], has[two][1]["t0"][0]
    s.rec("epoch 2", commit(one, 2, mine), commit(one, 2, lost))
    s.rec("epoch 3", commit(one, 3, mine), commit(one, 3, lost))
    s.rec("the other", commit(two, 2, lost), commit(two, 3, lost), commit(two, 3, mine))
    g.raw(one, -2, instance="i")
    s.rec("fetch", fetch(one, 2), fetch(one, 3))


@row("K03", "a commit of what is not there makes no group")
def consumer_no_commit(s):
    t, x = s.topic(), wire.unique("txn")
    _, pid, epoch = s.init(x)
    name = wire.unique("group")
    s.find(name)

    def seen():
        a = s.c.call("OffsetDelete", 0, {"GroupId": name, "Topics": [
            {"Name": t, "Partitions": [{"PartitionIndex": 0}]}]})
        drop = s.c.call("DeleteGroups", 1, {"GroupsNames": [name]})["Results"][0]["ErrorCode"]
        return s.group_state(name), a["ErrorCode"], drop
    for version in (2, 7, 9):
        s.rec("no partition", s.commit(name, t, 1, 5, version=version), seen())
    s.rec("no topic", s.commit(name, wire.unique("no"), 0, 5), seen())
    a = s.c.call("OffsetCommit", 10, {"GroupId": name, "Topics": [
        {"TopicId": b"\x07" * 16, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 5}]}]})
    s.rec("no id", a["Topics"][0]["Partitions"][0]["ErrorCode"], seen())
    s.add_offsets(x, pid, epoch, name)
    s.rec("in a transaction", s.txn_commit(x, pid, epoch, name, t, 1, 5), seen())
    s.rec("a member's", s.commit(name, t, 1, 5, "m", 1, version=9), seen())
    s.rec("one that is there", s.commit(name, t, 0, 5), seen())
    s.end(x, pid, epoch, False)


@row("K03", "commits of a static member that is away")
def consumer_static_commits(s):
    g, one, two = Group(s, 1), member("m"), member("m")
    t = g.topics[0]
    g.raw(one, 0, instance="i")
    commit = lambda who, e: s.commit(g.name, t, 0, 5, who, e, "i", version=9)
    s.rec("here", commit(one, 2))
    g.raw(one, -2, instance="i")
    s.rec("away", commit(one, 2), commit(one, -2), commit(one, 0))
    g.raw(two, 0, instance="i")
    s.rec("back", commit(one, 2), commit(two, 2), commit(two, 0), commit(two, 1))


@row("K03", "newer ListGroups, DescribeGroups, ConsumerGroupDescribe")
def consumer_lists(s):
    g, m = Group(s, 1), member("m")
    g.raw(m, 0)
    c = wire.unique("classic")
    s.stable_member(c)

    def listed(**filters):
        a = s.c.call("ListGroups", 5, filters)
        return a["ErrorCode"], sorted((x["GroupId"] == g.name, x["ProtocolType"], x["GroupState"],
                                       x["GroupType"]) for x in a["Groups"]
                                      if x["GroupId"] in (g.name, c))
    s.rec("all", listed())
    s.rec("types", listed(TypesFilter=["consumer"]), listed(TypesFilter=["Classic"]),
          listed(TypesFilter=["no"]))
    s.rec("states", listed(StatesFilter=["stable"]), listed(StatesFilter=["Empty"]),
          listed(StatesFilter=["Assigning", "Reconciling"]))
    for v in (5, 6):
        x = s.c.call("DescribeGroups", v, {"Groups": [g.name]})["Groups"][0]
        s.rec("described", x["ErrorCode"], x["GroupState"], len(x["Members"]),
              (x.get("ErrorMessage") or "").replace(g.name, "G"))
    a = s.c.call("ConsumerGroupDescribe", 0, {"GroupIds": [g.name, wire.unique("no")],
                                              "IncludeAuthorizedOperations": True})
    s.rec("operations", [x["AuthorizedOperations"] for x in a["Groups"]],
          [sorted(x) for x in a["Groups"][0]["Members"]])


@row("K03", "transactional commits of members")
def consumer_txn(s):
    g, m, x = Group(s, 2), member("m"), wire.unique("txn")
    t = g.topics[0]
    g.raw(m, 0)
    _, pid, epoch = s.init(x)
    s.rec("add", s.add_offsets(x, pid, epoch, g.name))
    tc = lambda who, e, **how: s.txn_commit(x, pid, epoch, g.name, t, 0, 7, who, e, **how)
    s.rec("unknown", tc("nobody", 2), tc("", 1), tc("nobody", -1))
    s.rec("epoch", tc(m, 3), tc(m, 1), tc(m, 0), tc(m, -1))
    s.rec("none", tc("", -1))
    s.rec("good", tc(m, 2), s.end(x, pid, epoch, True), s.settled(x)[1])
    s.rec("there", s.until(lambda: s.committed(g.name, t, 0, True), lambda a: a[0] == 0))


@row("K03", "transactional commits with an epoch from before a rebalance")
def consumer_txn_epochs(s):
    g, one, two, x = Group(s, 2), member("m"), member("m"), wire.unique("txn")
    t, has = g.topics[0], {}
    g.raw(one, 0)
    has[one] = (2, {"t0": [0, 1]})
    settle(g, [one, two], has)
    mine, lost = has[one][1]["t0"][0], has[two][1]["t0"][0]
    _, pid, epoch = s.init(x)
    s.add_offsets(x, pid, epoch, g.name)
    tc = lambda who, e, p: s.txn_commit(x, pid, epoch, g.name, t, p, 7, who, e)
    s.rec("epoch 2", tc(one, 2, mine), tc(one, 2, lost))
    s.rec("epoch 3", tc(one, 3, mine), tc(one, 3, lost))
    s.rec("epoch 1", tc(one, 1, mine))
    s.rec("the other", tc(two, 2, lost), tc(two, 3, lost))
    s.end(x, pid, epoch, False)


@row("K03", "OffsetDelete of a topic that members subscribe to")
def consumer_offset_delete(s):
    g, m = Group(s, 1, 1), member("m")
    for t in g.topics:
        s.commit(g.name, t, 0, 5)
    g.raw(m, 0, topics=[g.topics[0]])
    for t in g.topics:
        a = s.c.call("OffsetDelete", 0, {"GroupId": g.name, "Topics": [
            {"Name": t, "Partitions": [{"PartitionIndex": 0}]}]})
        s.rec("delete", a["ErrorCode"], a["Topics"][0]["Partitions"], s.committed(g.name, t))


@row("K03", "patterns of topics")
def consumer_regex(s):
    g, m = Group(s, 2), member("m")
    prefix = wire.unique("re")
    s.create(prefix + "-a1", 1)
    s.create(prefix + "-b", 1)

    def names():
        return sorted(t["TopicName"][len(prefix):] for x in g.describe()["Members"]
                      for t in x["TargetAssignment"]["TopicPartitions"])

    def follow(regex, want):
        """Resubscribes until the member shall have what is wanted, at most 5 s."""
        codes = {g.error(m, 0, topics=[], regex=regex)}
        s.until(lambda: (codes.add(g.error(m, 0, topics=[], regex=regex)), names())[1],
                lambda x: x == want, 5)
        return codes, names()
    for bad in ("(", "[", "a**", "*", "a)", "(?<", "[z-a]", "a{3,1}"):
        s.rec("bad " + bad, g.error(m, 0, topics=[], regex=bad))
    s.rec("nothing made", g.describe()["ErrorCode"])
    s.rec("all", follow(prefix + "-.*", ["-a1", "-b"]))
    s.rec("digits", follow(prefix + r"-[a-c]\d", ["-a1"]))
    s.rec("either", follow("(?:x|%s)-(b|c+)" % prefix, ["-b"]))
    s.rec("counted", follow(prefix + "-[[:alpha:]]{1,2}", ["-b"]))
    s.rec("shown", [x["SubscribedTopicRegex"].replace(prefix, "") for x in g.describe()["Members"]])
    g.raw(m, -1)
    s.rec("partly", g.error(m, 0, topics=[], regex=prefix))
    time.sleep(0.5)
    s.rec("matches whole names only", names())


def looked_up(g, epoch):
    """What patterns stand for is known a little after the heartbeat."""
    return g.s.until(lambda: g.describe()["GroupEpoch"], lambda e: e >= epoch)


@row("K03", "a heartbeat is answered before its pattern is looked up")
def consumer_regex_later(s):
    g = Group(s, 2, 1)
    a, b = g.topics
    s.rec("join", g.beat("a", 0, topics=[], regex=a), looked_up(g, 2), g.shown())
    s.rec("next", g.beat("a", 1), g.shown())
    s.rec("same pattern", g.beat("b", 0, topics=[], regex=a), g.shown())
    s.rec("leave", g.beat("b", -1), g.beat("a", -1), g.shown())
    s.rec("back", g.beat("a", 0, topics=[], regex=a), looked_up(g, 6), g.shown())
    s.rec("other pattern", g.beat("a", 5), g.beat("a", 6, regex=b), g.shown())
    s.rec("given up", g.beat("a", 6, owned={}), looked_up(g, 7), g.shown())
    s.rec("none", g.beat("a", 6), g.beat("a", 7, regex=""), g.shown())
    g = Group(s, 2, 1)
    s.rec("names, too", g.beat("a", 0, topics=g.topics[:1], regex=g.topics[1]), looked_up(g, 3),
          g.beat("a", 2), g.shown())
    g = Group(s, 1)
    s.rec("nothing", g.beat("a", 0, topics=[], regex="nothing"), g.beat("b", 0), g.shown())


@row("K03", "patterns are not looked up again at once")
def consumer_regex_wait(s):
    g = Group(s, 2, 1)
    g.raw("a", 0, topics=[], regex=g.topics[0])
    s.rec("first", looked_up(g, 2), g.beat("a", 1))
    s.rec("second", g.beat("b", 0, topics=[], regex=g.topics[1]), g.shown())
    began, epochs = time.time(), {"a": 2, "b": 2}

    def both():
        time.sleep(0.2)
        for m in epochs:
            epochs[m] = g.raw(m, epochs[m])["MemberEpoch"]
        return list(epochs.values())
    s.rec("at last", s.until(both, lambda x: x == [3, 3], 40), time.time() - began > 5, g.shown())
