# SPDX-License-Identifier: Apache-2.0
"""Kafka's protocol from its own message definitions (a folder with common/message/NAME.json): one
generic codec for every api and version, written independently of kaos's C table."""
import json
import os
import re
import socket
import struct
import time
import uuid

FIXED = {"bool": "?", "int8": "b", "int16": "h", "uint16": "H", "int32": "i", "int64": "q",
         "float64": "d"}


def _range(text):
    if not text or text == "none":
        return (0, -1)
    if text.endswith("+"):
        return (int(text[:-1]), 99)
    low, _, high = text.partition("-")
    return (int(low), int(high or low))


def _within(version, text):
    low, high = _range(text)
    return low <= version <= high


class Messages:
    """All definitions; encodes dicts into bodies and back."""

    def __init__(self, folder):
        self.folder = folder
        self.by_key = {}
        for name in os.listdir(folder):
            if name.endswith(("Request.json", "Response.json")):
                m = self._load(name)
                if "apiKey" in m:
                    self.by_key[(m["apiKey"], m["type"])] = m

    def _load(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as f:
            text = "\n".join(l for l in f.read().split("\n") if not l.strip().startswith("//"))
        m = json.loads(re.sub(r'//[^"\n]*$', "", text, flags=re.M))
        m["structs"] = {c["name"]: c["fields"] for c in m.get("commonStructs", [])}
        return m

    def stored(self, name, data):
        """The key or value of a record of an internal topic. -> (version, dict)"""
        version = struct.unpack(">h", data[:2])[0]
        r = _Reader(self._load(name + ".json"), version, data)
        r.at = 2
        return version, r.struct(r.m["fields"])

    def key(self, api):
        for (key, kind), m in self.by_key.items():
            if kind == "request" and m["name"] == api + "Request":
                return key
        raise KeyError(api)

    def flexible(self, key, kind, version):
        return _within(version, self.by_key[(key, kind)]["flexibleVersions"])

    def encode(self, key, version, body):
        w = _Writer(self.by_key[(key, "request")], version)
        w.struct(w.m["fields"], body)
        return bytes(w.out)

    def decode(self, key, version, data):
        r = _Reader(self.by_key[(key, "response")], version, data)
        out = r.struct(r.m["fields"])
        if r.at != len(data):
            raise ValueError("%d bytes are left over behind %s" % (len(data) - r.at, r.m["name"]))
        return out


class _Codec:
    def __init__(self, m, version):
        self.m = m
        self.version = version
        self.flex = _within(version, m["flexibleVersions"])

    def nullable(self, f):
        return _within(self.version, f.get("nullableVersions"))

    def nullable_struct(self, f):
        return self.nullable(f) and f["type"][0].isupper()

    def tagged(self, f):
        return "tag" in f and _within(self.version, f.get("taggedVersions"))

    def present(self, f):
        return _within(self.version, f.get("versions") or f.get("taggedVersions"))

    def members(self, f, kind):
        return f.get("fields") or self.m["structs"][kind]


class _Writer(_Codec):
    def __init__(self, m, version):
        super().__init__(m, version)
        self.out = bytearray()

    def uvarint(self, n):
        while n >= 0x80:
            self.out.append(n & 0x7F | 0x80)
            n >>= 7
        self.out.append(n)

    def length(self, n, width):
        if self.flex:
            self.uvarint(n + 1)
        else:
            self.out += struct.pack(">h" if width == 2 else ">i", n)

    @staticmethod
    def default(f):
        d, kind = f.get("default"), f["type"]
        if d == "null":
            return None
        if kind.startswith("[]"):
            return []
        if kind in ("string",):
            return d or ""
        if kind in ("bytes", "records"):
            return b""
        if kind == "uuid":
            return b"\0" * 16
        if kind == "bool":
            return d in ("true", True)
        if kind in FIXED:
            return int(str(d), 0) if d not in (None, "") else 0
        return {}

    def scalar(self, f, kind, v):
        if kind in FIXED:
            self.out += struct.pack(">" + FIXED[kind], v)
        elif kind == "uuid":
            self.out += v
        elif kind in ("string", "bytes", "records"):
            data = v.encode() if isinstance(v, str) else v
            self.length(-1 if data is None else len(data), 2 if kind == "string" else 4)
            self.out += data or b""
        else:
            self.struct(self.members(f, kind), v)

    def value(self, f, v):
        kind = f["type"]
        if kind.startswith("[]"):
            self.length(-1 if v is None else len(v), 4)
            for x in v or []:
                self.scalar(f, kind[2:], x)
        elif self.nullable_struct(f):
            self.out += b"\xff" if v is None else b"\1"
            if v is not None:
                self.scalar(f, kind, v)
        else:
            self.scalar(f, kind, v)

    def struct(self, fields, body):
        unknown = set(body) - {f["name"] for f in fields}
        if unknown:
            raise KeyError("%s has no %s" % (self.m["name"], unknown))
        for f in fields:
            if self.present(f) and not self.tagged(f):
                self.value(f, body.get(f["name"], self.default(f)))
        if self.flex:
            self.uvarint(0)


class _Reader(_Codec):
    def __init__(self, m, version, data):
        super().__init__(m, version)
        self.data = data
        self.at = 0

    def take(self, n):
        if n < 0 or self.at + n > len(self.data):
            raise ValueError("%s ends too early" % self.m["name"])
        self.at += n
        return self.data[self.at - n:self.at]

    def uvarint(self):
        n = shift = 0
        while True:
            c = self.take(1)[0]
            n |= (c & 0x7F) << shift
            shift += 7
            if not c & 0x80:
                return n

    def length(self, width):
        if self.flex:
            return self.uvarint() - 1
        return struct.unpack(">h" if width == 2 else ">i", self.take(width))[0]

    def scalar(self, f, kind):
        if kind in FIXED:
            return struct.unpack(">" + FIXED[kind], self.take(struct.calcsize(FIXED[kind])))[0]
        if kind == "uuid":
            return self.take(16)
        if kind in ("string", "bytes", "records"):
            n = self.length(2 if kind == "string" else 4)
            if n < 0:
                return None
            data = self.take(n)
            return data.decode() if kind == "string" else data
        return self.struct(self.members(f, kind))

    def value(self, f):
        kind = f["type"]
        if self.nullable_struct(f) and self.take(1) == b"\xff":
            return None
        if not kind.startswith("[]"):
            return self.scalar(f, kind)
        n = self.length(4)
        return None if n < 0 else [self.scalar(f, kind[2:]) for _ in range(n)]

    def struct(self, fields):
        out = {}
        for f in fields:
            if self.present(f) and not self.tagged(f):
                out[f["name"]] = self.value(f)
        if self.flex:
            for _ in range(self.uvarint()):
                tag, size = self.uvarint(), self.uvarint()
                end = self.at + size
                for f in fields:
                    if self.tagged(f) and f["tag"] == tag:
                        out[f["name"]] = self.value(f)
                self.at = end
        return out


class Closed(Exception):
    """The broker ended the connection."""


class Conn:
    """One connection; requests may be sent ahead of their answers."""

    def __init__(self, messages, address, client_id="differential"):
        host, port = address.rsplit(":", 1)
        self.messages = messages
        self.sock = socket.create_connection((host, int(port)), timeout=20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client_id = client_id
        self.next = 0
        self.waiting = []

    def close(self):
        self.sock.close()

    def send_raw(self, frame):
        self.sock.sendall(frame)

    def send(self, api, version, body):
        self.send_all((api, version, body))

    def send_all(self, *requests):
        """(api, version, body)...: in one piece."""
        self.sock.sendall(b"".join(self._frame(*r) for r in requests))

    def _frame(self, api, version, body):
        key = self.messages.key(api)
        self.next += 1
        head = struct.pack(">hhih", key, version, self.next, len(self.client_id))
        head += self.client_id.encode()
        if self.messages.flexible(key, "request", version):
            head += b"\0"
        frame = head + self.messages.encode(key, version, body)
        self.waiting.append((self.next, key, version))
        return struct.pack(">i", len(frame)) + frame

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.sock.recv(n - len(data))
            except (ConnectionResetError, BrokenPipeError):
                more = b""
            if not more:
                raise Closed()
            data += more
        return data

    def recv_raw(self):
        return self._exactly(struct.unpack(">i", self._exactly(4))[0])

    def recv(self):
        frame = self.recv_raw()
        corr, key, version = self.waiting.pop(0)
        if struct.unpack(">i", frame[:4])[0] != corr:
            raise ValueError("the answer belongs to another request")
        body = frame[4:]
        if key != 18 and self.messages.flexible(key, "response", version):
            if body[0] != 0:
                raise ValueError("tagged fields in a response header")
            body = body[1:]
        return self.messages.decode(key, version, body)

    def call(self, api, version, body):
        self.send(api, version, body)
        return self.recv()

    def quiet_for(self, seconds):
        """Whether nothing arrives for that long."""
        self.sock.settimeout(seconds)
        try:
            return not self.sock.recv(1, socket.MSG_PEEK) and False
        except (socket.timeout, TimeoutError):
            return True
        finally:
            self.sock.settimeout(20)


# ---- record batches ------------------------------------------------------------------------------

_TABLE = []
for _i in range(256):
    _c = _i
    for _ in range(8):
        _c = _c >> 1 ^ 0x82F63B78 if _c & 1 else _c >> 1
    _TABLE.append(_c)


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = c >> 8 ^ _TABLE[(c ^ b) & 0xFF]
    return c ^ 0xFFFFFFFF


def _varint(n):
    u = (n << 1) ^ (n >> 63) if n < 0 else n << 1
    u &= (1 << 64) - 1
    out = bytearray()
    while u >= 0x80:
        out.append(u & 0x7F | 0x80)
        u >>= 7
    out.append(u)
    return bytes(out)


def _sized(data):
    return _varint(-1) if data is None else _varint(len(data)) + data


def batch(values, pid=-1, epoch=-1, seq=-1, txn=False, ts=None, compress=None, **wrong):
    """One batch; a value is bytes, or (key, value, headers). `wrong` overrides header fields."""
    ts = int(time.time() * 1000) if ts is None else ts
    times = ts if isinstance(ts, list) else [ts] * len(values)
    body = b""
    for i, v in enumerate(values):
        key, value, headers = v if isinstance(v, tuple) else (None, v, [])
        r = b"\0" + _varint(times[i] - times[0]) + _varint(i) + _sized(key) + _sized(value)
        r += _varint(len(headers)) + b"".join(_sized(k) + _sized(x) for k, x in headers)
        body += _varint(len(r)) + r
    attributes = wrong.get("attributes", (16 if txn else 0))
    if compress:
        attributes |= 1
        body = compress(body)
    count = wrong.get("count", len(values))
    tail = struct.pack(">hiqqqhii", attributes, wrong.get("last_delta", len(values) - 1), times[0],
                       max(times), pid, epoch, seq, count) + body
    crc = wrong.get("crc", crc32c(tail))
    size = 4 + 1 + 4 + len(tail)
    return struct.pack(">qiibI", wrong.get("base", 0), size, -1, wrong.get("magic", 2), crc) + tail


def _read_varint(data, at):
    n = shift = 0
    while True:
        c = data[at]
        at += 1
        n |= (c & 0x7F) << shift
        shift += 7
        if not c & 0x80:
            return (n >> 1) ^ -(n & 1), at


def _read_sized(data, at):
    n, at = _read_varint(data, at)
    return (None, at) if n < 0 else (data[at:at + n], at + n)


def unbatch(blob):
    """Batches of a blob as dicts; a cut last one is left out."""
    out, at = [], 0
    while at + 61 <= len(blob):
        base, size = struct.unpack(">qi", blob[at:at + 12])
        if at + 12 + size > len(blob):
            break
        data = blob[at:at + 12 + size]
        at += 12 + size
        (leader, magic, crc, attributes, delta, first_ts, max_ts, pid, epoch, seq,
         count) = struct.unpack(">ibIhiqqqhii", data[12:61])
        b = {"base": base, "leader_epoch": leader, "magic": magic, "attributes": attributes,
             "last": base + delta, "max_ts": max_ts, "pid": pid, "epoch": epoch, "seq": seq,
             "count": count, "crc_ok": crc == crc32c(data[21:]), "txn": bool(attributes & 16),
             "control": bool(attributes & 32), "bytes": data, "records": []}
        pos = 61
        for _ in range(count if not attributes & 7 else 0):
            n, pos = _read_varint(data, pos)
            end = pos + n
            ts, p = _read_varint(data, pos + 1)
            off, p = _read_varint(data, p)
            key, p = _read_sized(data, p)
            value, p = _read_sized(data, p)
            nh, p = _read_varint(data, p)
            headers = []
            for _ in range(nh):
                k, p = _read_sized(data, p)
                v, p = _read_sized(data, p)
                headers.append((k, v))
            b["records"].append({"offset": base + off, "ts": first_ts + ts, "key": key,
                                 "value": value, "headers": headers})
            pos = end
        out.append(b)
    return out


def unique(prefix):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:10])
