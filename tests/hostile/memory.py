# SPDX-License-Identifier: Apache-2.0
"""Clients that want the broker to remember too much. All rows run with a memory limit; what may come
on top of it are requests and answers under way."""
import gzip
import time
import zlib

from harness import fetch_body, frame, is_closed, produce, produce_body, row, wire

COORDINATOR_NOT_AVAILABLE, STORAGE_ERROR, POLICY_VIOLATION, QUOTA_EXCEEDED = 15, 56, 44, 89
LIMIT = 4      # MB
ON_TOP = 48    # MB, also what the allocator keeps
MANY = 400000  # more than fit


def bounded(b, limit=LIMIT, on_top=ON_TOP):
    print("# %.0f MB more than at the beginning, the limit is %d" % (b.rss_grew(), limit))
    assert b.rss_grew() < limit + on_top, b.rss_grew()


@row("produce beyond the limit: a retriable error, nothing is lost", memory=32)
def produce_beyond(b):
    b.create("t")
    c, stored = b.connect(), 0
    blob = wire.batch([b"x" * 500000])
    for _ in range(200):
        code = produce(c, "t", blob)
        stored += code == 0
        assert code in (0, STORAGE_ERROR), code
    assert 40 < stored < 80, stored
    bounded(b, 32)
    a = c.call("ListOffsets", 2, {"ReplicaId": -1, "IsolationLevel": 0, "Topics": [
        {"Name": "t", "Partitions": [{"PartitionIndex": 0, "Timestamp": -2}]}]})
    assert a["Topics"][0]["Partitions"][0]["Offset"] == 0
    a = c.call("DeleteRecords", 1, {"Topics": [{"Name": "t", "Partitions": [
        {"PartitionIndex": 0, "Offset": -1}]}], "TimeoutMs": 10000})
    assert a["Topics"][0]["Partitions"][0]["LowWatermark"] == stored
    assert produce(c, "t", blob) == 0  # there is room again
    c.close()


@row("topics and partitions without end", memory=LIMIT)
def topics(b):
    c, made = b.connect(), 0
    for k in range(MANY // 500):
        names = ["t%d-%d" % (k, i) for i in range(500)]
        a = c.call("CreateTopics", 4, {"Topics": [
            {"Name": n, "NumPartitions": 10, "ReplicationFactor": 1} for n in names],
            "timeoutMs": 10000})
        codes = [t["ErrorCode"] for t in a["Topics"]]
        made += codes.count(0)
        if set(codes) == {POLICY_VIOLATION}:
            break
        assert set(codes) <= {0, POLICY_VIOLATION}, set(codes)
    else:
        assert False, "there is no end"
    a = c.call("CreatePartitions", 0, {"Topics": [{"Name": "t0-0", "Count": 9000, "Assignments": None}],
                                       "TimeoutMs": 1000})
    assert a["Results"][0]["ErrorCode"] == POLICY_VIOLATION, a
    assert made > 200, made
    until_full(lambda i: b.create("one%d" % i)[0], POLICY_VIOLATION)
    a = c.call("Metadata", 4, {"Topics": [{"Name": "one-more"}], "AllowAutoTopicCreation": True})
    assert a["Topics"][0]["ErrorCode"] == 3, a
    bounded(b)
    c.call("DeleteTopics", 1, {"TopicNames": ["t0-%d" % i for i in range(100)], "TimeoutMs": 1000})
    assert b.create("again") == [0]
    c.close()


@row("topics that come and go leave nothing behind", memory=LIMIT)
def topic_churn(b):
    c = b.connect()
    for k in range(60):
        names = ["%s%d-%d" % ("n" * 200, k, i) for i in range(200)]
        a = c.call("CreateTopics", 4, {"Topics": [
            {"Name": n, "NumPartitions": 1, "ReplicationFactor": 1} for n in names],
            "timeoutMs": 10000})
        assert {t["ErrorCode"] for t in a["Topics"]} == {0}
        a = c.call("DeleteTopics", 1, {"TopicNames": names, "TimeoutMs": 1000})
        assert {t["ErrorCode"] for t in a["Responses"]} == {0}
    bounded(b)
    c.close()


def until_full(ask, full, n=MANY, most=()):
    """Calls ask(i) until it answers `full`; -> how often it did not."""
    for i in range(n):
        code = ask(i)
        if code == full:
            return i
        assert code == 0 or code in most, code
    assert False, "there is no end"


@row("groups without end", memory=LIMIT)
def groups(b):
    b.create("t")
    c = b.connect()

    def commit(i):
        a = c.call("OffsetCommit", 7, {"GroupId": "g%d" % i, "GenerationIdOrMemberEpoch": -1,
                                       "MemberId": "", "GroupInstanceId": None, "Topics": [
            {"Name": "t", "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 1,
                                          "CommittedMetadata": "m" * 1000}]}]})
        return a["Topics"][0]["Partitions"][0]["ErrorCode"]
    assert until_full(commit, COORDINATOR_NOT_AVAILABLE) > 200
    bounded(b)
    c.close()


def join_body(group, member="", metadata=b"m" * 100):
    return {"GroupId": group, "SessionTimeoutMs": 30000, "RebalanceTimeoutMs": 30000,
            "MemberId": member, "GroupInstanceId": None, "ProtocolType": "consumer",
            "Protocols": [{"Name": "range", "Metadata": metadata}]}


@row("members without end, and one with giant metadata", memory=LIMIT)
def members(b):
    c = b.connect()

    def join(i):
        return c.call("JoinGroup", 5, join_body("g%d" % (i % 50)))["ErrorCode"]
    assert until_full(join, COORDINATOR_NOT_AVAILABLE, most=(79,)) > 200
    d = b.connect()
    a = d.call("JoinGroup", 5, join_body("giant", metadata=b"m" * (20 << 20)))
    assert a["ErrorCode"] == COORDINATOR_NOT_AVAILABLE, a
    bounded(b, on_top=120)  # the request itself, and once more as it was decoded
    c.close()
    d.close()


@row("transactional ids without end", memory=LIMIT)
def transactional_ids(b):
    c = b.connect()

    def init(i):
        return c.call("InitProducerId", 4, {"TransactionalId": "x%d" % i, "ProducerId": -1,
                                            "TransactionTimeoutMs": 60000,
                                            "ProducerEpoch": -1})["ErrorCode"]
    assert until_full(init, COORDINATOR_NOT_AVAILABLE) > 200
    bounded(b)
    c.close()


@row("producer ids without end", memory=LIMIT)
def producer_ids(b):
    b.create("t")
    c = b.connect()
    assert until_full(lambda i: produce(c, "t", wire.batch([b""], pid=1000 + i, epoch=0, seq=0)),
                      STORAGE_ERROR) > 200
    bounded(b)
    c.close()


@row("requests that are only begun", memory=LIMIT)
def begun(b):
    half = frame(b.messages, "Produce", 0, 7, produce_body("t", b"x" * 1000000))[:950000]
    conns = []
    for _ in range(200):
        conns.append(b.raw())
        try:
            conns[-1].sendall(half)
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert b.ask() < 5
    assert is_closed(conns[0], 10) and is_closed(conns[1], 10)
    bounded(b, on_top=64 + ON_TOP)
    for c in conns:
        c.close()


@row("a compressed batch that is a bomb", memory=LIMIT)
def bomb(b):
    b.create("t")
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(z.compress(b"\0" * (1 << 20)) for _ in range(256)) + z.flush()
    now = int(time.time() * 1000)
    blob = wire.batch([b""], ts=now, compress=lambda _: body)
    c = b.connect()
    code = produce(c, "t", blob)
    print("# %d bytes that become 256 MB: error %d" % (len(blob), code))
    for _ in range(2):
        a = c.call("ListOffsets", 2, {"ReplicaId": -1, "IsolationLevel": 0, "Topics": [
            {"Name": "t", "Partitions": [{"PartitionIndex": 0, "Timestamp": now - 5}]}]})
        assert len(a["Topics"]) == 1
    a = c.call("ListOffsets", 2, {"ReplicaId": -1, "IsolationLevel": 0, "Topics": [
        {"Name": "t", "Partitions": [{"PartitionIndex": 0, "Timestamp": now}] * 10000}]})
    assert {p["ErrorCode"] for p in a["Topics"][0]["Partitions"]} == {42}  # as Kafka: named twice
    bounded(b, on_top=100)
    assert produce(c, "t", wire.batch([b"a"] * 3, compress=gzip.compress)) == 0
    c.close()


@row("fetches of very many partitions, parked by the dozen", memory=LIMIT)
def wide_fetches(b):
    b.create("t")
    conns = []
    body = fetch_body("t", 0, wait=20000)
    body["Topics"][0]["Partitions"] *= 20000
    wide = frame(b.messages, "Fetch", 1, 11, body)
    for _ in range(40):
        conns.append(b.connect())
        try:
            conns[-1].send_raw(wide)
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert b.ask() < 20
    bounded(b, on_top=64 + 100 + ON_TOP)
    d = b.connect()
    body = fetch_body("t", 0)
    body["Topics"][0]["Partitions"] *= 5000
    a = d.call("Fetch", 11, body)
    assert len(a["Responses"][0]["Partitions"]) == 5000
    body["Topics"][0]["Partitions"] *= 16  # more values than a request may have
    d.send("Fetch", 11, body)
    assert is_closed(d.sock, 20)
    for c in conns + [d]:
        c.close()


@row("strings as long as they may be, and longer", memory=LIMIT)
def long_strings(b):
    b.create("t")
    c = b.connect("c" * 32767)
    a = c.call("Metadata", 4, {"Topics": [{"Name": "n" * 32767}], "AllowAutoTopicCreation": True})
    assert a["Topics"][0]["ErrorCode"] == 17, a["Topics"][0]["ErrorCode"]
    a = c.call("OffsetCommit", 7, {"GroupId": "g" * 32767, "GenerationIdOrMemberEpoch": -1,
                                   "MemberId": "", "GroupInstanceId": None, "Topics": [
        {"Name": "t", "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 1,
                                      "CommittedMetadata": "m" * 4097}]}]})
    assert a["Topics"][0]["Partitions"][0]["ErrorCode"] == 12, a
    c.close()
    bounded(b)
