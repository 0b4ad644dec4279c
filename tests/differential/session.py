# SPDX-License-Identifier: Apache-2.0
"""What a sequence is written in: short calls whose answers become lines of a transcript. Ids that
differ between brokers (producer ids, member ids) are replaced by names, in order of appearance."""
import time

import wire

CONCURRENT, UNSTABLE = 51, 88
BUSY = (3, 5, 6, 14, 15, 16)


class Session:
    def __init__(self, messages, address):
        self.messages = messages
        self.address = address
        self.lines = []
        self.names = {}
        self.conns = []
        self.c = self.connect()

    def connect(self):
        c = wire.Conn(self.messages, self.address)
        self.conns.append(c)
        return c

    def close(self):
        for c in self.conns:
            c.close()

    def rec(self, label, *values):
        self.lines.append("%s: %s" % (label, " ".join(str(v) for v in values)))

    def name(self, kind, value):
        """A stable name for an id that the broker chose."""
        if value in (-1, "", None):
            return str(value)
        names = self.names.setdefault(kind, [])
        if value not in names:
            names.append(value)
        return "%s%d" % (kind, names.index(value))

    def until(self, ask, good, limit=15.0):
        """Asks until good(answer) or the limit; returns the last answer."""
        end = time.time() + limit
        while True:
            answer = ask()
            if good(answer) or time.time() > end:
                return answer
            time.sleep(0.02)

    # ---- topics

    def topic(self, prefix="t", partitions=1, **configs):
        return self.topic_named(wire.unique(prefix), partitions, **configs)

    def topic_named(self, name, partitions=1, **configs):
        a = self.create(name, partitions, **configs)
        if a != 0:
            raise RuntimeError("creating %s: %d" % (name, a))
        self.until(lambda: self.lo_raw(name, partitions - 1, -1)["ErrorCode"], lambda e: e == 0)
        for p in range(partitions):
            self.until(lambda p=p: self.lo_raw(name, p, -1)["ErrorCode"], lambda e: e == 0)
        return name

    def create(self, name, partitions=1, validate=False, replicas=1, **configs):
        a = self.c.call("CreateTopics", 4, {
            "Topics": [{"Name": name, "NumPartitions": partitions, "ReplicationFactor": replicas,
                        "Configs": [{"Name": k.replace("_", "."), "Value": str(v)}
                                    for k, v in configs.items()]}],
            "timeoutMs": 10000, "validateOnly": validate})
        return a["Topics"][0]["ErrorCode"]

    def delete(self, *names):
        a = self.c.call("DeleteTopics", 1, {"TopicNames": list(names), "TimeoutMs": 10000})
        return [t["ErrorCode"] for t in a["Responses"]]

    # ---- produce and fetch

    def produce_raw(self, topic, p, blob, txn_id=None, version=7, acks=-1):
        a = self.c.call("Produce", version, {
            "TransactionalId": txn_id, "Acks": acks, "TimeoutMs": 10000,
            "TopicData": [{"Name": topic, "PartitionData": [{"Index": p, "Records": blob}]}]})
        return a["Responses"][0]["PartitionResponses"][0]

    def produce(self, topic, p, values, txn_id=None, version=7, acks=-1, **how):
        """-> (error, base offset)"""
        values = values if isinstance(values, list) else [values]
        how.setdefault("txn", txn_id is not None)
        a = self.produce_raw(topic, p, wire.batch(values, **how), txn_id, version, acks)
        return a["ErrorCode"], a["BaseOffset"]

    def fetch_body(self, topic, p, offset, iso=0, wait=0, min_bytes=1, max_bytes=1 << 20,
                   part_bytes=1 << 20, epoch=-1):
        return {"ReplicaId": -1, "MaxWaitMs": wait, "MinBytes": min_bytes, "MaxBytes": max_bytes,
                "IsolationLevel": iso, "SessionId": 0, "SessionEpoch": -1,
                "Topics": [{"Topic": topic, "Partitions": [
                    {"Partition": p, "FetchOffset": offset, "PartitionMaxBytes": part_bytes,
                     "CurrentLeaderEpoch": epoch}]}]}

    def fetch_raw(self, topic, p, offset, version=11, **how):
        a = self.c.call("Fetch", version, self.fetch_body(topic, p, offset, **how))
        return a["Responses"][0]["Partitions"][0]

    def fetch(self, topic, p, offset=0, iso=0, **how):
        """-> a line: error, lso, hw, aborted, records"""
        return self.fetched(self.fetch_raw(topic, p, offset, iso=iso, **how))

    def fetched(self, a):
        shown = []
        for b in wire.unbatch(a["Records"] or b""):
            mark = "C%d" % b["records"][0]["key"][3] if b["control"] else "t" if b["txn"] else ""
            epoch = "e%d" % b["epoch"] if b["epoch"] >= 0 else ""
            if b["control"] or not b["records"]:
                shown.append("%d-%d%s%s" % (b["base"], b["last"], mark, epoch))
            for r in b["records"] if not b["control"] else []:
                shown.append("%d%s%s=%s" % (r["offset"], mark, epoch, (r["value"] or b"").decode()))
        aborted = a["AbortedTransactions"]
        return "error %d start %d lso %d hw %d aborted %s [%s]" % (
            a["ErrorCode"], a["LogStartOffset"], a["LastStableOffset"], a["HighWatermark"],
            None if aborted is None else
            [(self.name("pid", x["ProducerId"]), x["FirstOffset"]) for x in aborted],
            " ".join(shown))

    def visible(self, topic, p):
        """Values that a read_committed consumer gets, filtered as a client does."""
        a = self.fetch_raw(topic, p, self.lo(topic, p, -2)[1], iso=1)
        aborted = sorted((x["FirstOffset"], x["ProducerId"])
                         for x in a["AbortedTransactions"] or [])
        gone, out = set(), []
        for b in wire.unbatch(a["Records"] or b""):
            while aborted and aborted[0][0] <= b["last"]:
                gone.add(aborted.pop(0)[1])
            if b["control"]:
                if b["records"][0]["key"][3] == 0:
                    gone.discard(b["pid"])
            elif not (b["txn"] and b["pid"] in gone):
                out += [r["value"].decode() for r in b["records"]]
        return " ".join(out)

    def lo_raw(self, topic, p, ts, iso=0, version=2):
        a = self.c.call("ListOffsets", version, {
            "ReplicaId": -1, "IsolationLevel": iso,
            "Topics": [{"Name": topic, "Partitions": [{"PartitionIndex": p, "Timestamp": ts}]}]})
        return a["Topics"][0]["Partitions"][0]

    def lo(self, topic, p, ts, iso=0):
        """-> (error, offset)"""
        a = self.lo_raw(topic, p, ts, iso)
        return a["ErrorCode"], a["Offset"]

    def stable(self, topic, p=0):
        """Waits until the last stable offset is the end; -> that."""
        return self.until(lambda: (self.lo(topic, p, -1, 1)[1], self.lo(topic, p, -1, 0)[1]),
                          lambda x: x[0] == x[1])[0]

    def trim(self, topic, p, offset):
        a = self.c.call("DeleteRecords", 1, {"Topics": [{"Name": topic, "Partitions": [
            {"PartitionIndex": p, "Offset": offset}]}], "TimeoutMs": 10000})
        x = a["Topics"][0]["Partitions"][0]
        return x["ErrorCode"], x["LowWatermark"]

    # ---- transactions

    def init_raw(self, txn_id, timeout=60000, pid=-1, epoch=-1, version=4):
        body = {"TransactionalId": txn_id, "TransactionTimeoutMs": timeout}
        if version >= 3:
            body.update(ProducerId=pid, ProducerEpoch=epoch)
        return self.until(lambda: self.c.call("InitProducerId", version, body),
                          lambda a: a["ErrorCode"] not in (14, 15, 16))

    def init(self, txn_id, timeout=60000, pid=-1, epoch=-1, version=4):
        """Repeats while another transaction of the id is being ended. -> (error, pid, epoch)"""
        a = self.until(lambda: self.init_raw(txn_id, timeout, pid, epoch, version),
                       lambda a: a["ErrorCode"] != CONCURRENT)
        return a["ErrorCode"], a["ProducerId"], a["ProducerEpoch"]

    def add_raw(self, txn_id, pid, epoch, parts, version=1):
        topics = {}
        for topic, p in parts:
            topics.setdefault(topic, []).append(p)
        a = self.c.call("AddPartitionsToTxn", version, {
            "V3AndBelowTransactionalId": txn_id, "V3AndBelowProducerId": pid,
            "V3AndBelowProducerEpoch": epoch,
            "V3AndBelowTopics": [{"Name": t, "Partitions": ps} for t, ps in topics.items()]})
        return [x["PartitionErrorCode"] for t in a["ResultsByTopicV3AndBelow"]
                for x in t["ResultsByPartition"]]

    def add(self, txn_id, pid, epoch, *parts, version=1):
        """Repeats while the transaction before is being ended. -> the errors, one if all equal"""
        a = self.until(lambda: self.add_raw(txn_id, pid, epoch, parts, version),
                       lambda a: CONCURRENT not in a)
        return a[0] if len(set(a)) == 1 else a

    def add_offsets(self, txn_id, pid, epoch, group, version=0):
        return self.until(lambda: self.c.call("AddOffsetsToTxn", version, {
            "TransactionalId": txn_id, "ProducerId": pid, "ProducerEpoch": epoch,
            "GroupId": group})["ErrorCode"], lambda e: e != CONCURRENT)

    def end(self, txn_id, pid, epoch, commit, version=1):
        return self.until(lambda: self.c.call("EndTxn", version, {
            "TransactionalId": txn_id, "ProducerId": pid, "ProducerEpoch": epoch,
            "Committed": commit})["ErrorCode"], lambda e: e != CONCURRENT)

    def txn_state(self, txn_id):
        a = self.c.call("DescribeTransactions", 0, {"TransactionalIds": [txn_id]})
        t = a["TransactionStates"][0]
        return t["ErrorCode"], t["TransactionState"], t["ProducerEpoch"]

    def settled(self, txn_id):
        """Waits for the end of completion; -> the state."""
        return self.until(lambda: self.txn_state(txn_id),
                          lambda s: not s[1].startswith("Prepare"))

    def txn_commit(self, txn_id, pid, epoch, group, topic, p, offset, member="", generation=-1,
                   instance=None, version=3):
        body = {"TransactionalId": txn_id, "GroupId": group, "ProducerId": pid,
                "ProducerEpoch": epoch, "Topics": [{"Name": topic, "Partitions": [
                    {"PartitionIndex": p, "CommittedOffset": offset, "CommittedMetadata": ""}]}]}
        if version >= 3:
            body.update(MemberId=member, GenerationId=generation, GroupInstanceId=instance)
        a = self.until(lambda: self.c.call("TxnOffsetCommit", version, body),
                       lambda a: a["Topics"][0]["Partitions"][0]["ErrorCode"] not in (14, 15, 16))
        return a["Topics"][0]["Partitions"][0]["ErrorCode"]

    # ---- groups

    def commit(self, group, topic, p, offset, member="", generation=-1, instance=None, metadata="",
               version=7):
        body = {"GroupId": group, "GenerationIdOrMemberEpoch": generation, "MemberId": member,
                "Topics": [{"Name": topic, "Partitions": [
                    {"PartitionIndex": p, "CommittedOffset": offset,
                     "CommittedMetadata": metadata}]}]}
        if version >= 7:
            body["GroupInstanceId"] = instance
        a = self.until(lambda: self.c.call("OffsetCommit", version, body),
                       lambda a: a["Topics"][0]["Partitions"][0]["ErrorCode"] not in (14, 15, 16))
        return a["Topics"][0]["Partitions"][0]["ErrorCode"]

    def committed(self, group, topic, p=0, stable=False):
        """-> (error, offset, metadata)"""
        a = self.until(lambda: self.c.call("OffsetFetch", 7, {
            "GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [p]}],
            "RequireStable": stable}), lambda a: a["ErrorCode"] not in (14, 15, 16))
        if a["ErrorCode"]:
            return a["ErrorCode"], None, None
        x = a["Topics"][0]["Partitions"][0]
        return x["ErrorCode"], x["CommittedOffset"], x["Metadata"]

    def find(self, key, kind=0):
        return self.until(lambda: self.c.call("FindCoordinator", 2, {"Key": key, "KeyType": kind}),
                          lambda a: a["ErrorCode"] != 15)

    def join_body(self, group, member="", instance=None, protocols=(("range", b"r"),),
                  session=10000, rebalance=10000, kind="consumer", version=5):
        body = {"GroupId": group, "SessionTimeoutMs": session, "RebalanceTimeoutMs": rebalance,
                "MemberId": member, "ProtocolType": kind,
                "Protocols": [{"Name": n, "Metadata": m} for n, m in protocols]}
        if version >= 5:
            body["GroupInstanceId"] = instance
        return body

    def join_send(self, conn, group, version=5, **how):
        self.find(group)
        conn.send("JoinGroup", version, self.join_body(group, version=version, **how))

    def join_once(self, group, **how):
        """One JoinGroup without a follow-up."""
        def ask():
            self.join_send(self.c, group, **how)
            return self.c.recv()
        return self.until(ask, lambda a: a["ErrorCode"] not in (14, 15, 16))

    def join(self, group, conn=None, version=5, **how):
        """One JoinGroup, answered; MEMBER_ID_REQUIRED is followed up."""
        conn = conn or self.c
        while True:
            self.join_send(conn, group, version, **how)
            a = conn.recv()
            if a["ErrorCode"] == 79:
                how["member"] = a["MemberId"]
            elif a["ErrorCode"] not in (14, 15, 16):
                return a
            time.sleep(0.02)

    def sync_body(self, group, member, generation, assignments=(), instance=None):
        return {"GroupId": group, "GenerationId": generation, "MemberId": member,
                "GroupInstanceId": instance,
                "Assignments": [{"MemberId": m, "Assignment": x} for m, x in assignments]}

    def sync(self, group, member, generation, assignments=(), instance=None, conn=None):
        a = (conn or self.c).call("SyncGroup", 3, self.sync_body(group, member, generation,
                                                                 assignments, instance))
        return a["ErrorCode"], a["Assignment"]

    def beat(self, group, member, generation, instance=None, conn=None):
        return (conn or self.c).call("Heartbeat", 3, {
            "GroupId": group, "GenerationId": generation, "MemberId": member,
            "GroupInstanceId": instance})["ErrorCode"]

    def leave(self, group, member, conn=None):
        return (conn or self.c).call("LeaveGroup", 1, {"GroupId": group,
                                                       "MemberId": member})["ErrorCode"]

    def group_state(self, group):
        a = self.until(lambda: self.c.call("DescribeGroups", 0, {"Groups": [group]}),
                       lambda a: a["Groups"][0]["ErrorCode"] not in (14, 15, 16))["Groups"][0]
        return a["ErrorCode"], a["GroupState"], len(a["Members"])

    def joined(self, a):
        """A join's answer as a line."""
        return "error %d generation %d protocol %r leader %s me %s members %s" % (
            a["ErrorCode"], a["GenerationId"], a["ProtocolName"], self.name("member", a["Leader"]),
            self.name("member", a["MemberId"]),
            sorted(self.name("member", m["MemberId"]) for m in a["Members"]))

    def stable_member(self, group, **how):
        """One member in a stable group; -> (member id, generation)"""
        a = self.join(group, **how)
        self.sync(group, a["MemberId"], a["GenerationId"], [(a["MemberId"], b"all")],
                  how.get("instance"), how.get("conn"))
        return a["MemberId"], a["GenerationId"]
