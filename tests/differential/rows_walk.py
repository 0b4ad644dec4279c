# SPDX-License-Identifier: Apache-2.0
"""Walks: requests that are drawn from a seed, of two transactional producers and their former selves,
an idempotent one, plain records, offsets of two groups and DeleteRecords. What a client can know is
compared; not, where an answer to Fetch ends. KAOS_TEST_WALK="FROM TO STEPS": other seeds, other
lengths."""
import gzip
import random
import time

import wire
from table import drawn, walks

CONCURRENT = 51
SEEDS, STEPS = drawn("KAOS_TEST_WALK", "0 3 150")
# Ahead of the clock, so that what is asked by time is no marker.
TIMES_FROM = int(time.time() * 1000) + 1200000
OFTEN = {"produce": 10, "add": 4, "end": 4, "idempotent": 3, "fetch": 5, "offsets_in_txn": 3,
         "committed": 3, "plain": 2, "init": 1, "by_time": 2, "producers": 2, "add_offsets": 2,
         "commit": 2, "trim": 1, "delete_offsets": 1}
STEPS_DRAWN = [name for name, n in OFTEN.items() for _ in range(n)]


class Producer:
    def __init__(self, s, txn_id):
        self.txn_id = txn_id
        self.next = {}  # sequence by partition
        self.former = []
        if txn_id:
            _, self.pid, self.epoch = s.init(txn_id)
        else:
            a = s.c.call("InitProducerId", 4, {"TransactionalId": None, "ProducerId": -1,
                                               "TransactionTimeoutMs": 60000, "ProducerEpoch": -1})
            self.pid, self.epoch = a["ProducerId"], a["ProducerEpoch"]
        s.name("pid", self.pid)

    def become(self, pid, epoch):
        if (pid, epoch) != (self.pid, self.epoch):
            self.former = (self.former + [(self.pid, self.epoch)])[-3:]
            self.pid, self.epoch, self.next = pid, epoch, {}


class Walk:
    def __init__(self, s, seed, level):
        self.s, self.draw, self.level = s, random.Random(seed), level
        self.sizes = random.Random()  # of answers: they may not matter
        self.topic = s.topic(partitions=2)
        self.groups = [wire.unique("group"), wire.unique("group")]
        self.clock = TIMES_FROM
        self.producers = [Producer(s, wire.unique("walk")) for _ in range(2)]
        self.idem = Producer(s, None)

    def who(self, w):
        """Mostly the producer, now and then a former self."""
        if w.former and self.draw.random() < 0.15:
            return self.draw.choice(w.former)
        return w.pid, w.epoch

    def partition(self):
        return self.draw.randint(0, 1)

    def bounds(self, p):
        return self.s.lo(self.topic, p, -2)[1], self.s.lo(self.topic, p, -1)[1]

    # ---- records

    def values(self):
        n = self.draw.choice((1, 1, 2, 4))
        self.clock += self.draw.randint(-2, 5)
        return ([b"v%d" % self.draw.randint(0, 99) for _ in range(n)],
                [self.clock + self.draw.randint(0, 3) for _ in range(n)])

    def send(self, w, version):
        p, (pid, epoch), (values, times) = self.partition(), self.who(w), self.values()
        due, luck = w.next.get(p, 0), self.draw.random()
        seq = (due if luck < 0.7 else due + 1 if luck < 0.78 else
               max(0, due - self.draw.randint(1, 8)) if luck < 0.95 else 0)
        txn = w.txn_id is not None and self.draw.random() > 0.03
        compress = gzip.compress if self.draw.random() < 0.2 else None
        code, base = self.s.produce(self.topic, p, values, w.txn_id, version, pid=pid, epoch=epoch,
                                    seq=seq, txn=txn, ts=times, compress=compress)
        if code == 0 and (pid, epoch) == (w.pid, w.epoch):
            w.next[p] = max(due if seq <= due else 0, seq + len(values))
        return p, self.s.name("pid", pid), epoch, seq, len(values), txn, "->", code, base

    def step_produce(self):
        version = 12 if self.level == 2 else self.draw.choice((7, 7, 11))
        return self.send(self.draw.choice(self.producers), version)

    def step_idempotent(self):
        return self.send(self.idem, 7)

    def step_plain(self):
        values, times = self.values()
        p = self.partition()
        return p, len(values), "->", self.s.produce(self.topic, p, values, ts=times)

    def step_trim(self):
        p = self.partition()
        low, high = self.bounds(p)
        at = self.draw.choice((-1, self.draw.randint(low, high), min(high, low + 1)))
        return p, at, "->", self.s.trim(self.topic, p, at)

    # ---- reading

    def read(self, p, at, iso):
        """All batches from an offset on, and the values that a client would deliver."""
        batches, seen, line = [], [], None
        while True:
            size = self.sizes.choice((1, 300, 1 << 20))
            a = self.s.fetch_raw(self.topic, p, at, iso=iso, part_bytes=size)
            if a["ErrorCode"]:
                return "error %d" % a["ErrorCode"]
            line = line or "start %d lso %d hw %d:" % (a["LogStartOffset"], a["LastStableOffset"],
                                                       a["HighWatermark"])
            aborted = sorted((x["FirstOffset"], x["ProducerId"])
                             for x in a["AbortedTransactions"] or [])
            got, gone = list(wire.unbatch(a["Records"] or b"")), set()
            for b in got:
                while aborted and aborted[0][0] <= b["last"]:
                    gone.add(aborted.pop(0)[1])
                kind = "t" if b["txn"] else ""
                if b["control"]:
                    kind = "C%d" % b["records"][0]["key"][3]
                    gone -= {b["pid"]} if kind == "C0" else set()
                elif not (b["txn"] and b["pid"] in gone):
                    seen += [r["value"].decode() for r in b["records"] if r["offset"] >= at]
                batches.append("%d-%d%s %s e%d s%d" % (b["base"], b["last"], kind, self.s.name(
                    "pid", b["pid"]), b["epoch"], b["seq"]))
                at = b["last"] + 1
            if not got:
                return "%s %s => %s" % (line, ", ".join(batches), " ".join(seen))

    def step_fetch(self):
        p, iso = self.partition(), self.draw.choice((0, 1, 1))
        low, high = self.bounds(p)
        at = self.draw.choice((low, self.draw.randint(max(0, low - 1), high)))
        return p, at, iso, "->", self.read(p, at, iso)

    def step_by_time(self):
        p, iso = self.partition(), self.draw.choice((0, 1))
        ts = self.draw.choice((-1, -2, self.clock - self.draw.randint(0, 20)))
        a = self.s.lo_raw(self.topic, p, ts, iso)
        return p, iso, "->", a["ErrorCode"], a["Offset"], a["Timestamp"] - TIMES_FROM

    def step_producers(self):
        p = self.partition()
        a = self.s.c.call("DescribeProducers", 0, {"Topics": [
            {"Name": self.topic, "PartitionIndexes": [p]}]})["Topics"][0]["Partitions"][0]
        return p, "->", sorted((self.s.name("pid", x["ProducerId"]), x["ProducerEpoch"],
                                x["LastSequence"], x["CurrentTxnStartOffset"])
                               for x in a["ActiveProducers"])

    # ---- transactions

    def step_init(self):
        w, luck = self.draw.choice(self.producers), self.draw.random()
        pid, epoch = self.who(w) if luck < 0.4 else (-1, -1)
        code, now, now_epoch = self.s.init(w.txn_id, pid=pid, epoch=epoch)
        if code == 0:
            w.become(now, now_epoch)
        return self.s.name("pid", pid), epoch, "->", code, self.s.name("pid", now), now_epoch

    def step_add(self):
        w = self.draw.choice(self.producers)
        pid, epoch = self.who(w)
        parts = [(self.topic, p) for p in self.draw.choice(((0,), (1,), (0, 1)))]
        version = self.draw.choice((0, 2, 3))
        return epoch, parts[0][1], len(parts), "->", self.s.add(w.txn_id, pid, epoch, *parts,
                                                                version=version)

    def step_end(self):
        w, commit = self.draw.choice(self.producers), self.draw.random() < 0.5
        pid, epoch = self.who(w)
        version = 5 if self.level == 2 else self.draw.choice((1, 3))
        a = self.s.until(lambda: self.s.c.call("EndTxn", version, {
            "TransactionalId": w.txn_id, "ProducerId": pid, "ProducerEpoch": epoch,
            "Committed": commit}), lambda a: a["ErrorCode"] != CONCURRENT)
        if version == 5 and a["ErrorCode"] == 0:
            if (pid, epoch) == (w.pid, w.epoch):
                w.become(a["ProducerId"], a["ProducerEpoch"])
        return epoch, commit, "->", a["ErrorCode"], self.s.settled(w.txn_id)

    # ---- offsets

    def step_add_offsets(self):
        w = self.draw.choice(self.producers)
        pid, epoch = self.who(w)
        return epoch, "->", self.s.add_offsets(w.txn_id, pid, epoch, self.draw.choice(self.groups),
                                               version=self.draw.choice((0, 3)))

    def step_offsets_in_txn(self):
        w, g = self.draw.choice(self.producers), self.draw.randint(0, 1)
        pid, epoch = self.who(w)
        version = 5 if self.level == 2 else self.draw.choice((2, 3, 4))
        return g, epoch, "->", self.s.txn_commit(w.txn_id, pid, epoch, self.groups[g], self.topic,
                                                 self.partition(), self.draw.randint(0, 99),
                                                 version=version)

    def step_commit(self):
        g = self.draw.randint(0, 1)
        return g, "->", self.s.commit(self.groups[g], self.topic, self.partition(),
                                      self.draw.randint(0, 99))

    def step_committed(self):
        g = self.draw.randint(0, 1)
        return g, "->", [self.s.committed(self.groups[g], self.topic, p, stable)
                         for p in (0, 1) for stable in (False, True)]

    def step_delete_offsets(self):
        g, p = self.draw.randint(0, 1), self.partition()
        if self.draw.random() < 0.3:
            a = self.s.c.call("DeleteGroups", 1, {"GroupsNames": [self.groups[g]]})
            return "group", g, "->", a["Results"][0]["ErrorCode"]
        a = self.s.c.call("OffsetDelete", 0, {"GroupId": self.groups[g], "Topics": [
            {"Name": self.topic, "Partitions": [{"PartitionIndex": p}]}]})
        return g, p, "->", a["ErrorCode"], [t["Partitions"] for t in a["Topics"]]

    def run(self):
        for i in range(STEPS):
            name = self.draw.choice(STEPS_DRAWN)
            self.s.rec("%d %s" % (i, name), *getattr(self, "step_" + name)())
        for p in (0, 1):
            self.s.rec("partition %d" % p, self.read(p, self.bounds(p)[0], 1))
            self.s.rec("uncommitted", self.read(p, self.bounds(p)[0], 0))


for LEVEL in (1, 2):
    walks("W", "a walk, transaction version %d" % LEVEL, "walk_%d" % LEVEL, SEEDS,
          lambda s, seed, level=LEVEL: Walk(s, seed, level).run())
