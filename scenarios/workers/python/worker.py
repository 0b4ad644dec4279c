# SPDX-License-Identifier: Apache-2.0
"""Copies records from one topic to another, exactly once, with confluent-kafka.

Everything comes from the environment: see README.md in the folder above. SIGTERM ends the worker
after its transaction; any error that it cannot recover from ends it with 1.
"""

import os
import signal
import sys
import time

from confluent_kafka import (OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition,
                             libversion, version)

CALL_TIMEOUT = 20  # seconds that one call into the client may take before it is repeated
POLL_TIMEOUT = 0.25
GATHER = 0.5  # seconds that a batch may take to fill


def number(name, preset):
    return int(os.environ.get(name, preset))


def protocol(name):
    """In the consumer protocol (KIP-848) it is the broker that says what sessions are."""
    if name == "consumer":
        return {"group.protocol": name}
    session = number("SESSION_TIMEOUT_MS", 6000)
    return {"group.protocol": name, "session.timeout.ms": session,
            "heartbeat.interval.ms": max(100, session // 6)}


class Fatal(Exception):
    pass


class GivenUp(Exception):
    pass


class Worker:
    def __init__(self):
        env = os.environ
        self.bug = env.get("BUG", "none")
        if self.bug not in ("none", "offsets-after-transaction", "no-rewind", "auto-commit"):
            raise Fatal(f"BUG: there is no bug '{self.bug}'")
        self.output = env["OUTPUT"]
        self.batch = number("BATCH", 10)
        self.work = number("WORK_MS", 0) / 1000
        self.give_up = number("GIVE_UP_MS", 0) / 1000
        self.stopping = False
        self.gone = set()  # partitions that were taken away since the batch was begun
        self.consumer = Consumer({
            "bootstrap.servers": env["BOOTSTRAP"],
            "group.id": env["GROUP"],
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": self.bug == "auto-commit",
            "auto.commit.interval.ms": 1000,
            **protocol(env.get("GROUP_PROTOCOL", "classic")),
        })
        self.producer = Producer({
            "bootstrap.servers": env["BOOTSTRAP"],
            "transactional.id": env["TRANSACTIONAL_ID"],
            "transaction.timeout.ms": number("TRANSACTION_TIMEOUT_MS", 10000),
            "linger.ms": 0,
        })
        self.persist(self.producer.init_transactions)
        self.consumer.subscribe([env["INPUT"]], on_revoke=self.taken, on_lost=self.taken)

    def taken(self, _consumer, partitions):
        self.gone.update((p.topic, p.partition) for p in partitions)

    def persist(self, call, *args):
        """Repeats a call of the transactional producer for as long as its error is retriable."""
        while True:
            try:
                return call(*args, CALL_TIMEOUT)
            except KafkaException as e:
                if not e.args[0].retriable():
                    raise

    def gather(self):
        """Some records of partitions that are owned. Those of a partition that was taken away are
        dropped: whoever owns it now reads them again from the committed offset. The others are not
        read again: not all partitions are taken away in every protocol."""
        records, until = [], None
        self.gone.clear()
        while len(records) < self.batch and not self.stopping:
            left = POLL_TIMEOUT if until is None else until - time.monotonic()
            if left <= 0:
                break
            m = self.consumer.poll(left)
            if self.gone:
                records = [r for r in records if (r.topic(), r.partition()) not in self.gone]
                until = until if records else None
                self.gone.clear()
            if m is None:
                if until is None:
                    break
            elif m.error():
                if m.error().fatal():
                    raise Fatal(str(m.error()))
            else:
                records.append(m)
                until = until or time.monotonic() + GATHER
        return records

    def rewind(self):
        """Back to the committed offsets, after an abort."""
        try:
            for p in self.consumer.committed(self.consumer.assignment(), CALL_TIMEOUT):
                at = p.offset if p.offset >= 0 else OFFSET_BEGINNING
                self.consumer.seek(TopicPartition(p.topic, p.partition, at))
        except KafkaException as e:
            # Without an answer nothing may be read on: a new process begins at the committed offset.
            raise Fatal(f"cannot go back: {e}") from e

    def copy(self, records, metadata):
        after, begun = {}, time.monotonic()
        self.producer.begin_transaction()
        for m in records:
            if self.work:
                time.sleep(self.work)
            self.producer.produce(self.output, m.value(), m.key(), on_delivery=lambda *_: None)
            self.producer.poll(0)
            after[m.topic(), m.partition()] = m.offset() + 1
        if self.give_up and time.monotonic() - begun > self.give_up:
            raise GivenUp("it took too long")
        offsets = [TopicPartition(t, p, o) for (t, p), o in after.items()]
        if self.bug in ("none", "no-rewind"):
            self.persist(self.producer.send_offsets_to_transaction, offsets, metadata)
        self.persist(self.producer.commit_transaction)
        if self.bug == "offsets-after-transaction":
            self.consumer.commit(offsets=offsets, asynchronous=False)

    def abort(self, why):
        print(f"aborting: {why}", flush=True)
        self.persist(self.producer.abort_transaction)
        if self.bug != "no-rewind":
            self.rewind()

    def step(self):
        records = self.gather()
        if not records:
            return
        metadata = self.consumer.consumer_group_metadata()  # of the assignment of these records
        try:
            self.copy(records, metadata)
        except KafkaException as e:
            error = e.args[0]
            if error.fatal() or not error.txn_requires_abort():
                if self.bug == "offsets-after-transaction" and not error.fatal():
                    return  # the commit behind the transaction failed
                raise Fatal(str(error)) from e
            self.abort(error)
        except GivenUp as e:
            self.abort(e)

    def stop(self, *_):
        self.stopping = True

    def run(self):
        while not self.stopping:
            self.step()
        self.consumer.close()


def main():
    print(f"confluent-kafka {version()[0]}, librdkafka {libversion()[0]}", flush=True)
    try:
        worker = Worker()
        signal.signal(signal.SIGTERM, worker.stop)
        worker.run()
    except (Fatal, KafkaException) as e:
        print(f"fatal: {e}", flush=True)
        os._exit(1)  # an open transaction is left to the next process with this id
    except KeyError as e:
        print(f"fatal: the environment lacks {e}", flush=True)
        sys.exit(1)


main()
