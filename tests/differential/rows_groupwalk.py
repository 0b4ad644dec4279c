# SPDX-License-Identifier: Apache-2.0
"""Walks of groups of the classic protocol: requests that are drawn from a seed, of members that join,
wait, go and come back, some of them static, in two groups. No timer fires meanwhile. Who leads after
the leader is chance with Kafka, so that is left out. With KAOS_TEST_SLOW=1 only;
KAOS_TEST_GROUP_WALK="FROM TO STEPS": other seeds, other lengths."""
import os
import random
import select
import struct
import time

import wire
from rows_flex import topic_id
from rows_group import consumers
from table import drawn, walks

SEEDS, STEPS = drawn("KAOS_TEST_GROUP_WALK", "0 10 80")
# Seconds without an answer after which none is expected, and how long one that is due is waited for.
SILENCE = float(os.environ.get("KAOS_TEST_SILENCE", "0.12"))
DUE = 10.0
LONG_MS = 600000
OFTEN = {"join": 16, "sync": 14, "heartbeat": 4, "leave": 3, "leave_many": 2, "commit": 4,
         "txn_commit": 2, "end_txn": 1, "fetch_offsets": 2, "describe": 4, "list": 2,
         "delete_group": 1, "delete_offsets": 2, "give_up": 1, "simple": 1}
STEPS_DRAWN = [name for name, n in OFTEN.items() for _ in range(n)]
MEMBER_ID_REQUIRED = 79
HIDDEN = {"ThrottleTimeMs"}


def subscription(version, *topics):
    """As a consumer writes it: what a version adds stands behind what all have."""
    out = struct.pack(">h", version) + consumers(*topics)[2:]
    if version >= 1:
        out += struct.pack(">i", 0)  # owned partitions
    if version >= 2:
        out += struct.pack(">i", -1)  # generation
    if version >= 3:
        out += struct.pack(">h", -1)  # rack
    return out


class Wait:
    """What a client waits for."""

    def __init__(self, api, version, body, follow, step):
        self.api, self.follow, self.step = api, follow, step
        self.member, self.generation = body["MemberId"], body.get("GenerationId")
        self.told_first = api == "JoinGroup" and version >= 4 and not (
            self.member or version >= 5 and body["GroupInstanceId"])


class Slot:
    """One client: what it believes to be, its connection, and what it waits for."""

    def __init__(self, label, group, conn, instance=None):
        self.label, self.group, self.conn, self.instance = label, group, conn, instance
        self.id, self.generation, self.protocol = "", -1, None
        self.kind, self.protocols = "consumer", None
        self.former = []
        self.members = []  # as the leader was told
        self.waits = None

    def become(self, member, generation):
        if (member, generation) != (self.id, self.generation):
            self.former = (self.former + [(self.id, self.generation)])[-4:]
            self.id, self.generation = member, generation


class Walk:
    def __init__(self, s, seed):
        self.s, self.draw = s, random.Random(seed)
        self.topic, self.other = s.topic(partitions=2), s.topic("other")
        self.ids = {t: topic_id(s, t) for t in (self.topic, self.other)}
        self.groups = [wire.unique("group"), wire.unique("group")]
        self.shown = {self.topic: "T", self.other: "O", self.groups[0]: "g0", self.groups[1]: "g1"}
        self.slots = [Slot("a", 0, s.connect()), Slot("b", 0, s.connect()), Slot("c", 0, s.connect()),
                      Slot("d", 0, s.connect()), Slot("i", 0, s.connect(), "i"),
                      Slot("j", 0, s.connect(), "j"), Slot("x", 1, s.connect()),
                      Slot("y", 1, s.connect()), Slot("k", 1, s.connect(), "k")]
        self.leader = [None, None]  # ids, where they are known
        self.generations = [0, 0]
        self.step = 0
        self.told = set()  # ids that the broker chose
        self.abandoned = []  # connections whose answer may never come
        self.txn = wire.unique("walk")
        self.producer = None
        for g in self.groups:
            s.find(g)

    # ---- showing

    def member(self, value):
        """Names say what the id begins with, too; only who was told an id gives it a number."""
        if not self.is_chosen(value):
            return repr(value)
        kind = value[:-36].replace("differential", "m")
        return self.s.name(kind, value) if value in self.told else kind + "?"

    @staticmethod
    def is_chosen(value):
        return bool(value) and len(value) > 36 and value[-37] == "-"

    def tell(self, value):
        if self.is_chosen(value):
            self.told.add(value)
            self.member(value)

    def plain(self, value, name=""):
        if isinstance(value, dict):
            return {k: self.plain(v, k) for k, v in sorted(value.items()) if k not in HIDDEN}
        if isinstance(value, list):
            return sorted((self.plain(v, name) for v in value), key=str)
        if isinstance(value, bytes) and name == "TopicId":
            return {v: self.shown[k] for k, v in self.ids.items()}.get(value, "other id")
        if isinstance(value, bytes):
            for full, short in self.shown.items():
                value = value.replace(full.encode(), short.encode())
            return value
        if name in ("MemberId", "Leader"):
            return self.member(value)
        if isinstance(value, str):
            for full, short in self.shown.items():
                value = value.replace(full, short)
        return value

    def version(self, low, high):
        return self.draw.randint(low, high)

    def chance(self, p):
        return self.draw.random() < p

    # ---- answers that come when it is time

    def states(self):
        """Of both groups: (state, ids of members)"""
        out = []
        for g in self.groups:
            a = self.s.until(lambda g=g: self.s.c.call("DescribeGroups", 3, {"Groups": [g]})["Groups"][0],
                             lambda a: a["ErrorCode"] not in (14, 15, 16))
            out.append((a["GroupState"], [m["MemberId"] for m in a["Members"]]))
        return out

    def is_due(self, slot, state, members):
        """Whether an answer must come: joins and syncs wait in one state only."""
        wait = slot.waits
        if state != {"JoinGroup": "PreparingRebalance", "SyncGroup": "CompletingRebalance"}[wait.api]:
            return True
        if wait.step != self.step:  # it was looked at before
            return False
        return (wait.told_first or bool(wait.member) and wait.member not in members or
                wait.api == "SyncGroup" and wait.generation != self.generations[slot.group])

    def is_lost(self, slot, members):
        """Who leaves while it waits for its assignment is never answered."""
        wait = slot.waits
        return wait.api == "SyncGroup" and wait.step != self.step and wait.member not in members

    def take(self, slot, answer, got):
        got[slot.label] = (slot, slot.waits, answer)
        slot.waits = None

    def collect(self):
        """All answers until none is due."""
        got, end = {}, time.time() + DUE
        while True:
            conns = {x.conn.sock: x for x in self.slots if x.waits}
            ready = select.select(list(conns), [], [], SILENCE)[0] if conns else []
            for slot in (conns[sock] for sock in ready):
                self.take(slot, slot.conn.recv(), got)
            if ready:
                continue
            states, due = self.states(), False
            for slot in (x for x in self.slots if x.waits):
                state, members = states[slot.group]
                if self.is_lost(slot, members):
                    self.abandoned.append(slot.conn)
                    slot.conn = self.s.connect()
                    self.take(slot, None, got)
                else:
                    due |= self.is_due(slot, state, members)
            if not due or time.time() > end:
                return [got[k] for k in sorted(got)]

    def believe(self, slot, a):
        """What a client learns from the answer to its join."""
        slot.become(a["MemberId"], a["GenerationId"])
        slot.protocol = a["ProtocolName"]
        slot.members = [m["MemberId"] for m in a["Members"]]
        self.generations[slot.group] = a["GenerationId"]
        # A static member that takes over may be told its former self.
        self.leader[slot.group] = next((x.id for x in self.slots if x.instance and a["Leader"] in [
            f[0] for f in x.former]), a["Leader"])

    def settle(self):
        while True:
            again, got = [], self.collect()
            for _, _, a in got:
                self.tell((a or {}).get("MemberId"))
            for slot, wait, a in got:
                self.s.rec("    %s %s" % (slot.label, wait.api), "never" if a is None else self.plain(a))
                if wait.api == "SyncGroup":
                    continue
                if a["ErrorCode"] == MEMBER_ID_REQUIRED:
                    slot.become(a["MemberId"], -1)
                    again += [slot] if wait.follow else []
                elif a["ErrorCode"] == 0:
                    self.believe(slot, a)
            if not again:
                return
            for slot in again:
                version = self.version(4, 9)
                self.s.rec("    %s again" % slot.label, version)
                self.send(slot, "JoinGroup", version, self.join_body(slot, slot.id))

    def send(self, slot, api, version, body, follow=False):
        slot.waits = Wait(api, version, body, follow, self.step)
        slot.conn.send(api, version, body)

    def ask(self, api, version, body):
        a = self.s.c.call(api, version, body)
        return "v%d" % version, "->", self.plain(a)

    # ---- choices

    def slot(self, free=False):
        slots = [x for x in self.slots if not (free and x.waits)]
        return self.draw.choice(slots) if slots else None

    def who(self, slot):
        """Mostly the client itself, now and then a former self or somebody else. -> id, generation"""
        luck = self.draw.random()
        if luck < 0.8:
            return slot.id, slot.generation
        if luck < 0.87 and slot.former:
            return self.draw.choice(slot.former)
        if luck < 0.92:
            return slot.id, slot.generation + self.draw.choice((-1, 1))
        if luck < 0.96:
            other = self.draw.choice(self.slots)
            return other.id, other.generation
        return "nobody", slot.generation

    def instance(self, slot):
        luck = self.draw.random()
        return slot.instance if luck < 0.9 else self.draw.choice((None, "i", "j", "k", "nobody"))

    def may_remove(self, group, gone):
        """Who leads after the leader is chance, where more than one remains."""
        leader = self.leader[group]
        members = self.states()[group][1]
        left = [m for m in members if m not in gone]
        if len(left) <= 1 or len(left) == len(members):
            return True
        return leader in members and leader not in gone

    def forget_leader(self, group, gone):
        if self.leader[group] in gone:
            self.leader[group] = None

    def protocols_drawn(self):
        blob = self.draw.choice((subscription(0, self.topic), subscription(1, self.topic),
                                 subscription(3, self.topic, self.other), subscription(2, self.other),
                                 subscription(1, self.topic)[:-2], subscription(0, self.topic)[:-2],
                                 b"", b"raw"))
        names = self.draw.choice((("range",), ("range",), ("range", "rr"), ("rr", "range"),
                                  ("sticky", "range", "rr"), ("rr",)))
        return [(n, blob if self.chance(0.8) else b"own") for n in names]

    def join_body(self, slot, member, instance=None, kind=None, protocols=None):
        return {"GroupId": self.groups[slot.group], "SessionTimeoutMs": LONG_MS,
                "RebalanceTimeoutMs": LONG_MS, "MemberId": member,
                "GroupInstanceId": slot.instance if instance is None else instance or None,
                "ProtocolType": kind or slot.kind, "Reason": "drawn",
                "Protocols": [{"Name": n, "Metadata": m} for n, m in protocols or slot.protocols]}

    # ---- steps: members

    def step_join(self):
        slot = self.slot()
        if slot.waits:
            if not self.chance(0.15):
                return slot.label, "waits"
            self.abandoned.append(slot.conn)  # it asks again, over another connection
            slot.conn, slot.waits = self.s.connect(), None
        if slot.protocols is None or self.chance(0.15):
            slot.protocols = self.protocols_drawn()
        if not slot.id and self.chance(0.05):
            slot.kind = self.draw.choice(("consumer", "connect"))
        version, luck = self.version(0, 9), self.draw.random()
        instance = kind = protocols = None
        member = slot.id
        if slot.instance and version < 5 and self.chance(0.8):
            version = self.version(5, 9)
        if luck < 0.12:
            member, _ = self.who(slot)
        elif luck < 0.16:
            kind = "other"
        elif luck < 0.20:
            protocols = [("z", b"")]
        elif luck < 0.30 or (luck < 0.5 and slot.instance):
            member = ""
        elif luck < 0.33:
            instance = self.draw.choice(("", "i", "j", "nobody"))
        if not member and not slot.instance:
            slot.former = (slot.former + [(slot.id, slot.generation)])[-4:]
            slot.id = ""
        body = self.join_body(slot, member, instance, kind, protocols)
        self.send(slot, "JoinGroup", version, body, self.chance(0.8))
        return slot.label, "v%d" % version, self.plain(body)

    def step_sync(self):
        slot = self.slot(free=True)
        if self.chance(0.7):
            ready = [x for x in self.slots if x.generation >= 0 and not x.waits]
            slot = self.draw.choice(ready) if ready else slot
        if slot is None:
            return ("all wait",)
        version, (member, generation) = self.version(0, 5), self.who(slot)
        body = {"GroupId": self.groups[slot.group], "GenerationId": generation, "MemberId": member,
                "GroupInstanceId": self.instance(slot) if version >= 3 else None,
                "ProtocolType": slot.kind, "ProtocolName": slot.protocol, "Assignments": []}
        if self.chance(0.08):
            body["ProtocolName"] = self.draw.choice((None, "range", "z"))
        if self.chance(0.05):
            body["ProtocolType"] = self.draw.choice((None, "other"))
        if slot.members and slot.id == self.leader[slot.group] or self.chance(0.1):
            order = [m for m in sorted(slot.members, key=self.member)
                     if m in self.told and self.chance(0.85)]
            order += ["nobody"] if self.chance(0.05) else []
            body["Assignments"] = [{"MemberId": m, "Assignment": b"for %d" % self.draw.randint(0, 99)
                                    if self.chance(0.9) else b""} for m in order]
        self.send(slot, "SyncGroup", version, body)
        return slot.label, "v%d" % version, self.plain(body)

    def step_heartbeat(self):
        slot = self.slot()
        version, (member, generation) = self.version(0, 4), self.who(slot)
        body = {"GroupId": self.groups[slot.group], "GenerationId": generation, "MemberId": member,
                "GroupInstanceId": self.instance(slot) if version >= 3 else None}
        return (slot.label, self.plain(body)) + self.ask("Heartbeat", version, body)

    def step_leave(self):
        slot = self.slot()
        member, version = self.who(slot)[0], self.version(0, 2)
        if not self.may_remove(slot.group, [member]):
            return slot.label, "would leave the choice of a leader to chance"
        self.forget_leader(slot.group, [member])
        return (slot.label, self.member(member)) + self.ask("LeaveGroup", version, {
            "GroupId": self.groups[slot.group], "MemberId": member})

    def step_leave_many(self):
        group, version = self.draw.choice((0, 0, 1)), self.version(3, 5)
        slots = [x for x in self.slots if x.group == group]
        asked, gone = [], []
        for slot in self.draw.sample(slots, self.draw.choice((0, 1, 1, 2, 3))):
            member, instance = self.who(slot)[0], self.instance(slot)
            if instance and self.chance(0.5):
                member = ""
            asked.append({"MemberId": member, "GroupInstanceId": instance, "Reason": None})
            gone += [member] + [x.id for x in self.slots if instance and x.instance == instance]
        if not self.may_remove(group, gone):
            return group, "would leave the choice of a leader to chance"
        self.forget_leader(group, gone)
        return (group, self.plain(asked)) + self.ask("LeaveGroup", version, {
            "GroupId": self.groups[group], "Members": asked})

    def step_give_up(self):
        """A client that waits closes its connection; the broker need not notice at once."""
        waiting = [x for x in self.slots if x.waits]
        if not waiting:
            return ("nobody waits",)
        slot = self.draw.choice(waiting)
        slot.conn.close()
        self.s.conns.remove(slot.conn)
        slot.conn, slot.waits = self.s.connect(), None
        return slot.label, "closes"

    # ---- steps: offsets

    def committer(self, slot):
        """-> member, generation, instance"""
        if self.chance(0.15):
            return "", -1, None
        member, generation = self.who(slot)
        if self.chance(0.08):
            generation = -1
        return member, generation, self.instance(slot)

    def step_commit(self):
        slot, version = self.slot(), self.version(2, 10)
        member, generation, instance = self.committer(slot)
        body = {"GroupId": self.groups[slot.group], "GenerationIdOrMemberEpoch": generation,
                "MemberId": member, "GroupInstanceId": instance if version >= 7 else None,
                "Topics": [{"Name": self.topic, "TopicId": self.ids[self.topic], "Partitions": [
                    {"PartitionIndex": self.draw.randint(0, 1), "CommittedMetadata": "",
                     "CommittedOffset": self.draw.randint(0, 99), "CommittedLeaderEpoch": -1}]}]}
        return (slot.label, self.plain(body)) + self.ask("OffsetCommit", version, body)

    def step_simple(self):
        """Who is no member commits, to either group."""
        g = self.draw.randint(0, 1)
        return g, "->", self.s.commit(self.groups[g], self.other, 0, self.draw.randint(0, 99))

    def step_txn_commit(self):
        slot, version = self.slot(), self.version(3, 4)
        member, generation, instance = self.committer(slot)
        if self.producer is None:
            self.producer = self.s.init(self.txn)[1:]
        pid, epoch = self.producer
        added = self.s.add_offsets(self.txn, pid, epoch, self.groups[slot.group])
        code = self.s.txn_commit(self.txn, pid, epoch, self.groups[slot.group], self.topic,
                                 self.draw.randint(0, 1), self.draw.randint(0, 99), member, generation,
                                 instance, version)
        return slot.label, self.member(member), generation, instance, "->", added, code

    def step_end_txn(self):
        if self.producer is None:
            return ("no producer",)
        pid, epoch = self.producer
        code, state = self.s.end(self.txn, pid, epoch, self.chance(0.6)), self.s.settled(self.txn)
        self.producer = None
        return "->", code, state[:2]

    def step_fetch_offsets(self):
        g, version = self.draw.randint(0, 1), self.version(1, 10)
        slot = self.slot()
        body = {"RequireStable": self.chance(0.3)}
        topics = [{"Name": self.topic, "TopicId": self.ids[self.topic], "PartitionIndexes": [0, 1]},
                  {"Name": self.other, "TopicId": self.ids[self.other], "PartitionIndexes": [0]}]
        if version >= 8:
            member, generation = self.who(slot)
            body["Groups"] = [{"GroupId": self.groups[g], "MemberId": member or None,
                               "MemberEpoch": generation, "Topics": topics}]
        else:
            for t in topics:
                del t["TopicId"]
            body.update(GroupId=self.groups[g], Topics=topics)
        return (g, body["RequireStable"]) + self.ask("OffsetFetch", version, body)

    def step_delete_offsets(self):
        g, t = self.draw.randint(0, 1), self.draw.choice((self.topic, self.topic, self.other))
        return (g, self.shown[t]) + self.ask("OffsetDelete", 0, {"GroupId": self.groups[g], "Topics": [
            {"Name": t, "Partitions": [{"PartitionIndex": 0}]}]})

    # ---- steps: groups

    def step_describe(self):
        names = self.draw.choice(([0], [0], [1], [0, 1]))
        return (names,) + self.ask("DescribeGroups", self.version(0, 6), {
            "Groups": [self.groups[g] for g in names], "IncludeAuthorizedOperations": False})

    def step_list(self):
        version = self.version(0, 5)
        body = {"StatesFilter": self.draw.choice(([], [], ["Stable"], ["empty", "CompletingRebalance"],
                                                  ["PreparingRebalance"])),
                "TypesFilter": self.draw.choice(([], [], ["classic"], ["consumer"]))}
        a = self.s.c.call("ListGroups", version, body)
        return "v%d" % version, body, "->", a["ErrorCode"], self.plain(
            [x for x in a["Groups"] if x["GroupId"] in self.groups])

    def step_delete_group(self):
        g = self.draw.randint(0, 1)
        return (g,) + self.ask("DeleteGroups", self.version(0, 2), {"GroupsNames": [self.groups[g]]})

    def run(self):
        for i in range(STEPS):
            self.step, name = i, self.draw.choice(STEPS_DRAWN)
            self.s.rec("%d %s" % (i, name), *getattr(self, "step_" + name)())
            self.settle()
            self.s.rec("    states", [(a, len(b)) for a, b in self.states()])
        for c in self.abandoned:
            self.s.rec("abandoned", "silent" if c.quiet_for(0.05) else "not")
        for version in (5, 6):
            self.s.rec("at last", *self.ask("DescribeGroups", version, {"Groups": self.groups}))
        for version in (7, 9):
            body = {"Groups": [{"GroupId": g, "Topics": None} for g in self.groups]}
            if version < 8:
                body = {"GroupId": self.groups[0], "Topics": None}
            self.s.rec("offsets", *self.ask("OffsetFetch", version, body))


walks("GW", "a walk of groups of the classic protocol", "group_walk", SEEDS,
      lambda s, seed: Walk(s, seed).run(), slow=True)
