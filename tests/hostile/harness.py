# SPDX-License-Identifier: Apache-2.0
"""A broker to be treated badly, and what every row may use."""
import atexit
import ctypes
import glob
import os
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/differential"))

import wire  # noqa: E402

KAOS = os.environ.get("KAOS", os.path.join(ROOT, "build/release/kaos"))
SEED = int(os.environ.get("KAOS_TEST_SEED", "1"))
ROWS = []


def row(doc, **how):
    """Marks a function(broker) as a row; how: arguments of Broker."""
    def add(fn):
        ROWS.append((fn.__name__, doc, fn, how))
        return fn
    return add


def unpack_messages():
    """-> a folder with the definitions; it goes when the program ends"""
    home = os.environ.get("KAOS_HOME", os.path.join(ROOT, ".kaos"))
    folder = tempfile.mkdtemp(prefix="kaos-messages-")
    atexit.register(shutil.rmtree, folder, True)
    for jar in glob.glob(os.path.join(home, "kafka/4.3.1/libs/kafka-*.jar")):
        with zipfile.ZipFile(jar) as z:
            for name in z.namelist():
                if name.startswith("common/message/") and name.endswith(".json"):
                    with open(os.path.join(folder, os.path.basename(name)), "wb") as f:
                        f.write(z.read(name))
    if not os.listdir(folder):
        sys.exit("there are no message definitions: run script/kafka")
    return folder


class Broker:
    """`kaos broker`; memory in MB, descriptors: the hard limit that it is given."""

    def __init__(self, messages, memory=0, descriptors=0, config=()):
        def before():
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        args = [KAOS, "broker", "--listen", "127.0.0.1:0"]
        if memory:
            args += ["--memory", "%dm" % memory]
        for c in config:
            args += ["--config", c]
        env = dict(os.environ)
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"
        self.messages = messages
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True, env=env,
                                        preexec_fn=before)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit("the broker does not start: %r" % line)
        self.address = line.split()[-1]
        self.random = random.Random(SEED)
        with open("/proc/%d/maps" % self.process.pid, encoding="utf-8") as f:
            self.asan = "libasan" in f.read()
        self.first_rss = self.rss()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)

    def status(self, field):
        with open("/proc/%d/status" % self.process.pid, encoding="utf-8") as f:
            for line in f:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        raise KeyError(field)

    def rss(self):
        """MB"""
        return self.status("VmRSS") / 1024

    def rss_grew(self):
        """Highest so far, in MB above the beginning; the sanitizer's share is taken off roughly."""
        grew = self.status("VmHWM") / 1024 - self.first_rss
        return max(0, grew - 40) / 2 if self.asan else grew

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self, client_id="hostile"):
        return wire.Conn(self.messages, self.address, client_id)

    def raw(self):
        host, port = self.address.rsplit(":", 1)
        s = socket.create_connection((host, int(port)), timeout=20)
        s.settimeout(20)
        return s

    def offered(self):
        """-> [(name, api, lowest, highest)]"""
        c = self.connect()
        a = c.call("ApiVersions", 0, {})
        c.close()
        names = {key: m["name"][:-len("Request")] for (key, kind), m in
                 self.messages.by_key.items() if kind == "request"}
        return [(names[k["ApiKey"]], k["ApiKey"], k["MinVersion"], k["MaxVersion"])
                for k in a["ApiKeys"]]

    def create(self, *names, partitions=1):
        c = self.connect()
        a = c.call("CreateTopics", 4, {"Topics": [
            {"Name": n, "NumPartitions": partitions, "ReplicationFactor": 1} for n in names],
            "timeoutMs": 10000})
        c.close()
        return [t["ErrorCode"] for t in a["Topics"]]

    def ask(self):
        """One small request on a connection of its own. -> seconds that it took"""
        began = time.time()
        c = self.connect()
        a = c.call("Metadata", 1, {"Topics": []})
        assert len(a["Brokers"]) == 1, a
        c.close()
        return time.time() - began


def produce_body(topic, records, partition=0, txn=None, acks=-1):
    return {"TransactionalId": txn, "Acks": acks, "TimeoutMs": 10000, "TopicData": [
        {"Name": topic, "PartitionData": [{"Index": partition, "Records": records}]}]}


def produce(c, topic, records, partition=0, **how):
    a = c.call("Produce", 7, produce_body(topic, records, partition, **how))
    return a["Responses"][0]["PartitionResponses"][0]["ErrorCode"]


def fetch_body(topic, offset, most=50 << 20, partition=0, wait=0):
    return {"ReplicaId": -1, "MaxWaitMs": wait, "MinBytes": 1, "MaxBytes": most,
            "SessionEpoch": -1, "Topics": [{"Topic": topic, "Partitions": [
                {"Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": most}]}]}


def frame(messages, api, key, version, body, client_id=b"hostile"):
    """A whole request in bytes."""
    head = struct.pack(">hhih", key, version, 1, len(client_id)) + client_id
    if messages.flexible(key, "request", version):
        head += b"\0"
    data = head + messages.encode(key, version, body)
    return struct.pack(">i", len(data)) + data


def is_closed(sock, seconds):
    """Whether the broker ends the connection within that time; what it still sends is read."""
    sock.settimeout(seconds)
    end = time.time() + seconds
    try:
        while time.time() < end:
            if not sock.recv(1 << 16):
                return True
    except (ConnectionResetError, BrokenPipeError):
        return True
    except (socket.timeout, TimeoutError):
        pass
    return False


def raise_limit(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(n, hard), hard))
    return min(n, hard)
