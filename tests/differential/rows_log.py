# SPDX-License-Identifier: Apache-2.0
"""Idempotence, the log, fetch, topics, and what is no request at all."""
import gzip
import struct
import time

import wire
from table import row


def idem(s, **how):
    t = s.topic(**how)
    _, pid, e = s.init(None)
    s.name("pid", pid)
    return t, pid, e


@row("I01 I02 I03", "duplicates inside and outside of the window of five")
def duplicates(s):
    t, pid, e = idem(s)
    for i in range(7):
        s.rec("produce %d" % i, *s.produce(t, 0, b"%d" % i, pid=pid, epoch=e, seq=i))
    for i in (6, 2, 1, 0):
        s.rec("duplicate of %d" % i, s.produce(t, 0, b"%d" % i, pid=pid, epoch=e, seq=i))
    s.rec("end", s.lo(t, 0, -1))


@row("I04", "a gap in sequences")
def gap(s):
    t, pid, e = idem(s)
    s.produce(t, 0, b"a", pid=pid, epoch=e, seq=0)
    s.rec("gap", *s.produce(t, 0, b"c", pid=pid, epoch=e, seq=2))
    s.rec("right", *s.produce(t, 0, b"b", pid=pid, epoch=e, seq=1))
    s.rec("end", s.lo(t, 0, -1))


@row("I05 I06", "older and newer epochs")
def epochs(s):
    t, pid, e = idem(s)
    s.produce(t, 0, b"a", pid=pid, epoch=1, seq=0)
    s.rec("old", s.produce(t, 0, b"b", pid=pid, epoch=0, seq=1)[0])
    s.rec("new, not from zero", s.produce(t, 0, b"b", pid=pid, epoch=2, seq=1)[0])
    s.rec("new, from zero", *s.produce(t, 0, b"b", pid=pid, epoch=2, seq=0))
    s.rec("old again", s.produce(t, 0, b"a", pid=pid, epoch=1, seq=0)[0])


@row("I07", "an unknown producer id with any sequence")
def unknown_pid(s):
    t, pid, e = idem(s)
    s.rec("nine", *s.produce(t, 0, b"a", pid=pid + 500000, epoch=3, seq=9))
    s.rec("then ten", *s.produce(t, 0, b"b", pid=pid + 500000, epoch=3, seq=10))
    s.rec("then eight", s.produce(t, 0, b"b", pid=pid + 500000, epoch=3, seq=8)[0])


@row("I08", "sequences wrap")
def wrap(s):
    t, pid, e = idem(s)
    top = 2 ** 31 - 1
    s.rec("top", *s.produce(t, 0, b"a", pid=pid, epoch=e, seq=top))
    s.rec("zero", *s.produce(t, 0, b"b", pid=pid, epoch=e, seq=0))
    s.rec("one", *s.produce(t, 0, b"c", pid=pid, epoch=e, seq=1))
    u = s.topic()
    s.rec("across", *s.produce(u, 0, [b"a", b"b", b"c"], pid=pid, epoch=e, seq=top))
    s.rec("next", *s.produce(u, 0, b"d", pid=pid, epoch=e, seq=2))
    s.rec("duplicate", *s.produce(u, 0, [b"a", b"b", b"c"], pid=pid, epoch=e, seq=top))


@row("I09", "an old first sequence with another size")
def other_size(s):
    t, pid, e = idem(s)
    s.produce(t, 0, [b"a", b"b"], pid=pid, epoch=e, seq=0)
    s.rec("longer", s.produce(t, 0, [b"a", b"b", b"c"], pid=pid, epoch=e, seq=0)[0])
    s.rec("shorter", s.produce(t, 0, b"a", pid=pid, epoch=e, seq=0)[0])
    s.rec("overlapping", s.produce(t, 0, [b"b", b"c"], pid=pid, epoch=e, seq=1)[0])
    s.rec("end", s.lo(t, 0, -1))


@row("I10", "producer state survives DeleteRecords")
def state_survives(s):
    t, pid, e = idem(s)
    s.produce(t, 0, b"a", pid=pid, epoch=e, seq=0)
    s.rec("trim", *s.trim(t, 0, -1))
    s.rec("duplicate", *s.produce(t, 0, b"a", pid=pid, epoch=e, seq=0))
    s.rec("gap", s.produce(t, 0, b"c", pid=pid, epoch=e, seq=2)[0])
    s.rec("right", *s.produce(t, 0, b"b", pid=pid, epoch=e, seq=1))


@row("m25", "one request lost, the next one arrives")
def one_lost(s):
    t, pid, e = idem(s)
    s.rec("second first", *s.produce(t, 0, b"b", pid=pid, epoch=e, seq=1))
    s.rec("then first", s.produce(t, 0, b"a", pid=pid, epoch=e, seq=0)[0])


@row("D03", "a topic that is created anew")
def recreated(s):
    t, pid, e = idem(s)
    s.produce(t, 0, b"a", pid=pid, epoch=e, seq=0)
    g = wire.unique("group")
    s.commit(g, t, 0, 1)
    s.delete(t)
    s.until(lambda: s.lo_raw(t, 0, -1)["ErrorCode"], lambda e: e == 3)
    s.until(lambda: s.committed(g, t), lambda a: a[1] == -1)
    s.rec("offsets went", s.committed(g, t))
    s.until(lambda: s.create(t), lambda e: e == 0)
    s.until(lambda: s.lo_raw(t, 0, -1)["ErrorCode"], lambda e: e == 0)
    s.rec("starts anew", s.lo(t, 0, -1), s.produce(t, 0, b"b", pid=pid, epoch=e, seq=5))
    s.rec("offsets stay away", s.committed(g, t))


@row("L01 L02", "DeleteRecords")
def delete_records(s):
    t = s.topic()
    for i in range(5):
        s.produce(t, 0, b"%d" % i)
    s.rec("to 3", *s.trim(t, 0, 3))
    s.rec("below", s.fetch(t, 0, 1))
    s.rec("earliest", s.lo(t, 0, -2))
    s.rec("lower", *s.trim(t, 0, 2))
    s.rec("beyond", *s.trim(t, 0, 6))
    s.rec("negative", *s.trim(t, 0, -2))
    s.rec("all", *s.trim(t, 0, -1))
    s.rec("empty", s.fetch(t, 0, 5), s.lo(t, 0, -2))
    s.rec("unknown", *s.trim(wire.unique("no"), 0, 0))


@row("L01", "DeleteRecords inside a batch")
def delete_inside(s):
    t = s.topic()
    s.produce(t, 0, [b"a", b"b", b"c", b"d"])
    s.rec("trim", *s.trim(t, 0, 2))
    s.rec("fetch", s.fetch(t, 0, 2))
    s.rec("below", s.fetch(t, 0, 1))


@row("m29", "a fetch inside a batch returns the whole batch")
def inside(s):
    t = s.topic()
    s.produce(t, 0, [b"a", b"b", b"c", b"d"])
    s.rec("fetch", s.fetch(t, 0, 2))


@row("L03", "offsets by timestamp")
def by_time(s):
    t = s.topic()
    base = int(time.time() * 1000) - 100000
    s.produce(t, 0, [b"a", b"b", b"c"], ts=[base, base + 20, base + 10])
    s.produce(t, 0, b"d", ts=base + 30)
    for at in (0, base, base + 1, base + 15, base + 25, base + 30, base + 31):
        a = s.lo_raw(t, 0, at)
        s.rec("at %d" % (at - base if at else 0), a["ErrorCode"], a["Offset"],
              a["Timestamp"] - base if a["Timestamp"] > 0 else a["Timestamp"])
    s.trim(t, 0, 1)
    s.rec("above the start", s.lo(t, 0, base))
    s.rec("unknown", s.lo(wire.unique("no"), 0, -1), s.lo(t, 9, -1))


@row("L04", "batches that are not right")
def bad_batches(s):
    t = s.topic()
    p = lambda blob: s.produce_raw(t, 0, blob)["ErrorCode"]
    good = wire.batch([b"a"])
    s.rec("crc", p(wire.batch([b"a"], crc=1)))
    s.rec("magic 1", p(wire.batch([b"a"], magic=1)))
    s.rec("magic 3", p(wire.batch([b"a"], magic=3)))
    s.rec("two batches", p(good + wire.batch([b"b"])))
    s.rec("nothing", p(b""))
    s.rec("base offset", p(wire.batch([b"a"], base=5)))
    s.rec("count too high", p(wire.batch([b"a"], count=2)))
    s.rec("count zero", p(wire.batch([b"a"], count=0)))
    s.rec("negative count", p(wire.batch([b"a"], count=-1)))
    s.rec("delta too high", p(wire.batch([b"a"], last_delta=3)))
    s.rec("both too high", p(wire.batch([b"a"], last_delta=1, count=2)))
    s.rec("control", p(wire.batch([(b"\0\0\0\1", b"\0" * 6, [])], attributes=32)))
    s.rec("control, transactional", p(wire.batch([(b"\0\0\0\1", b"\0" * 6, [])], attributes=48,
                                                 pid=1, epoch=0, seq=0)))
    s.rec("pid without sequence", p(wire.batch([b"a"], pid=77, epoch=0, seq=-1)))
    s.rec("cut short", p(good[:-3]))
    s.rec("end", s.lo(t, 0, -1))


@row("L04", "a timestamp far ahead")
def future(s):
    t = s.topic()
    now = int(time.time() * 1000)
    s.rec("two hours", s.produce(t, 0, b"a", ts=now + 7200000)[0])
    s.rec("long ago", *s.produce(t, 0, b"a", ts=1000))
    s.rec("none", *s.produce(t, 0, b"a", ts=-1))


@row("L05", "too large")
def too_large(s):
    t = s.topic(max_message_bytes=500)
    s.rec("large", s.produce(t, 0, b"x" * 600))
    s.rec("small", s.produce(t, 0, b"x" * 300))


@row("L06", "a compressed batch is served as it was sent")
def compressed(s):
    t = s.topic()
    sent = wire.batch([b"a", b"b"], compress=gzip.compress)
    s.rec("produce", s.produce_raw(t, 0, sent)["ErrorCode"])
    got = wire.unbatch(s.fetch_raw(t, 0, 0)["Records"])[0]["bytes"]
    s.rec("same from the crc on", got[17:] == sent[17:], got[12:16] == b"\0\0\0\0")


@row("L07", "fetch at the end and beyond")
def at_end(s):
    t = s.topic()
    s.produce(t, 0, b"a")
    s.rec("at the end", s.fetch(t, 0, 1))
    s.rec("beyond", s.fetch(t, 0, 2))
    s.rec("negative", s.fetch(t, 0, -1))


@row("L08", "a waiting fetch wakes on produce")
def wakes(s):
    t = s.topic()
    c = s.connect()
    c.send("Fetch", 11, s.fetch_body(t, 0, 0, wait=5000))
    s.rec("waits", c.quiet_for(0.3))
    began = time.time()
    s.produce(t, 0, b"a")
    a = c.recv()["Responses"][0]["Partitions"][0]
    s.rec("woken", time.time() - began < 2, s.fetched(a))


@row("L09", "a fetch waits for as long as it may")
def waits(s):
    t = s.topic()
    s.produce(t, 0, b"a")
    began = time.time()
    s.fetch_raw(t, 0, 1, wait=400)
    s.rec("empty", 0.35 < time.time() - began < 2)
    began = time.time()
    s.rec("too little", s.fetch(t, 0, 0, wait=400, min_bytes=100000), time.time() - began > 0.35)
    began = time.time()
    s.fetch_raw(wire.unique("no"), 0, 0, wait=2000)
    s.rec("an error does not wait", time.time() - began < 1)


@row("L09", "sizes of answers")
def sizes(s):
    t = s.topic(partitions=2)
    for i in range(3):
        s.produce(t, 0, b"%d" % i * 100)
        s.produce(t, 1, b"%d" % i * 100)
    one = len(wire.batch([b"0" * 100]))
    count = lambda a: len(wire.unbatch(a["Records"] or b""))
    s.rec("one byte", count(s.fetch_raw(t, 0, 0, part_bytes=1, max_bytes=1)))
    s.rec("two batches", count(s.fetch_raw(t, 0, 0, part_bytes=2 * one)))
    s.rec("zero", count(s.fetch_raw(t, 0, 0, part_bytes=0)))
    body = s.fetch_body(t, 0, 0, max_bytes=one)
    body["Topics"][0]["Partitions"].append(dict(body["Topics"][0]["Partitions"][0], Partition=1))
    a = s.c.call("Fetch", 11, body)["Responses"][0]["Partitions"]
    s.rec("max bytes over two partitions", sorted(count(p) for p in a))


@row("L10 L11", "leader epochs")
def leader_epochs(s):
    t = s.topic()
    s.produce(t, 0, b"a")
    for epoch in (-1, 0, 1):
        s.rec("fetch %d" % epoch, s.fetch(t, 0, 0, epoch=epoch))
    ask = lambda current, epoch: s.c.call("OffsetForLeaderEpoch", 2, {"Topics": [
        {"Topic": t, "Partitions": [{"Partition": 0, "CurrentLeaderEpoch": current,
                                     "LeaderEpoch": epoch}]}]})["Topics"][0]["Partitions"][0]
    for current, epoch in ((-1, 0), (0, 0), (0, 5), (9, 0), (-1, -1)):
        a = ask(current, epoch)
        s.rec("end of %d, current %d" % (epoch, current), a["ErrorCode"], a["LeaderEpoch"],
              a["EndOffset"])


@row("L12", "LogAppendTime")
def append_time(s):
    t = s.topic(message_timestamp_type="LogAppendTime")
    now = int(time.time() * 1000)
    a = s.produce_raw(t, 0, wire.batch([b"a", b"b"], ts=1000))
    s.rec("answer", a["ErrorCode"], abs(a["LogAppendTimeMs"] - now) < 60000)
    b = wire.unbatch(s.fetch_raw(t, 0, 0)["Records"])[0]
    s.rec("batch", b["attributes"], b["crc_ok"], abs(b["max_ts"] - now) < 60000)
    s.rec("by time", s.lo(t, 0, now - 60000), s.lo(t, 0, 1))


@row("L13", "acks 0 and 1, and what acks may be")
def acks(s):
    t = s.topic()
    c = s.connect()
    body = {"TransactionalId": None, "Acks": 0, "TimeoutMs": 1000, "TopicData": [
        {"Name": t, "PartitionData": [{"Index": 0, "Records": wire.batch([b"a"])}]}]}
    c.send("Produce", 7, body)
    c.waiting.clear()
    s.rec("no answer", c.quiet_for(0.2))
    s.rec("appended", s.until(lambda: s.lo(t, 0, -1), lambda a: a[1] == 1))
    s.rec("acks 1", *s.produce(t, 0, b"b", acks=1))
    s.rec("acks 2", s.produce(t, 0, b"b", acks=2)[0])
    body["TopicData"][0]["Name"] = wire.unique("no")
    c.send("Produce", 7, body)
    try:
        c.recv_raw()
        s.rec("an error with acks 0", "answered")
    except wire.Closed:
        s.rec("an error with acks 0", "closed")


@row("L14", "unknown topics and partitions")
def unknown(s):
    t = s.topic()
    no = wire.unique("no")
    s.rec("produce", s.produce(no, 0, b"a"), s.produce(t, 5, b"a"), s.produce(t, -1, b"a"))
    s.rec("fetch", s.fetch(no, 0), s.fetch(t, 5))
    s.rec("internal", s.produce("__consumer_offsets", 0, b"a")[0])


@row("L15", "headers, null keys and values")
def headers(s):
    t = s.topic()
    s.produce(t, 0, [(b"k", None, [(b"h", b"1"), (b"h", None)]), (None, b"", []), (b"", b"v", [])])
    for r in wire.unbatch(s.fetch_raw(t, 0, 0)["Records"])[0]["records"]:
        s.rec("record", r["offset"], r["key"], r["value"], r["headers"])


@row("L16", "pipelined produces are answered in order")
def pipelined(s):
    t = s.topic()
    c = s.connect()
    for i in range(20):
        c.send("Produce", 7, {"TransactionalId": None, "Acks": -1, "TimeoutMs": 1000, "TopicData": [
            {"Name": t, "PartitionData": [{"Index": 0, "Records": wire.batch([b"%d" % i])}]}]})
    got = [c.recv()["Responses"][0]["PartitionResponses"][0]["BaseOffset"] for _ in range(20)]
    s.rec("in order", got == list(range(20)))


@row("D01", "CreateTopics and DeleteTopics")
def create_delete(s):
    t = s.topic()
    s.rec("again", s.create(t))
    s.rec("validate", s.create(wire.unique("t"), validate=True))
    s.rec("names", [s.create(n) for n in ("", ".", "..", "a b", "x" * 250, "a/b")])
    s.rec("numbers", s.create(wire.unique("t"), 0), s.create(wire.unique("t"), -2),
          s.create(wire.unique("t"), 1, replicas=5), s.create(wire.unique("t"), 1, replicas=0))
    d = wire.unique("t")
    s.rec("defaults", s.create(d, -1, replicas=-1))
    s.rec("config", s.create(wire.unique("t"), no_such_thing=1),
          s.create(wire.unique("t"), max_message_bytes="many"))
    s.rec("delete", s.delete(t), s.delete(wire.unique("no")))
    s.rec("gone", s.until(lambda: s.lo(t, 0, -1)[0], lambda e: e == 3))


@row("D01", "Metadata")
def metadata(s):
    t = s.topic(partitions=2)
    a = s.c.call("Metadata", 4, {"Topics": [{"Name": t}, {"Name": wire.unique("no")},
                                            {"Name": "a b"}], "AllowAutoTopicCreation": False})
    for x in a["Topics"]:
        s.rec("topic", x["ErrorCode"], x["IsInternal"],
              sorted((p["ErrorCode"], p["PartitionIndex"], p["LeaderId"], p["ReplicaNodes"],
                      p["IsrNodes"]) for p in x["Partitions"]))
    s.rec("brokers", len(a["Brokers"]), a["ControllerId"], len(a["ClusterId"]) > 10)
    every = s.c.call("Metadata", 1, {"Topics": None})
    s.rec("all", t in [x["Name"] for x in every["Topics"]])
    none = s.c.call("Metadata", 1, {"Topics": []})
    s.rec("none", none["Topics"])


@row("D02", "CreatePartitions")
def grow(s):
    t = s.topic()
    ask = lambda n, validate=False, name=None: s.c.call("CreatePartitions", 0, {
        "Topics": [{"Name": name or t, "Count": n, "Assignments": None}], "TimeoutMs": 10000,
        "ValidateOnly": validate})["Results"][0]["ErrorCode"]
    s.rec("validate", ask(3, True), s.lo(t, 2, -1)[0])
    s.rec("grow", ask(3), s.until(lambda: s.lo(t, 2, -1), lambda a: a[0] == 0))
    s.rec("not smaller", ask(3), ask(2), ask(0))
    s.rec("unknown", ask(2, name=wire.unique("no")))


@row("D02", "DescribeConfigs")
def configs(s):
    t = s.topic(max_message_bytes=1234)

    def ask(kind, name, keys):
        a = s.c.call("DescribeConfigs", 1, {"Resources": [
            {"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys}]})["Results"][0]
        return a["ErrorCode"], [(c["Name"], c["Value"], c["ConfigSource"], c["ReadOnly"],
                                 c["IsSensitive"])
                                for c in sorted(a["Configs"], key=lambda c: c["Name"])]
    s.rec("topic", *ask(2, t, ["max.message.bytes", "message.timestamp.type", "cleanup.policy"]))
    s.rec("unknown topic", ask(2, wire.unique("no"), None)[0])
    s.rec("broker", [v[:2] for v in ask(4, "1", ["transaction.max.timeout.ms"])[1]])


@row("K02", "ApiVersions")
def api_versions(s):
    a = s.c.call("ApiVersions", 3, {"ClientSoftwareName": "x", "ClientSoftwareVersion": "1"})
    s.rec("error", a["ErrorCode"])
    have = {v["ApiKey"]: v for v in a["ApiKeys"]}
    s.rec("produce from", have[0]["MinVersion"])
    s.rec("features", sorted(f["Name"] for f in a.get("SupportedFeatures", [])
                             if f["Name"] in ("transaction.version", "group.version")),
          "transaction.version" in [f["Name"] for f in a["FinalizedFeatures"]])


@row("B02", "unknown apis and versions")
def unknown_api(s):
    def sent(key, version, body=b""):
        c = s.connect()
        frame = struct.pack(">hhih", key, version, 7, 1) + b"x" + body
        c.send_raw(struct.pack(">i", len(frame)) + frame)
        try:
            return c.recv_raw()
        except wire.Closed:
            return "closed"
    s.rec("api 9999", sent(9999, 0))
    s.rec("api -1", sent(-1, 0))
    answer = sent(18, 99, b"\0")
    s.rec("ApiVersions 99", struct.unpack(">ih", answer[:6]), len(answer))
    s.rec("Metadata 99", sent(3, 99))
    s.rec("Fetch -1", sent(1, -1))
    s.rec("lives", s.lo(s.topic(), 0, -1))


@row("B03", "garbage")
def garbage(s):
    def sent(data):
        c = s.connect()
        c.send_raw(data)
        try:
            c.recv_raw()
            return "answered"
        except wire.Closed:
            return "closed"
    s.rec("a huge frame", sent(struct.pack(">i", 2 ** 31 - 1)))
    s.rec("a negative frame", sent(struct.pack(">i", -5) + b"x" * 10))
    s.rec("an empty frame", sent(struct.pack(">i", 0)))
    s.rec("text", sent(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    s.rec("a short body", sent(struct.pack(">ihhih", 10, 3, 4, 1, 0)))
    s.rec("a giant array", sent(struct.pack(">ihhihi", 14, 3, 4, 1, 0, 2 ** 31 - 1)))
    s.rec("lives", s.lo(s.topic(), 0, -1))
