# SPDX-License-Identifier: Apache-2.0
"""Bytes that are no requests, peers that stop, do not read, or are too many."""
import socket
import struct
import threading
import time

from harness import (fetch_body, frame, is_closed, produce, produce_body, raise_limit, row,
                     wire)


@row("frames that are cut, damaged or promise too much")
def malformed(b):
    frames = [b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1\0",
              b"GET / HTTP/1.1\r\nHost: kaos\r\n\r\n", b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3" + b"x" * 500,
              struct.pack(">ihhih", 10, 3, 1, 1, -2), struct.pack(">ihhih", 10, 3, 1, 1, 32767),
              struct.pack(">ihhih", 10, 999, 0, 1, -1), struct.pack(">ihhih", 10, 0, -1, 1, -1)]
    damaged = 0
    for name, key, low, high in b.offered():
        for version in range(low, high + 1):
            try:
                whole = frame(b.messages, name, key, version, {})
            except (KeyError, TypeError):
                continue
            frames.append(damage(b.random, whole))
            damaged += 1
    assert damaged > 100, damaged
    c = b.raw()
    for f in frames * 3:
        try:
            c.sendall(f)
            c.sendall(frame(b.messages, "ApiVersions", 18, 0, {}))
        except (ConnectionResetError, BrokenPipeError):
            c.close()
            c = b.raw()
    c.close()
    for f in frames[:11]:  # these say nothing that could be answered
        c = b.raw()
        c.sendall(f + b"\0" * 16)
        assert is_closed(c, 10), f
        c.close()


def damage(dice, whole):
    """With a right size, something in it is wrong."""
    data = bytearray(whole[4:])
    at = dice.randrange(8, len(data))
    how = dice.randrange(5)
    if how == 0:
        del data[at:]
    elif how == 1:
        data[at:at + 4] = dice.choice([b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\0\0\0"])
    elif how == 2:
        data[at:at] = b"\xff" * 10  # a varint without end
    elif how == 3:
        data[at:at] = b"\x05\x00\x7f"  # tagged fields that are cut
    else:
        data += bytes(dice.randrange(256) for _ in range(dice.randrange(1, 50)))
    return struct.pack(">i", len(data)) + bytes(data)


@row("half-open connections end by themselves", config=["connections.max.idle.ms=1500"])
def half_open(b):
    size, part, silent = [], [], []
    for _ in range(60):
        size.append(b.raw())
        size[-1].sendall(b"\0\0")
        part.append(b.raw())
        part[-1].sendall(struct.pack(">ihh", 1000, 3, 1) + b"some of it")
        silent.append(b.raw())
    assert b.ask() < 5
    for s in size + part + silent:
        assert is_closed(s, 10)
        s.close()


def fill(b, topic, records=24, size=900000):
    b.create(topic)
    c = b.connect()
    blob = wire.batch([b"x" * size])
    for _ in range(records):
        assert produce(c, topic, blob) == 0
    c.close()


def latencies(b, topic, n):
    """Of small requests of all kinds, in ms, sorted."""
    c, out = b.connect(), []
    blob = wire.batch([b"small"])
    for i in range(n):
        began = time.time()
        if i % 3 == 0:
            assert produce(c, topic, blob) == 0
        elif i % 3 == 1:
            c.call("Fetch", 11, fetch_body(topic, 0, 100))
        else:
            c.call("Metadata", 4, {"Topics": None, "AllowAutoTopicCreation": False})
        out.append((time.time() - began) * 1000)
    c.close()
    return sorted(out)


@row("readers that do not read delay nobody and pile up nothing")
def slow_readers(b):
    b.create("other")
    fill(b, "big")
    before, rss = latencies(b, "other", 300), b.rss()
    slow = []
    for _ in range(60):
        c = b.connect()
        for i in range(24):
            c.send("Fetch", 11, fetch_body("big", i))
        slow.append(c)
    after = latencies(b, "other", 300)
    print("# p50 %.2f ms, p99 %.2f ms; with 60 readers that do not read: p50 %.2f ms, p99 %.2f ms" % (
        before[150], before[297], after[150], after[297]))
    assert after[150] < 20 + 5 * before[150], after[150]
    assert b.rss() - rss < (60 if b.asan else 20), b.rss() - rss
    for i in range(24):  # and a slow one gets all of it, in order
        a = slow[0].recv()
        records = a["Responses"][0]["Partitions"][0]["Records"]
        assert struct.unpack(">q", records[:8])[0] == i, i
    for c in slow:
        c.close()


@row("a flood of requests ahead of their answers", memory=64)
def flood(b):
    b.create("t")
    n, c = 20000, b.connect()
    body = {"Topics": None, "AllowAutoTopicCreation": False}
    sender = threading.Thread(target=lambda: [c.send("Metadata", 4, body) for _ in range(n)])
    sender.start()
    time.sleep(1)  # for a second nobody reads
    assert b.ask() < 5
    for _ in range(n):
        while not c.waiting:
            time.sleep(0.001)
        c.recv()
    sender.join()
    c.close()


@row("10,000 open connections")
def many_connections(b):
    limit = raise_limit(16000)
    n = min(10000, limit - 200)
    assert b.status("FDSize") >= 0
    began, conns = time.time(), []
    for _ in range(n):
        conns.append(b.raw())
    opened = time.time() - began
    for c in conns[::100]:
        c.sendall(frame(b.messages, "ApiVersions", 18, 0, {}))
        assert len(c.recv(4)) == 4
    lat = latencies_of_ask(b, 50)
    print("# %d connections in %.1f s, %.0f MB more; another client: median %.1f ms" % (
        n, opened, b.rss() - b.first_rss, lat))
    assert n >= 1000, n
    assert b.rss_grew() < 40, b.rss_grew()
    for c in conns:
        c.close()


def latencies_of_ask(b, n):
    return sorted(b.ask() * 1000 for _ in range(n))[n // 2]


@row("without descriptors the broker waits and does not spin", descriptors=64)
def no_descriptors(b):
    conns = [b.raw() for _ in range(300)]
    began = b.cpu_seconds()
    time.sleep(1)
    used = b.cpu_seconds() - began
    assert used < 0.5, used
    first = conns[0]
    first.sendall(frame(b.messages, "ApiVersions", 18, 0, {}))
    assert len(first.recv(4)) == 4
    for c in conns:
        c.close()


@row("connections that come and go, also in the middle of something")
def churn(b):
    b.create("t")
    big = frame(b.messages, "Produce", 0, 7, produce_body("t", wire.batch([b"x" * 200000])))
    poll = frame(b.messages, "Fetch", 1, 11, fetch_body("t", 0, wait=30000))
    for i in range(3000):
        c = b.raw()
        what = i % 5
        if what == 1:
            c.sendall(big[:b.random.randrange(len(big))])
        elif what == 2:
            c.sendall(poll)
        elif what == 3:
            c.sendall(big + poll)
        if i % 2:  # a reset instead of an end
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    end = time.time() + 20
    while b.cpu_seconds() >= 0 and open_sockets(b) > 5:
        assert time.time() < end, open_sockets(b)
        time.sleep(0.05)
    assert b.rss_grew() < 150 + 0.2 * 600, b.rss_grew()  # 600 records of 200 kB are stored


def open_sockets(b):
    import os
    folder = "/proc/%d/fd" % b.process.pid
    n = 0
    for name in os.listdir(folder):
        try:
            n += os.readlink(os.path.join(folder, name)).startswith("socket:")
        except FileNotFoundError:
            pass
    return n
