# SPDX-License-Identifier: Apache-2.0
"""Transactions of version 2 (KIP-890), and the newer versions of the transaction apis. Run with both
levels of transaction.version: a request's version decides, and for what the broker does by itself the
level."""
import time

import wire
from rows_txn import begun
from table import row

MANY = 200  # partitions, so that the end of a transaction takes a while on a real broker


# ---- requests ------------------------------------------------------------------------------------

def end2(s, x, pid, e, commit, version=5):
    """EndTxn, repeated while the transaction before is being ended. -> (error, producer, epoch)"""
    a = s.until(lambda: s.c.call("EndTxn", version, end_body(x, pid, e, commit)),
                lambda a: a["ErrorCode"] != 51)
    return a["ErrorCode"], s.name("pid", a.get("ProducerId", -1)), a.get("ProducerEpoch", -1)


def end_body(x, pid, e, commit):
    return {"TransactionalId": x, "ProducerId": pid, "ProducerEpoch": e, "Committed": commit}


def put(s, t, p, values, x, pid, e, seq=0, version=12, **how):
    """Produce into a transaction, repeated as long as it says CONCURRENT_TRANSACTIONS."""
    return s.until(lambda: s.produce(t, p, values, x, version=version, pid=pid, epoch=e, seq=seq,
                                     **how), lambda a: a[0] != 51)


def txn_body(x, pid, e, verify, parts):
    topics = {}
    for t, p in parts:
        topics.setdefault(t, []).append(p)
    return {"TransactionalId": x, "ProducerId": pid, "ProducerEpoch": e, "VerifyOnly": verify,
            "Topics": [{"Name": t, "Partitions": ps} for t, ps in topics.items()]}


def batched(s, version, *txns):
    """AddPartitionsToTxn as brokers send it. -> [(index of the transaction, errors)]"""
    a = s.c.call("AddPartitionsToTxn", version, {"Transactions": list(txns)})
    ids = [t["TransactionalId"] for t in txns]
    got = sorted((ids.index(r["TransactionalId"]),
                  sorted((p["PartitionIndex"], p["PartitionErrorCode"])
                         for t in r["TopicResults"] for p in t["ResultsByPartition"]))
                 for r in a["ResultsByTransaction"])
    return a["ErrorCode"], got


def again(s, x, pid, e, version=4):
    """InitProducerId of one who has an epoch. -> (error, producer, epoch)"""
    code, other, epoch = s.init(x, pid=pid, epoch=e, version=version)
    return code, s.name("pid", other), epoch


def parts_of(s, x):
    a = s.c.call("DescribeTransactions", 0, {"TransactionalIds": [x]})["TransactionStates"][0]
    return a["TransactionState"], a["ProducerEpoch"], sorted(
        (t["Topic"].split("-")[0], sorted(t["Partitions"])) for t in a["Topics"])


def versions(low, high):
    """A row per version."""
    def add(ids, doc):
        def make(fn):
            for v in range(low, high + 1):
                def one(s, v=v):
                    fn(s, v)
                one.__name__ = "%s_%d" % (fn.__name__, v)
                row("%s-v%d" % (ids, v), doc)(one)
            return fn
        return make
    return add


# ---- features ------------------------------------------------------------------------------------

@row("K02", "the feature transaction.version in ApiVersions")
def features(s):
    for v in (0, 1, 2, 3, 4):
        body = {} if v < 3 else {"ClientSoftwareName": "x", "ClientSoftwareVersion": "1"}
        a = s.c.call("ApiVersions", v, body)
        shown = [[sorted(f.items()) for f in a.get(k, []) if f["Name"] == "transaction.version"]
                 for k in ("SupportedFeatures", "FinalizedFeatures")]
        s.rec("version %d" % v, shown, a.get("FinalizedFeaturesEpoch", -1) >= 0,
              a.get("ZkMigrationReady"))


# ---- the life of a transaction --------------------------------------------------------------------

@row("K01", "Produce 12 adds the partition, EndTxn 5 moves the epoch")
def life(s):
    t, x, pid, e = begun(s, partitions=2)
    s.rec("produce", *put(s, t, 0, [b"a", b"b"], x, pid, e))
    s.rec("state", *parts_of(s, x))
    s.rec("another", *put(s, t, 1, b"c", x, pid, e))
    s.rec("same", *put(s, t, 0, b"d", x, pid, e, seq=2))
    s.rec("state", *parts_of(s, x))
    s.rec("end", *end2(s, x, pid, e, True))
    s.rec("settled", *s.settled(x))
    s.stable(t, 0)
    s.stable(t, 1)
    s.rec("log", s.fetch(t, 0, 0, 1), s.fetch(t, 1, 0, 1))
    s.rec("next", *put(s, t, 0, b"e", x, pid, e + 1))
    s.rec("end", *end2(s, x, pid, e + 1, False))
    s.settled(x)
    s.stable(t, 0)
    s.rec("log", s.fetch(t, 0, 0, 1), s.visible(t, 0))


@row("m8", "Produce 12 begins with sequence 0")
def first_sequence(s):
    t, x, pid, e = begun(s, partitions=2)
    s.rec("nine", put(s, t, 0, b"a", x, pid, e, seq=9)[0])
    s.rec("state", *parts_of(s, x))
    s.rec("zero", *put(s, t, 0, b"a", x, pid, e))
    s.rec("old client, nine", s.produce(t, 1, b"a", x, version=11, pid=pid, epoch=e, seq=9)[0])
    s.rec("added by version 11", *parts_of(s, x))
    s.rec("end", *end2(s, x, pid, e, False))
    s.settled(x)
    s.rec("new epoch, one", put(s, t, 0, b"a", x, pid, e + 1, seq=1)[0])
    s.rec("new epoch, zero", *put(s, t, 0, b"a", x, pid, e + 1))
    s.rec("end", *end2(s, x, pid, e + 1, True))


@row("I01 I04", "Produce 12: duplicates and gaps")
def duplicates(s):
    t, x, pid, e = begun(s)
    for seq in (0, 1, 1, 0, 3, 2):
        s.rec("sequence %d" % seq, *put(s, t, 0, b"a", x, pid, e, seq=seq))
    s.rec("end", *end2(s, x, pid, e, True))
    s.settled(x)
    s.rec("duplicate after the end", put(s, t, 0, b"a", x, pid, e, seq=2)[0])
    s.rec("state", *parts_of(s, x))


@row("F02", "Produce 12 of a producer that is fenced, unknown, wrong")
def produce_refused(s):
    t, x, pid, e = begun(s)
    s.rec("higher epoch", put(s, t, 0, b"a", x, pid, e + 1)[0])
    s.rec("another producer", put(s, t, 0, b"a", x, pid + 1000000, e)[0])
    s.rec("unknown id", put(s, t, 0, b"a", wire.unique("no"), pid, e)[0])
    s.rec("empty id", put(s, t, 0, b"a", "", pid, e)[0])
    s.rec("unknown topic", put(s, wire.unique("no"), 0, b"a", x, pid, e)[0])
    s.rec("no such partition", put(s, t, 5, b"a", x, pid, e)[0])
    s.rec("without the bit", put(s, t, 0, b"a", x, pid, e, txn=False)[0])
    s.rec("state", *parts_of(s, x))
    s.init(x)
    s.rec("old epoch", put(s, t, 0, b"a", x, pid, e)[0])
    s.rec("state", *parts_of(s, x))
    s.rec("log", s.fetch(t, 0, 0, 0))


@versions(7, 12)("F02", "Produce by version: the partition knows a newer epoch, nobody knows the id")
def partition_fences(s, v):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    end2(s, x, pid, e, True)
    s.settled(x)
    for epoch in (e, e + 1, e + 2):
        s.rec("epoch %d" % epoch, s.produce(t, 0, b"b", wire.unique("no"), version=v, pid=pid,
                                            epoch=epoch, seq=0)[0])


@row("L04", "Produce 12: what is refused behind the adding leaves the partition added")
def produce_corrupt(s):
    for label, how in (("crc", {"crc": 1}), ("base offset", {"base": 3}), ("offsets", {"last_delta": 7}),
                       ("magic", {"magic": 1})):
        t, x, pid, e = begun(s)
        s.rec(label, put(s, t, 0, b"a", x, pid, e, **how)[0], *parts_of(s, x))
    t, x, pid, e = begun(s)
    s.rec("too large", put(s, t, 0, b"a" * 1200000, x, pid, e)[0], *parts_of(s, x))
    s.rec("then", *put(s, t, 0, b"a", x, pid, e))
    s.rec("end", *end2(s, x, pid, e, True))


@row("F14", "Produce 12 to several partitions: unknown ones, another producer, corrupt ones")
def produce_several(s):
    def ask(t, x, *parts, version=12):
        """parts: (partition, blob). -> the errors"""
        a = s.until(lambda: s.c.call("Produce", version, {
            "TransactionalId": x, "Acks": -1, "TimeoutMs": 10000, "TopicData": [
                {"Name": t, "PartitionData": [{"Index": p, "Records": b} for p, b in parts]}]}),
            lambda a: 51 not in [p["ErrorCode"] for p in a["Responses"][0]["PartitionResponses"]])
        return sorted((p["Index"], p["ErrorCode"], p["BaseOffset"])
                      for p in a["Responses"][0]["PartitionResponses"])
    t, x, pid, e = begun(s, partitions=3)
    blob = lambda **how: wire.batch([b"a"], **dict(dict(pid=pid, epoch=e, seq=0, txn=True), **how))
    s.rec("one is unknown", ask(t, x, (0, blob()), (7, blob())), parts_of(s, x))
    s.rec("one is corrupt", ask(t, x, (1, blob()), (2, blob(crc=1))), parts_of(s, x))
    s.rec("one is plain", ask(t, x, (0, blob(seq=1)), (2, blob(txn=False, pid=-1, epoch=-1, seq=-1))))
    s.rec("without an id", ask(t, None, (0, blob(seq=2)), (1, blob(txn=False, pid=-1, epoch=-1, seq=-1))))
    s.rec("end", *end2(s, x, pid, e, True))
    s.settled(x)
    for v in (7, 11, 12):
        s.rec("two epochs", ask(t, x, (0, blob(epoch=e + 1)), (1, blob(epoch=e)), version=v),
              parts_of(s, x))
        s.rec("two producers", ask(t, x, (0, blob(epoch=e + 1)), (2, blob(pid=pid + 1000000)),
                                   (7, blob(epoch=e + 1)), version=v), parts_of(s, x))
    s.rec("one of them plain", ask(t, x, (0, blob(epoch=e + 1)),
                                   (1, blob(pid=pid + 1000000, txn=False))), parts_of(s, x))
    s.rec("end", *end2(s, x, pid, e + 1, True))


@row("L13", "Produce 12 into a transaction with other acks")
def produce_acks(s):
    t, x, pid, e = begun(s)
    s.rec("one", *put(s, t, 0, b"a", x, pid, e, acks=1))
    c = s.connect()
    c.send("Produce", 12, {"TransactionalId": x, "Acks": 0, "TimeoutMs": 1000, "TopicData": [
        {"Name": t, "PartitionData": [{"Index": 0, "Records": wire.batch(
            [b"b"], pid=pid, epoch=e, seq=1, txn=True)}]}]})
    c.waiting.pop()
    s.rec("none", s.until(lambda: s.lo(t, 0, -1)[1], lambda n: n == 2))
    s.rec("end", *end2(s, x, pid, e, True))
    s.rec("log", s.stable(t), s.fetch(t, 0, 0, 1))


@versions(7, 12)("F14 m7", "Produce by version: a partition that is not in the transaction")
def produce_by_version(s, v):
    t, x, pid, e = begun(s, partitions=2)
    s.rec("no transaction", s.produce(t, 0, b"a", x, version=v, pid=pid, epoch=e, seq=0)[0])
    s.add(x, pid, e, (t, 1))
    s.rec("another partition", s.produce(t, 0, b"a", x, version=v, pid=pid, epoch=e, seq=0)[0])
    s.rec("state", *parts_of(s, x))
    s.rec("wrong epoch", s.produce(t, 1, b"a", x, version=v, pid=pid, epoch=e + 1, seq=0)[0])
    s.rec("right", *s.produce(t, 1, b"a", x, version=v, pid=pid, epoch=e, seq=0))
    s.end(x, pid, e, False)


@row("K01", "clients of both kinds in one transaction")
def mixed(s):
    t, x, pid, e = begun(s, partitions=3)
    s.rec("old", s.add(x, pid, e, (t, 0)), *s.produce(t, 0, b"a", x, pid=pid, epoch=e, seq=0))
    s.rec("new", *put(s, t, 1, b"b", x, pid, e))
    s.rec("old end", s.end(x, pid, e, True), s.settled(x)[1:])
    s.rec("old again", s.end(x, pid, e, True), s.end(x, pid, e, False))
    s.rec("new again", *end2(s, x, pid, e, True))
    s.rec("new abort", *end2(s, x, pid, e, False))
    s.settled(x)
    s.rec("old with the old epoch", s.end(x, pid, e, False), s.end(x, pid, e, False, version=2))
    s.rec("old with the new one", s.end(x, pid, e + 1, False), s.end(x, pid, e + 1, True))
    s.rec("new with the new one", *end2(s, x, pid, e + 1, True))
    for p in range(2):
        s.stable(t, p)
        s.rec("log", s.fetch(t, p, 0, 0))


@row("K01", "an old client ends what a new one began, and the other way round")
def crossed(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    s.rec("old end", s.end(x, pid, e, True, version=4), s.settled(x)[1:])
    s.stable(t)
    s.rec("same epoch", *put(s, t, 0, b"b", x, pid, e, seq=1))
    s.rec("new end", *end2(s, x, pid, e, True))
    s.settled(x)
    s.stable(t)
    s.rec("add with the old epoch", s.add(x, pid, e, (t, 0)), s.add(x, pid, e, (t, 0), version=3))
    s.rec("add", s.add(x, pid, e + 1, (t, 0)))
    s.rec("produce", *s.produce(t, 0, b"c", x, pid=pid, epoch=e + 1, seq=0))
    s.rec("new end", *end2(s, x, pid, e + 1, False))
    s.settled(x)
    s.stable(t)
    s.rec("log", s.fetch(t, 0, 0, 1))


# ---- EndTxn --------------------------------------------------------------------------------------

@row("F11 m6", "EndTxn 5 of a transaction that is empty")
def end_empty(s):
    _, x, pid, e = begun(s)
    s.rec("commit", *end2(s, x, pid, e, True))
    s.rec("abort", *end2(s, x, pid, e, False))
    s.rec("settled", *s.settled(x))
    s.rec("retry", *end2(s, x, pid, e, False))
    s.rec("retry as a commit", *end2(s, x, pid, e, True))
    s.rec("commit with the new epoch", *end2(s, x, pid, e + 1, True))
    s.rec("abort with the new epoch", *end2(s, x, pid, e + 1, False))
    s.settled(x)
    s.rec("two epochs back", *end2(s, x, pid, e, False))
    a = s.c.call("DescribeTransactions", 0, {"TransactionalIds": [x]})["TransactionStates"][0]
    s.rec("described", a["TransactionState"], a["TransactionStartTimeMs"] > 0, a["Topics"])


@row("m6", "EndTxn 5 repeated: the answer was lost")
def end_retry(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    s.rec("commit", *end2(s, x, pid, e, True))
    s.settled(x)
    s.rec("again", *end2(s, x, pid, e, True))
    s.rec("again, at once", *end2(s, x, pid, e, True))
    s.rec("as an abort", *end2(s, x, pid, e, False))
    s.rec("abort with the new epoch", *end2(s, x, pid, e + 1, False))
    s.settled(x)
    s.rec("now the old one", *end2(s, x, pid, e, True))
    put(s, t, 0, b"b", x, pid, e + 2)
    s.rec("abort", *end2(s, x, pid, e + 2, False))
    s.settled(x)
    s.rec("again", *end2(s, x, pid, e + 2, False))
    s.rec("as a commit", *end2(s, x, pid, e + 2, True))
    put(s, t, 0, b"c", x, pid, e + 3)
    s.rec("late, into the next transaction", *end2(s, x, pid, e + 2, False))
    s.rec("late commit, into the next one", *end2(s, x, pid, e + 2, True))
    s.rec("still open", *parts_of(s, x))
    s.rec("end", *end2(s, x, pid, e + 3, True))
    s.stable(t)
    s.rec("log", s.fetch(t, 0, 0, 1))


@row("F04", "EndTxn of a producer that is fenced, unknown, wrong")
def end_refused(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    for v in (1, 2, 4, 5):
        s.rec("version %d" % v, end2(s, x, pid, e + 1, True, v), end2(s, x, pid, e - 1, True, v),
              end2(s, x, pid + 1000000, e, True, v), end2(s, wire.unique("no"), pid, e, True, v),
              end2(s, "", pid, e, True, v))
    s.rec("still open", *parts_of(s, x))
    s.rec("end", *end2(s, x, pid, e, False))


@versions(0, 5)("E", "EndTxn by version: empty, commit, repeated, the other outcome")
def end_by_version(s, v):
    t, x, pid, e = begun(s)
    s.rec("empty", end2(s, x, pid, e, True, v))
    s.add(x, pid, e, (t, 0))
    s.rec("commit", end2(s, x, pid, e, True, v), s.settled(x)[1:])
    s.rec("again", end2(s, x, pid, e, True, v), end2(s, x, pid, e, False, v))
    s.rec("fenced", end2(s, x, pid, e + 7, True, v))


@row("m9", "EndTxn 5 applied, then a new owner")
def late_end(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    end2(s, x, pid, e, True)
    s.settled(x)
    s.rec("new owner", *again(s, x, -1, -1))
    s.rec("late", *end2(s, x, pid, e, True))
    s.rec("late abort", *end2(s, x, pid, e, False))
    s.rec("produce", put(s, t, 0, b"b", x, pid, e + 1)[0])
    s.rec("visible", s.stable(t), s.visible(t, 0))


def exhaust(s, x, pid, e):
    """Moves the epoch up to the last one that a producer may have."""
    while e < 32766:
        code, _, e = s.init(x, pid=pid, epoch=e)
        if code:
            raise RuntimeError("InitProducerId: %d" % code)
    return e


@row("m20", "EndTxn 5 with the last epoch: a new producer id", slow=True)
def exhaustion(s):
    t, x, pid, e = begun(s)
    e = exhaust(s, x, pid, e)
    s.rec("produce", *put(s, t, 0, b"a", x, pid, e))
    a = s.until(lambda: s.c.call("EndTxn", 5, end_body(x, pid, e, True)),
                lambda a: a["ErrorCode"] != 51)
    other = a["ProducerId"]
    s.rec("end", a["ErrorCode"], s.name("pid", other), a["ProducerEpoch"], other != pid)
    s.settled(x)
    s.rec("again", *end2(s, x, pid, e, True))
    s.rec("as an abort", *end2(s, x, pid, e, False))
    s.rec("an old client again", s.end(x, pid, e, True, version=4))
    s.rec("init", *again(s, x, pid, e))
    s.rec("init once more", *again(s, x, pid, e))
    s.rec("log", s.stable(t), s.fetch(t, 0, 0, 1))
    s.rec("with the old id", put(s, t, 0, b"b", x, pid, e, seq=1)[0])
    s.rec("with the new id", *put(s, t, 0, b"b", x, other, 0))
    s.rec("late", *end2(s, x, pid, e, True))
    s.rec("end", *end2(s, x, other, 0, True))
    s.rec("log", s.stable(t), s.fetch(t, 0, 0, 1))


# ---- fencing and time ----------------------------------------------------------------------------

@row("F07 F16 m1 m3", "InitProducerId over an open transaction of a new client")
def init_over_open(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    s.rec("first", s.init_raw(x)["ErrorCode"])
    s.settled(x)
    s.rec("between", *parts_of(s, x))
    code, other, epoch = s.init(x)
    s.rec("then", code, s.name("pid", other), epoch)
    s.rec("old owner", end2(s, x, pid, e, True), put(s, t, 0, b"b", x, pid, e, seq=1)[0],
          *again(s, x, pid, e))
    s.rec("log", s.stable(t), s.fetch(t, 0, 0, 1))
    s.rec("goes on", *put(s, t, 0, b"b", x, other, epoch))
    s.rec("end", *end2(s, x, other, epoch, True))


@row("m5", "the old owner asks between the abort and the new owner")
def fenced_returns(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    s.init_raw(x)
    s.settled(x)
    s.rec("end", end2(s, x, pid, e, True), end2(s, x, pid, e, False))
    s.rec("init", *again(s, x, pid, e))
    s.rec("new owner", *again(s, x, -1, -1))
    s.rec("old owner", *again(s, x, pid, e))


@row("X01 m4 m5", "a transaction whose time is over: how its owner goes on")
def timed_out(s):
    t, x, pid, e = begun(s, timeout=1000)
    put(s, t, 0, b"a", x, pid, e)
    s.stable(t)
    s.settled(x)
    s.rec("state", *parts_of(s, x))
    s.rec("produce", put(s, t, 0, b"b", x, pid, e, seq=1)[0],
          [s.produce(t, 0, b"b", x, version=v, pid=pid, epoch=e, seq=1)[0] for v in (7, 10, 11)])
    s.rec("add", s.add(x, pid, e, (t, 0)), s.add(x, pid, e, (t, 0), version=2))
    s.rec("old end", [s.end(x, pid, e, True, version=v) for v in (1, 2, 4)])
    s.rec("end", end2(s, x, pid, e, True), end2(s, x, pid, e, False))
    s.rec("init", *again(s, x, pid, e, 5))
    s.rec("log", s.fetch(t, 0, 0, 1))
    code, other, epoch = s.init(x)
    s.rec("goes on", code, epoch, *put(s, t, 0, b"b", x, other, epoch))
    s.rec("end", *end2(s, x, other, epoch, True))


@row("F09", "InitProducerId after EndTxn 5, with the epoch of before")
def init_after_end(s):
    t, x, pid, e = begun(s)
    put(s, t, 0, b"a", x, pid, e)
    end2(s, x, pid, e, True)
    s.settled(x)
    s.rec("old epoch", *again(s, x, pid, e, 5))
    s.rec("new epoch", *again(s, x, pid, e + 1, 5))
    s.rec("stale", [again(s, x, pid, e, v) for v in (3, 4, 5)])
    s.rec("end", *end2(s, x, pid, e + 2, False))


@row("X02", "the time of a transaction counts from its first record")
def time_from_begin(s):
    t, x, pid, e = begun(s, timeout=1500)
    time.sleep(1.0)
    put(s, t, 0, b"a", x, pid, e)
    began = time.time()
    time.sleep(0.8)
    s.rec("open", *parts_of(s, x))
    s.stable(t)
    s.rec("ended", 1.4 < time.time() - began < 5, s.settled(x))


# ---- offsets -------------------------------------------------------------------------------------

@row("O01 O05", "TxnOffsetCommit 5 adds the group's offsets to the transaction")
def offsets(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.rec("commit", s.txn_commit(x, pid, e, g, t, 0, 7, version=5))
    s.rec("state", *parts_of(s, x))
    s.rec("held", s.committed(g, t, 0, True), s.committed(g, t))
    s.rec("again", s.txn_commit(x, pid, e, g, t, 0, 8, version=5))
    s.rec("end", *end2(s, x, pid, e, True))
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True))
    s.rec("old epoch", s.txn_commit(x, pid, e, g, t, 0, 9, version=5))
    s.rec("next", s.until(lambda: s.txn_commit(x, pid, e + 1, g, t, 0, 9, version=5),
                          lambda c: c != 51))
    s.rec("end", *end2(s, x, pid, e + 1, False))
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True))


@versions(0, 5)("O05", "TxnOffsetCommit by version: nothing was added before")
def offsets_by_version(s, v):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    ask = lambda **how: s.txn_commit(how.get("x", x), how.get("pid", pid), how.get("e", e), g,
                                     how.get("t", t), how.get("p", 0), 1, version=v)
    s.rec("unknown topic", ask(t=wire.unique("no")), ask(p=7), parts_of(s, x))
    s.rec("wrong producer", ask(pid=pid + 1000000))
    s.rec("unknown id", ask(x=wire.unique("no")))
    s.rec("wrong epoch", ask(e=e + 1), ask(e=e - 1))
    s.rec("right", ask(), parts_of(s, x))
    s.add(x, pid, e, (t, 0))
    s.rec("in a transaction", ask(), parts_of(s, x))
    s.rec("end", s.end(x, pid, e, True), s.settled(x)[1])
    s.rec("after", s.committed(g, t, 0, True))
    s.rec("after the end", ask(), parts_of(s, x))


@versions(3, 5)("O04 m12", "TxnOffsetCommit by version: a member that is wrong in a transaction that is empty")
def offsets_member(s, v):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    member, generation = s.stable_member(g)
    ask = lambda **how: s.txn_commit(x, pid, e, g, t, 0, 1, version=v, **how)
    s.rec("unknown member", ask(member="nobody", generation=generation), parts_of(s, x))
    s.rec("old generation", ask(member=member, generation=generation - 1), parts_of(s, x))
    s.rec("right", ask(member=member, generation=generation), parts_of(s, x))
    if v < 5:
        s.add_offsets(x, pid, e, g)
    s.rec("unknown member", ask(member="nobody", generation=generation))
    s.rec("old generation", ask(member=member, generation=generation - 1))
    s.rec("right", ask(member=member, generation=generation))
    s.rec("end", s.end(x, pid, e, False))


@versions(0, 4)("F05", "AddOffsetsToTxn by version")
def add_offsets(s, v):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    s.rec("add", s.add_offsets(x, pid, e, g, v), parts_of(s, x))
    s.rec("wrong", s.add_offsets(x, pid, e + 1, g, v), s.add_offsets(x, pid + 1000000, e, g, v),
          s.add_offsets(wire.unique("no"), pid, e, g, v), s.add_offsets("", pid, e, g, v))
    s.rec("commit", s.txn_commit(x, pid, e, g, t, 0, 3, version=min(v, 3)), s.end(x, pid, e, True))
    s.settled(x)
    s.rec("after", s.committed(g, t, 0, True))


# ---- AddPartitionsToTxn --------------------------------------------------------------------------

@versions(0, 3)("F03", "AddPartitionsToTxn of clients, by version")
def add_by_version(s, v):
    t, x, pid, e = begun(s, partitions=2)
    ask = lambda x, pid, e, *parts: sorted(s.add_raw(x, pid, e, parts, v))
    s.rec("add", ask(x, pid, e, (t, 0)), parts_of(s, x))
    s.rec("wrong", ask(x, pid, e + 1, (t, 1)), ask(x, pid + 1000000, e, (t, 1)),
          ask(wire.unique("no"), pid, e, (t, 1)), ask("", pid, e, (t, 1)))
    s.rec("unknown", ask(x, pid, e, (t, 1), (t, 9)), ask(x, pid, e, (wire.unique("no"), 0)))
    s.rec("nothing", ask(x, pid, e), parts_of(s, x))
    s.rec("end", s.end(x, pid, e, True))


@versions(4, 5)("F03", "AddPartitionsToTxn of brokers: to verify, to add, several transactions")
def add_for_brokers(s, v):
    t, x, pid, e = begun(s, partitions=3)
    y = wire.unique("id")
    _, qid, f = s.init(y)
    s.rec("verify nothing", *batched(s, v, txn_body(x, pid, e, True, [(t, 0)])))
    s.rec("add and verify", *batched(s, v, txn_body(x, pid, e, False, [(t, 0), (t, 1)]),
                                     txn_body(y, qid, f, True, [(t, 2)])))
    s.rec("verify", *batched(s, v, txn_body(x, pid, e, True, [(t, 1), (t, 2)]),
                             txn_body(y, qid, f, False, [(t, 2)])))
    s.rec("wrong", *batched(s, v, txn_body(x, pid, e + 1, True, [(t, 1)]),
                            txn_body(y, qid + 1000000, f, False, [(t, 2)])))
    s.rec("unknown", *batched(s, v, txn_body(wire.unique("no"), pid, e, True, [(t, 1)]),
                              txn_body("", qid, f, False, [(t, 2)]),
                              txn_body(x, pid, e, False, [(t, 2), (t, 9)]),
                              txn_body(y, qid, f, True, [(t, 2), (t, 9)])))
    s.rec("no partition", *batched(s, v, txn_body(x, pid, e, False, [])))
    s.rec("states", parts_of(s, x), parts_of(s, y))
    s.rec("end", end2(s, x, pid, e, True), end2(s, y, qid, f, False))
    s.settled(x)
    s.settled(y)
    s.rec("after", *batched(s, v, txn_body(x, pid, e, True, [(t, 0)]),
                            txn_body(y, qid, f + 1, True, [(t, 2)])))


# ---- InitProducerId ------------------------------------------------------------------------------

@row("F12 F13", "InitProducerId 5: what it refuses, and without an id")
def init_five(s):
    x = wire.unique("id")
    s.rec("timeout", [s.init(x, timeout=ms, version=5)[0] for ms in (900001, 0, -1, 900000)])
    s.rec("empty id", s.init("", version=5))
    code, pid, e = s.init(None, version=5)
    s.rec("idempotent", code, s.name("pid", pid), e)
    code, pid, e = s.init(x, version=5)
    s.rec("halves", s.init(x, pid=pid, epoch=-1, version=5)[0], s.init(x, pid=-1, epoch=e, version=5)[0])
    s.rec("another pid", s.init(x, pid=pid + 1000000, epoch=e, version=5)[0])


# ---- while a transaction is being ended ----------------------------------------------------------

class Window:
    """Requests right behind an EndTxn over many partitions, while the transaction is being ended."""

    def __init__(self, s, version):
        self.s = s
        self.version = version
        self.t = s.topic(partitions=MANY)
        self.group = wire.unique("group")

    def ask(self, api, version, body, code):
        """body(x, pid, epoch behind the end). -> the error, of an attempt that was quick enough."""
        s = self.s
        for _ in range(40):
            x = wire.unique("id")
            _, pid, e = s.init(x)
            s.add(x, pid, e, *[(self.t, p) for p in range(MANY)])
            s.c.send_all(("EndTxn", self.version, end_body(x, pid, e, True)),
                         (api, version, body(x, pid, e + (self.version >= 5))),
                         ("DescribeTransactions", 0, {"TransactionalIds": [x]}))
            end, answer, state = s.c.recv(), s.c.recv(), s.c.recv()["TransactionStates"][0]
            s.settled(x)
            if end["ErrorCode"] == 0 and state["TransactionState"] == "PrepareCommit":
                return code(answer)
        return "the transaction was always complete by then"


def offset_body(x, pid, e, group, t):
    return {"TransactionalId": x, "GroupId": group, "ProducerId": pid, "ProducerEpoch": e,
            "MemberId": "", "GenerationId": -1, "GroupInstanceId": None, "Topics": [
                {"Name": t, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 1,
                                            "CommittedMetadata": ""}]}]}


def produce_body(x, pid, e, t):
    return {"TransactionalId": x, "Acks": -1, "TimeoutMs": 10000, "TopicData": [
        {"Name": t, "PartitionData": [{"Index": 0, "Records": wire.batch(
            [b"z"], pid=pid, epoch=e, seq=0, txn=True)}]}]}


@row("m10", "what is answered between EndTxn 4 and the end of the transaction", slow=True)
def window_old(s):
    window(s, 4)


@row("m10", "what is answered between EndTxn 5 and the end of the transaction")
def window_new(s):
    window(s, 5)


def window(s, v):
    w = Window(s, v)
    plain = lambda a: a["ErrorCode"]
    for label, shift, other in (("right", 0, 0), ("epoch", 7, 0), ("old epoch", -1, 0),
                                ("producer", 0, 1000000)):
        s.rec("EndTxn, " + label, *[w.ask(
            "EndTxn", n, lambda x, pid, e: end_body(x, pid + other, e + shift, commit), plain)
            for n in (1, 4, 5) for commit in (True, False)])
    for label, shift, other in (("right", 0, 0), ("epoch", 7, 0), ("producer", 0, 1000000)):
        s.rec("AddOffsetsToTxn, " + label, w.ask("AddOffsetsToTxn", 3, lambda x, pid, e: {
            "TransactionalId": x, "ProducerId": pid + other, "ProducerEpoch": e + shift,
            "GroupId": w.group}, plain))
        s.rec("InitProducerId, " + label, w.ask("InitProducerId", 4, lambda x, pid, e: {
            "TransactionalId": x, "TransactionTimeoutMs": 60000, "ProducerId": pid + other,
            "ProducerEpoch": e + shift}, plain))
        s.rec("AddPartitionsToTxn, " + label, *[w.ask(
            "AddPartitionsToTxn", 5, lambda x, pid, e: {"Transactions": [
                txn_body(x, pid + other, e + shift, verify, [(w.t, 0)])]},
            lambda a: a["ResultsByTransaction"][0]["TopicResults"][0]["ResultsByPartition"][0]
            ["PartitionErrorCode"]) for verify in (True, False)])
        s.rec("TxnOffsetCommit, " + label, *[w.ask(
            "TxnOffsetCommit", n, lambda x, pid, e: offset_body(x, pid + other, e + shift, w.group,
                                                                w.t),
            lambda a: a["Topics"][0]["Partitions"][0]["ErrorCode"]) for n in (3, 4, 5)])
        s.rec("Produce, " + label, *[w.ask(
            "Produce", n, lambda x, pid, e: produce_body(x, pid + other, e + shift, w.t),
            lambda a: a["Responses"][0]["PartitionResponses"][0]["ErrorCode"])
            for n in (7, 11)])  # version 12 waits for the end of it, for a while
    s.rec("InitProducerId of a new owner", w.ask("InitProducerId", 4, lambda x, pid, e: {
        "TransactionalId": x, "TransactionTimeoutMs": 60000}, plain))


# ---- markers -------------------------------------------------------------------------------------

def marker(s, version, t, pid, e, commit, coordinator=0, tv=0):
    m = {"ProducerId": pid, "ProducerEpoch": e, "TransactionResult": commit,
         "CoordinatorEpoch": coordinator, "Topics": [{"Name": t, "PartitionIndexes": [0]}]}
    if version >= 2:
        m["TransactionVersion"] = tv
    a = s.c.call("WriteTxnMarkers", version, {"Markers": [m]})
    return a["Markers"][0]["Topics"][0]["Partitions"][0]["ErrorCode"]


@row("m18", "WriteTxnMarkers 1 and 2: epochs as old and as new transactions move them")
def marker_epochs(s):
    t = s.topic()
    pid = int(time.time() * 1000)  # nobody's: no coordinator is disturbed
    for version, tv in ((1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, -1)):
        pid += 1
        s.produce(t, 0, b"a", pid=pid, epoch=2, seq=0)
        ask = lambda epoch, commit=True, c=0: marker(s, version, t, pid, epoch, commit, c, tv)
        s.rec("%d/%d lower epoch" % (version, tv), ask(1))
        s.rec("same epoch", ask(2))
        s.rec("next epoch", ask(3))
        s.rec("again", ask(3), ask(3, False))
        s.rec("coordinator", ask(4, True, 3), ask(5, True, 2), ask(5, True, 3))
        s.rec("negative epoch", ask(-1))
        s.rec("nobody", marker(s, version, t, pid + 1000000, 3, True, 0, tv))
        s.rec("end", s.lo(t, 0, -1))
    s.rec("unknown topic", marker(s, 2, wire.unique("no"), pid, 3, True, 0, 2))


@row("m18", "WriteTxnMarkers 1 and 2 into a transaction that is open")
def marker_open(s):
    for version, tv, shift in ((1, 0, 0), (2, 1, 0), (2, 2, 0), (2, 2, 1)):
        t, x, pid, e = begun(s)
        put(s, t, 0, b"a", x, pid, e)
        s.rec("%d/%d" % (version, tv), marker(s, version, t, pid, e + shift, True, 0, tv))
        s.rec("again", marker(s, version, t, pid, e + shift, True, 0, tv))
        s.rec("log", s.fetch(t, 0, 0, 1))
        s.rec("produce", put(s, t, 0, b"b", x, pid, e, seq=1)[0])
        s.rec("end", *end2(s, x, pid, e, True))
        s.rec("state", *s.settled(x))
        s.rec("log", s.fetch(t, 0, 0, 1))


# ---- lists ---------------------------------------------------------------------------------------

@row("A01", "ListTransactions 0 to 2 and DescribeTransactions")
def listed(s):
    t, x, pid, e = begun(s)
    y = wire.unique("other")
    s.init(y)
    put(s, t, 0, b"a", x, pid, e)
    for v in (0, 1):
        a = s.c.call("ListTransactions", v, {"StateFilters": ["Ongoing", "PrepareEpochFence", "x"],
                                             "ProducerIdFilters": [pid]})
        s.rec("version %d" % v, a["ErrorCode"], a["UnknownStateFilters"],
              [(s.name("pid", n["ProducerId"]), n["TransactionState"])
               for n in a["TransactionStates"]])
    a = s.c.call("DescribeTransactions", 0, {"TransactionalIds": ["", x]})
    s.rec("described", [(n["ErrorCode"], n["TransactionState"]) for n in a["TransactionStates"]])
    s.rec("end", *end2(s, x, pid, e, False))


@row("A01", "ListTransactions 2: by a pattern of transactional ids")
def by_pattern(s):
    _, x, pid, _ = begun(s, prefix="first")
    y = wire.unique("second.one")
    _, qid, _ = s.init(y)
    s.name("pid", qid)

    def ask(pattern, states=(), pids=(pid, qid)):
        a = s.c.call("ListTransactions", 2, {"StateFilters": list(states), "DurationFilter": -1,
                                             "ProducerIdFilters": list(pids),
                                             "TransactionalIdPattern": pattern})
        return (a["ErrorCode"], a["UnknownStateFilters"],
                sorted(s.name("pid", n["ProducerId"]) for n in a["TransactionStates"]))
    for pattern in (None, "", x, "first-.*", "first", ".*", ".*-.*", "second\\.one-.+", "second.one.*",
                    "(first|second.one)-[0-9a-f]+", "first-[a-z0-9]{10}", "^first-.*$", "nothing.*"):
        s.rec("pattern %s" % (pattern if pattern != x else "the id"), ask(pattern))
    for pattern in ("(", "[", "a{2,1}", "*", "\\"):
        s.rec("bad %s" % pattern, ask(pattern), ask(pattern, ["x"]))
    s.rec("with a state", ask("first-.*", ["Empty"]), ask("first-.*", ["Ongoing"]),
          ask("first-.*", ["x"]))
    s.rec("with another producer", ask("first-.*", pids=[qid]))


# ---- what is written down ------------------------------------------------------------------------

def states(s, x):
    """All that __transaction_state says about an id."""
    out, at = [], s.lo("__transaction_state", 0, -2)[1]
    while True:
        a = s.fetch_raw("__transaction_state", 0, at, wait=0)
        batches = wire.unbatch(a["Records"] or b"")
        if not batches:
            return out
        for b in batches:
            for r in b["records"]:
                _, key = s.messages.stored("TransactionLogKey", r["key"])
                if key["TransactionalId"] != x:
                    continue
                if r["value"] is None:
                    out.append("deleted")
                    continue
                version, v = s.messages.stored("TransactionLogValue", r["value"])
                ids = [s.name("pid", v.get(k, -1)) for k in ("ProducerId", "PreviousProducerId",
                                                             "NextProducerId")]
                out.append("v%d state %d %s epoch %d next %d client %d timeout %d start %s parts %s" % (
                    version, v["TransactionStatus"], "/".join(ids), v["ProducerEpoch"],
                    v.get("NextProducerEpoch", -1), v.get("ClientTransactionVersion", 0),
                    v["TransactionTimeoutMs"], v["TransactionStartTimestampMs"] > 0,
                    sorted((t["Topic"].split("-")[0], sorted(t["PartitionIds"]))
                           for t in v["TransactionPartitions"] or [])))
            at = b["last"] + 1


@row("m28", "__transaction_state of a new client: commit, abort, an empty abort, a new owner")
def written_new(s):
    t, x, pid, e = begun(s, partitions=2)
    put(s, t, 0, b"a", x, pid, e)
    put(s, t, 1, b"b", x, pid, e)
    end2(s, x, pid, e, True)
    s.settled(x)
    put(s, t, 0, b"c", x, pid, e + 1)
    end2(s, x, pid, e + 1, False)
    s.settled(x)
    end2(s, x, pid, e + 2, False)
    s.settled(x)
    again(s, x, pid, e + 2)
    put(s, t, 0, b"d", x, pid, e + 3)
    s.init(x)
    for line in states(s, x):
        s.rec("state", line)


@row("m28", "__transaction_state of an old client: commit, abort, a new owner, a time-out")
def written_old(s):
    t, x, pid, e = begun(s)
    g = wire.unique("group")
    for commit in (True, False):
        s.add(x, pid, e, (t, 0))
        s.add_offsets(x, pid, e, g)
        s.end(x, pid, e, commit)
        s.settled(x)
    s.add(x, pid, e, (t, 0))
    s.init(x)
    y = wire.unique("late")
    _, qid, f = s.init(y, timeout=500)
    s.name("pid", qid)
    s.add(y, qid, f, (t, 0))
    s.until(lambda: s.txn_state(y)[1], lambda n: n == "CompleteAbort")
    s.init(y, pid=qid, epoch=f)
    for line in states(s, x) + states(s, y):
        s.rec("state", line)


# ---- expiry --------------------------------------------------------------------------------------

@row("A04", "a transactional id that nobody uses is forgotten, one with an open transaction is not",
     needs="transactional.id.expiration.ms")
def expiry(s):
    t, x, pid, e = begun(s)
    y, z = wire.unique("open"), wire.unique("done")
    _, qid, f = s.init(y, timeout=60000)
    _, rid, g = s.init(z)
    put(s, t, 0, b"y", y, qid, f)
    put(s, t, 0, b"z", z, rid, g)
    end2(s, z, rid, g, True)
    for n in (x, z):
        s.rec("gone", s.until(lambda n=n: s.txn_state(n)[0], lambda c: c == 105))
    s.rec("open", s.txn_state(y))
    s.rec("listed", len(s.c.call("ListTransactions", 1, {"StateFilters": [], "ProducerIdFilters": [
        pid, rid]})["TransactionStates"]))
    for v in (0, 2, 3):
        s.rec("add %d" % v, s.add(x, pid, e, (t, 0), version=v))
    for v in (1, 2, 5):
        s.rec("end %d" % v, end2(s, x, pid, e, False, v), end2(s, z, rid, g, True, v))
    for v in (7, 11, 12):
        s.rec("produce %d" % v, put(s, t, 0, b"a", x, pid, e, version=v)[0])
    s.rec("offsets", [s.txn_commit(x, pid, e, wire.unique("group"), t, 0, 1, version=v)
                      for v in (3, 4, 5)], s.add_offsets(x, pid, e, wire.unique("group")))
    s.rec("init with the old id", s.until(lambda: s.txn_state(x)[0], lambda c: c == 105),
          again(s, x, pid, e))
    code, other, epoch = s.init(z)
    s.rec("init", code, other != rid, epoch)
    s.rec("end of the open one", *end2(s, y, qid, f, True))
    s.rec("gone", s.until(lambda: s.txn_state(y)[0], lambda c: c == 105))
