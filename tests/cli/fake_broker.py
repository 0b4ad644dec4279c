# SPDX-License-Identifier: Apache-2.0
"""fake_broker.py KIND PORT_FILE: a listener with something wrong, for tests/cli/doctor.t. KIND: silent
(accepts, says nothing), garbage (answers text), hangup (closes), or kafka HOST:PORT BROKERS FACTOR: a
broker that advertises HOST:PORT ("self" = where it really listens) and has that replication factor."""
import socket
import struct
import sys
import threading
import time

API_VERSIONS, METADATA, DESCRIBE_CONFIGS = 18, 3, 32


def compact(text):
    return bytes([len(text) + 1]) + text.encode()


def api_versions():
    keys = [(METADATA, 9, 9), (API_VERSIONS, 0, 3), (DESCRIBE_CONFIGS, 4, 4)]
    rows = b"".join(struct.pack(">hhhB", k, low, high, 0) for k, low, high in keys)
    return struct.pack(">hB", 0, len(keys) + 1) + rows + struct.pack(">iB", 0, 0)


def metadata(host, port, brokers):
    rows = b"".join(struct.pack(">i", i + 1) + compact(host) + struct.pack(">iBB", port, 0, 0)
                    for i in range(brokers))
    return (b"\0" + struct.pack(">iB", 0, brokers + 1) + rows + compact("fake") +
            struct.pack(">iBiB", 1, 1, 0, 0))


def configs(factor):
    values = {"offsets.topic.replication.factor": str(factor),
              "controller.quorum.voters": "1@a:1,2@b:2,3@c:3"}
    rows = b"".join(compact(k) + compact(v) + struct.pack(">BbBBBBB", 0, 5, 0, 1, 0, 0, 0)
                    for k, v in values.items())
    result = struct.pack(">hBb", 0, 0, 4) + compact("1") + bytes([len(values) + 1]) + rows + b"\0"
    return b"\0" + struct.pack(">iB", 0, 2) + result + b"\0"


def read(c, n):
    data = b""
    while len(data) < n:
        more = c.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def answer(c, host, port, brokers, factor):
    while True:
        size, = struct.unpack(">i", read(c, 4))
        key, _, correlation = struct.unpack(">hhi", read(c, size)[:8])
        body = {API_VERSIONS: api_versions, METADATA: lambda: metadata(host, port, brokers),
                DESCRIBE_CONFIGS: lambda: configs(factor)}[key]()
        c.sendall(struct.pack(">ii", len(body) + 4, correlation) + body)


def serve(c, own_port):
    try:
        if sys.argv[1] == "silent":
            time.sleep(60)
        elif sys.argv[1] == "garbage":
            read(c, 4)
            c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif sys.argv[1] == "kafka":
            host, port = sys.argv[3].rsplit(":", 1)
            host, port = ("127.0.0.1", own_port) if host == "self" else (host, int(port))
            answer(c, host, port, int(sys.argv[4]), int(sys.argv[5]))
    except (EOFError, ConnectionError):
        pass
    c.close()


listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[2], "w") as f:
    f.write(str(listener.getsockname()[1]))
threading.Timer(50, lambda: __import__("os")._exit(0)).start()
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection, listener.getsockname()[1]), daemon=True).start()
