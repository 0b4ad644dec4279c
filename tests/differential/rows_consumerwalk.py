# SPDX-License-Identifier: Apache-2.0
"""Walks of a consumer group (KIP-848): requests that are drawn from a seed, of up to four members, two
of them static, who join, acknowledge, resubscribe, leave and come back, and of others who commit,
describe and delete. Needs a session that does not end by itself. KAOS_TEST_CONSUMER_WALK="FROM TO
STEPS": other seeds, other lengths. Odd seeds let members choose the assignor: who has what is not
compared there, only how many."""
import base64
import random

import wire
from rows_consumer import Group
from table import drawn, walks

SEEDS, STEPS = drawn("KAOS_TEST_CONSUMER_WALK", "0 3 60")
OFTEN = {"join": 6, "beat": 4, "ack": 10, "ack_wrongly": 4, "full": 3, "subscribe": 4, "settings": 2,
         "leave": 3, "away": 3, "epoch": 5, "unknown": 1, "instance": 2, "settle": 3, "grow": 1,
         "create": 1, "drop": 1, "commit": 4, "fetch": 3, "txn_commit": 3, "end": 1, "delete": 1,
         "delete_offsets": 2, "classic": 1, "classic_beat": 1, "put_out": 1, "lists": 2}
STEPS_DRAWN = [name for name, n in OFTEN.items() for _ in range(n)]
SLOTS, TOPICS = 4, 4  # slots 2 and 3 are static members; topic 3 comes late


class Slot:
    """A member as its client sees it."""

    def __init__(self, n, instance):
        self.instance = instance
        self.id, self.epoch, self.before = "nobody%d" % n, 5, 4
        self.told, self.owned = {}, {}


class Walk:
    def __init__(self, s, seed):
        self.s, self.seed, self.loose = s, seed, seed % 2 == 1
        self.begin(-1)
        self.sizes = [self.draw.randint(1, 3) for _ in range(TOPICS - 1)] + [0]
        self.g = Group(s, *self.sizes[:-1])
        self.g.topics.append(wire.unique("late"))
        self.slots = [Slot(n, "i%d" % n if n > 1 else None) for n in range(SLOTS)]
        self.txn_id = wire.unique("txn")
        _, self.pid, self.pepoch = s.init(self.txn_id)
        self.adding = False
        self.votes = {}
        self.classic, self.assigned = None, 0

    def begin(self, i):
        self.draw = random.Random("%d %d" % (self.seed, i))

    def odds(self, p):
        return self.draw.random() < p

    # ---- members

    def new_id(self):
        return base64.urlsafe_b64encode(self.draw.getrandbits(128).to_bytes(16, "big")).decode()[:22]

    def someone(self):
        n = self.draw.randrange(SLOTS)
        return n, self.slots[n]

    def some_topics(self, joining=False):
        luck = self.draw.random()
        picked = [t for t in self.g.topics if self.odds(0.7)]
        if joining and not picked:
            return self.g.topics[:1]
        return [] if luck < 0.08 and not joining else picked + ["nowhere"] if luck < 0.15 else picked

    def asked(self, topics):
        return topics and [self.g.topics.index(t) if t in self.g.topics else t for t in topics]

    def assignor(self):
        luck = self.draw.random()
        if luck < 0.03:
            return "other"
        if self.loose:
            return self.draw.choice((None, "uniform", "range"))
        return "range"

    def beat(self, m, epoch=None, who=None, instance=False, version=1, **how):
        """One heartbeat; takes over what is answered. instance: False = the member's."""
        how = {k: v for k, v in how.items() if v is not None}
        i = m.instance if instance is False else instance
        if i is not None:
            how["instance"] = i
        a = self.g.raw(m.id if who is None else who, m.epoch if epoch is None else epoch,
                       version=version, **how)
        if a["ErrorCode"] == 0 and a["MemberEpoch"] > 0:
            if "assignor" in how:
                self.votes[m.instance or a["MemberId"]] = how["assignor"]
            if a["MemberEpoch"] != m.epoch:
                m.before = m.epoch
            m.id, m.epoch = a["MemberId"], a["MemberEpoch"]
            if a["Assignment"] is not None:
                m.told = self.g.parts(a["Assignment"])
            if how.get("owned") is not None:
                m.owned = how["owned"]
            if epoch == 0:
                m.owned = {}
        return self.line(a)

    def args(self, owned):
        return "" if self.loose else owned

    def line(self, a):
        p = self.g.parts(a["Assignment"])
        if self.loose:
            return "error %d %s" % (a["ErrorCode"], self.s.name("member", a["MemberId"]))
        return "error %d %s epoch %d interval %d has %s" % (
            a["ErrorCode"], self.s.name("member", a["MemberId"]), a["MemberEpoch"],
            a["HeartbeatIntervalMs"], p)

    def numbered(self, told):
        return {int(t[1:]): list(p) for t, p in told.items() if t != "?"}

    def shown(self):
        g = self.g.describe()
        members = sorted(g["Members"], key=lambda m: (
            m["InstanceId"] or "", self.s.name("member", m["MemberId"])))
        count = lambda a: sum(len(t["Partitions"]) for t in a["TopicPartitions"])
        parts = (lambda a: "") if self.loose else self.g.parts
        line = "error %d %s epoch %d assigned %d by %s: " % (
            g["ErrorCode"], g["GroupState"], g["GroupEpoch"], g["AssignmentEpoch"],
            g["AssignorName"])
        line += "; ".join("%s %s %s e%d has %s wants %s %r target %s" % (
            self.s.name("member", m["MemberId"]), m["InstanceId"], m["RackId"], m["MemberEpoch"],
            parts(m["Assignment"]), sorted(str(self.g.topics.index(t)) if t in self.g.topics else t
                                           for t in m["SubscribedTopicNames"]),
            m["SubscribedTopicRegex"], parts(m["TargetAssignment"])) for m in members)
        even = len({str(m["SubscribedTopicNames"]) for m in members}) == 1
        new, self.assigned = self.assigned != g["AssignmentEpoch"], g["AssignmentEpoch"]
        if self.loose and new and (even or g["AssignorName"] == "range"):
            line += " %s votes %s sizes %s" % (
                sorted(count(m["TargetAssignment"]) for m in members),
                [self.votes.get(m["InstanceId"] or m["MemberId"]) for m in members], self.sizes)
        return line

    def settle(self):
        """All who are there take and give until nothing changes."""
        quiet = 0
        for _ in range(20):
            before = self.g.describe()
            for m in self.slots:
                if any(x["MemberId"] == m.id and x["MemberEpoch"] >= 0 for x in before["Members"]):
                    self.beat(m, owned=self.numbered(m.told))
            quiet = quiet + 1 if self.steady(self.g.describe()) == self.steady(before) else 0
            if quiet == 2:
                break
        return ("settled",)

    def steady(self, g):
        return g["GroupEpoch"], g["AssignmentEpoch"], sorted(
            (m["MemberId"], m["MemberEpoch"], str(self.g.parts(m["Assignment"])))
            for m in g["Members"])

    def step_settle(self):
        return self.settle()

    def step_join(self):
        n, m = self.someone()
        new, v0, same = self.new_id(), self.odds(0.15), self.odds(0.35)
        who = m.id if same else new
        if v0 and m.instance:
            who = ""
        instance, mix = m.instance, self.odds(0.1)
        if mix and not m.instance:  # becomes a static member, of an instance id that stays
            who, instance = m.id, "i%d" % (n + 2)
        elif mix and who:  # an id that the broker draws has another place in `range`
            instance = None
        topics = self.some_topics(True)
        told = self.beat(m, 0, who, version=0 if who == "" else 1, topics=topics, instance=instance,
                         assignor=self.assignor(), rack=self.draw.choice((None, "r1", "r2")),
                         rebalance=self.draw.choice((45000, 60000)))
        return n, same, who == "", self.s.name("member", who), instance, self.asked(topics), "->", told

    def step_beat(self):
        n, m = self.someone()
        return n, "->", self.beat(m)

    def step_ack(self):
        n, m = self.someone()
        return n, "->", self.beat(m, owned=self.numbered(m.told))

    def wrong(self, m):
        """What it does not have, and in which way. What it draws depends on what it has."""
        draw = random.Random(self.draw.random())
        owned = self.numbered(m.told)
        how = draw.choice(("late", "part", "more", "none", "other"))
        if how == "late":
            owned = dict(m.owned)
        elif how == "part":
            owned = {t: [x for x in p if draw.random() < 0.5] for t, p in owned.items()}
            owned = {t: p for t, p in owned.items() if p}
        elif how == "more":
            known = [int(t[1:]) for t in self.g.ids.values()]
            t = draw.choice((0, 1, 2))
            t = t if t in known else -1
            owned[t] = sorted(set(owned.get(t, [])) | {draw.choice((0, 1, 2, 99))})
        elif how == "other":
            owned = self.numbered(draw.choice(self.slots).told)
        else:
            owned = {}
        return how, owned

    def step_ack_wrongly(self):
        n, m = self.someone()
        how, owned = self.wrong(m)
        return n, how, self.args(owned), "->", self.beat(m, owned=owned)

    def step_full(self):
        n, m = self.someone()
        topics = self.some_topics() if self.odds(0.4) else None
        owned = self.numbered(m.told) if self.odds(0.8) else self.wrong(m)[1]
        assignor = self.assignor()
        return n, self.asked(topics), assignor, self.args(owned), "->", self.beat(
            m, owned=owned, topics=topics, rebalance=60000, assignor=assignor)

    def step_subscribe(self):
        n, m = self.someone()
        topics = self.some_topics()
        owned = self.draw.choice((None, None, "told", "owned", "wrong"))
        owned = {None: None, "told": self.numbered(m.told), "owned": m.owned,
                 "wrong": self.wrong(m)[1]}[owned]
        return n, self.asked(topics), self.args(owned), "->", self.beat(m, topics=topics, owned=owned)

    def step_settings(self):
        n, m = self.someone()
        what = self.draw.choice(("assignor", "rack", "rebalance"))
        value = {"assignor": self.assignor(), "rack": self.draw.choice(("r1", "r2", "r3", "")),
                 "rebalance": self.draw.choice((45000, 50000))}[what]
        return n, what, value, "->", self.beat(m, **{what: value})

    def step_leave(self):
        n, m = self.someone()
        instance = m.instance
        if self.odds(0.1):
            instance = self.draw.choice((None, "i2", "i3", "i4"))
        return n, instance, "->", self.beat(m, -1, instance=instance)

    def step_away(self):
        n = self.draw.choice((2, 2, 3, 3, 0))
        m = self.slots[n]
        who = m.id if self.odds(0.9) else self.draw.choice(self.slots).id
        return n, who == m.id, "->", self.beat(m, -2, who)

    def step_epoch(self):
        n, m = self.someone()
        which = self.draw.choice(("before", "before", "before", "below", "above", "far", "-3"))
        which = "far" if self.loose and which in ("before", "below") else which
        epoch = {"before": m.before, "below": m.epoch - 1, "above": m.epoch + 1,
                 "far": m.epoch + 7, "-3": -3}[which]
        how, owned = self.wrong(m)
        if self.odds(0.5):
            how, owned = "told", self.numbered(m.told)
        if self.odds(0.15):
            how, owned = "nothing", None
        if epoch in (0, -1, -2):
            epoch = m.epoch + 1
        return n, which, how, self.args(owned), "->", self.beat(m, epoch, owned=owned)

    def step_unknown(self):
        n, m = self.someone()
        who = self.draw.choice(("nobody", "", " "))
        return n, repr(who), "->", self.beat(m, who=who)

    def step_instance(self):
        n, m = self.someone()
        instance = self.draw.choice((None, "i2", "i3", "i4", ""))
        epoch = self.draw.choice((None, None, -1, -2))
        return n, instance, epoch, "->", self.beat(m, epoch, instance=instance)

    # ---- topics

    def known(self, t):
        """Waits until the coordinator knows of all partitions of a topic."""
        other, m = wire.unique("group"), "m"
        self.s.until(lambda: self.g.raw(m, 0, version=1, group=other,
                                        topics=[self.g.topics[t]])["Assignment"],
                     lambda a: a and self.sizes[t] == sum(len(x["Partitions"])
                                                          for x in a["TopicPartitions"]))
        self.g.raw(m, -1, version=1, group=other)

    def step_create(self):
        t = self.draw.randrange(TOPICS)
        if self.sizes[t]:
            return ("is there",)
        self.sizes[t] = self.draw.randint(1, 3)
        self.s.topic_named(self.g.topics[t], self.sizes[t])
        self.known(t)
        return t, self.sizes[t]

    def step_drop(self):
        t = self.draw.randrange(TOPICS)
        if not self.sizes[t] or self.odds(0.5):
            return ("not",)
        self.sizes[t] = 0
        a = self.s.delete(self.g.topics[t])
        self.known(t)
        self.s.until(lambda: self.s.c.call("OffsetFetch", 7, {
            "GroupId": self.g.name, "Topics": None, "RequireStable": False})["Topics"],
            lambda a: self.g.topics[t] not in [x["Name"] for x in a], 2)
        return t, "->", a

    def step_grow(self):
        t = self.draw.randrange(TOPICS)
        if not self.sizes[t] or self.sizes[t] > 3:
            return ("not",)
        self.sizes[t] += 1
        a = self.s.c.call("CreatePartitions", 0, {
            "Topics": [{"Name": self.g.topics[t], "Count": self.sizes[t], "Assignments": None}],
            "TimeoutMs": 10000, "ValidateOnly": False})
        self.known(t)
        return t, self.sizes[t], "->", [x["ErrorCode"] for x in a["Results"]]

    # ---- offsets

    def claim(self, m):
        """A member id, an epoch and an instance as a commit may have them."""
        luck = self.draw.random()
        who, epoch, instance = m.id, m.epoch, self.draw.choice((m.instance, None))
        other = self.draw.choice((m.before, m.epoch - 1, m.epoch + 1, -1, 0, -2))
        name = self.draw.choice(("nobody", ""))
        if luck < 0.4:
            epoch = other
        elif luck < 0.5:
            who = name
        elif luck < 0.7:
            who, epoch, instance = "", -1, None
        if self.odds(0.08):
            instance = "i3"
        return who, epoch, instance

    def somewhere(self):
        t = self.draw.randrange(TOPICS - 1)
        return t, self.draw.randint(0, 3)

    def step_commit(self):
        (n, m), (t, p) = self.someone(), self.somewhere()
        who, epoch, instance = self.claim(m)
        version = self.draw.choice((9, 9, 9, 8, 7, 6))
        offset = self.draw.randint(0, 99)
        code = self.s.commit(self.g.name, self.g.topics[t], p, offset, who, epoch,
                             instance if version >= 7 else None, version=version)
        return n, who == m.id, epoch, instance, t, p, version, "->", self.masked(code, (113,))

    def masked(self, code, of):
        """Which partitions a member has is not compared in loose walks."""
        return "?" if self.loose and code in (0,) + of else code

    def offsets(self, who=None, epoch=-1, stable=False):
        a = self.s.until(lambda: self.s.c.call("OffsetFetch", 9, {"Groups": [
            {"GroupId": self.g.name, "MemberId": who, "MemberEpoch": epoch, "Topics": None}],
            "RequireStable": stable})["Groups"][0], lambda a: a["ErrorCode"] not in (14, 15, 16))
        if self.loose:
            return a["ErrorCode"]
        return a["ErrorCode"], sorted(
            (self.g.topics.index(t["Name"]), x["PartitionIndex"], x["ErrorCode"],
             x["CommittedOffset"]) for t in a["Topics"] for x in t["Partitions"])

    def step_fetch(self):
        n, m = self.someone()
        who, epoch, _ = self.claim(m)
        if self.odds(0.3):
            who, epoch = None, -1
        stable = self.odds(0.4)
        return n, who == m.id, epoch, stable, "->", self.offsets(who, epoch, stable)

    def step_txn_commit(self):
        (n, m), (t, p) = self.someone(), self.somewhere()
        who, epoch, instance = self.claim(m)
        version = self.draw.choice((3, 4, 5))
        if not self.adding:
            self.s.add_offsets(self.txn_id, self.pid, self.pepoch, self.g.name, version=3)
            self.adding = True
        code = self.s.txn_commit(self.txn_id, self.pid, self.pepoch, self.g.name, self.g.topics[t],
                                 p, self.draw.randint(100, 199), who, epoch, instance, version)
        return n, who == m.id, epoch, instance, t, p, version, "->", self.masked(code, (22,))

    def step_end(self):
        commit = self.odds(0.7)
        if not self.adding:
            return ("nothing",)
        self.adding = False
        a = self.s.until(lambda: self.s.c.call("EndTxn", 5, {
            "TransactionalId": self.txn_id, "ProducerId": self.pid, "ProducerEpoch": self.pepoch,
            "Committed": commit}), lambda a: a["ErrorCode"] != 51)
        self.pid, self.pepoch = a["ProducerId"], a["ProducerEpoch"]
        state = self.s.settled(self.txn_id)
        self.s.until(lambda: str(self.s.c.call("OffsetFetch", 7, {
            "GroupId": self.g.name, "Topics": None, "RequireStable": True})),
            lambda a: "'ErrorCode': 88" not in a)
        return commit, a["ErrorCode"], "->", state, self.offsets()

    # ---- the group as a whole

    def step_delete(self):
        a = self.s.c.call("DeleteGroups", 1, {"GroupsNames": [self.g.name]})
        return a["Results"][0]["ErrorCode"], self.offsets()

    def step_delete_offsets(self):
        t, p = self.somewhere()
        a = self.s.c.call("OffsetDelete", 0, {"GroupId": self.g.name, "Topics": [
            {"Name": self.g.topics[t], "Partitions": [{"PartitionIndex": p}]}]})
        return t, p, "->", a["ErrorCode"], [x["Partitions"] for x in a["Topics"]]

    def step_classic(self):
        if self.classic:
            who, self.classic = self.classic, None
            return "leaves", self.s.leave(self.g.name, who)
        instance = self.draw.choice((None, None, "i2", "i9"))
        a = self.s.join(self.g.name, session=60000, rebalance=60000, instance=instance)
        if a["ErrorCode"] == 0:
            self.classic = a["MemberId"]
            code = self.s.sync(self.g.name, a["MemberId"], a["GenerationId"],
                               [(a["MemberId"], b"all")], instance)
            return instance, "->", a["GenerationId"], code, self.s.group_state(self.g.name)
        return instance, "->", a["ErrorCode"]

    def step_classic_beat(self):
        n, m = self.someone()
        instance = self.draw.choice((None, "i2", "i3"))
        return (n, instance, "->", self.s.beat(self.g.name, m.id, m.epoch, instance),
                self.s.sync(self.g.name, m.id, m.epoch, (), instance)[0])

    def step_put_out(self):
        n, m = self.someone()
        who = self.draw.choice((m.id, m.id, ""))
        instance = self.draw.choice((m.instance, m.instance, None, "i2"))
        a = self.s.c.call("LeaveGroup", 4, {"GroupId": self.g.name, "Members": [
            {"MemberId": who, "GroupInstanceId": instance}]})
        return (n, who == "", instance, "->", a["ErrorCode"], [x["ErrorCode"]
                                                               for x in a["Members"]])

    def step_lists(self):
        a = self.s.c.call("ListGroups", 5, {})
        b = self.s.c.call("DescribeGroups", 6, {"Groups": [self.g.name]})["Groups"][0]
        return ([(x["ProtocolType"], x["GroupState"], x["GroupType"]) for x in a["Groups"]
                 if x["GroupId"] == self.g.name], b["ErrorCode"], b["GroupState"],
                len(b["Members"]))

    def run(self):
        for i in range(STEPS):
            self.begin(i)
            name = self.draw.choice(STEPS_DRAWN)
            self.s.rec("%d %s" % (i, name), *getattr(self, "step_" + name)())
            if self.loose:
                self.settle()
            self.s.rec("   group", self.shown())


walks("K", "a walk of a consumer group", "consumer_walk", SEEDS, lambda s, seed: Walk(s, seed).run(),
      needs="group.consumer.session.timeout.ms")
