# SPDX-License-Identifier: Apache-2.0
"""A proxy before a store that does harm on request: resets, errors, stalls, cuts, lies and dawdles.

It understands just enough HTTP/1.1 to see where requests end. Requests pass with every header as it was, Host too:
signatures stay right. Each client connection has a thread, each request a fresh connection to the store.
"""
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse

PIECE = 256 * 1024


class Gone(Exception):
    """The other side closed the connection."""


class Request:
    """What was asked, and what became of it."""

    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(self.path)
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = headers  # lower-case names
        self.received = 0       # bytes of the body that came in
        self.status = None      # what the client was told; None: nothing
        self.taken = None       # the body, if a harm has read it before the store
        self.began = time.monotonic()
        self.ended = None

    def __repr__(self):
        return "%s %s -> %s" % (self.method, self.target, self.status)

    @property
    def is_part(self):
        return self.method == "PUT" and "partNumber" in self.query

    @property
    def is_create(self):
        """An upload of evidence is begun: not the one that only asks whether it could be."""
        return self.method == "POST" and "uploads" in self.query and "salvage-check" not in self.path

    @property
    def is_complete(self):
        return self.method == "POST" and "uploadId" in self.query

    @property
    def is_manifest(self):
        return self.method == "PUT" and self.path.endswith(".json") and not self.path.endswith("/digest.json")

    @property
    def is_data(self):
        """A part, or a small object in one piece."""
        return self.method == "PUT" and not self.path.endswith(".json")


# --- harm -------------------------------------------------------------------------------------------------------------
# Each is called with the proxy's connection and the request, and returns True if the connection can go on.


class Answer:
    """Answers by itself, after having read the request; the store never hears of it."""

    def __init__(self, status, body=b"", headers=None):
        self.status, self.body, self.headers = status, body, dict(headers or {})

    def __call__(self, link, request):
        link.drain(request)
        request.status = self.status
        lines = ["HTTP/1.1 %d Fault" % self.status, "Content-Length: %d" % len(self.body)]
        lines += ["%s: %s" % pair for pair in self.headers.items()]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        link.client.sendall(head + (b"" if request.method == "HEAD" else self.body))
        return True


def s3_error(status, code, message="", headers=None):
    body = ('<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message>'
            "<RequestId>e2e-request</RequestId></Error>" % (code, message)).encode()
    return Answer(status, body, {"Content-Type": "application/xml", **(headers or {})})


class ResetInBody:
    """Takes some of the body, then resets the connection."""

    def __init__(self, after=100 * 1024):
        self.after = after

    def __call__(self, link, request):
        for _ in link.body(request):
            if request.received >= self.after:
                break
        link.reset()
        return False


class BreakInBody:
    """Passes on some of the body, then the line breaks on both sides: the store has what came until then."""

    def __init__(self, after=100 * 1024):
        self.after = after

    def __call__(self, link, request):
        link.store = socket.create_connection(link.proxy.upstream)
        link.store.sendall(request.head)
        for data in link.body(request):
            link.store.sendall(data)
            if request.received >= self.after:
                break
        link.reset()
        return False


class ResetAnswer:
    """Lets the store do it, and resets the connection instead of answering: the answer is lost."""

    def __call__(self, link, request):
        link.ask(request).read()
        link.reset()
        return False


class Stall:
    """Takes a little, then moves nothing more until the proxy is closed."""

    def __init__(self, after=0):
        self.after = after

    def __call__(self, link, request):
        if self.after:
            for _ in link.body(request):
                if request.received >= self.after:
                    break
        link.proxy.closed.wait(120)
        return False


class CutAnswer:
    """Lets the store do it, and closes in the middle of the answer; or, with stall, falls silent there."""

    def __init__(self, stall=False):
        self.stall = stall

    def __call__(self, link, request):
        reply = link.ask(request)
        body = reply.read()
        link.client.sendall(reply.head + body[: len(body) // 2] if body else reply.head[: len(reply.head) // 2])
        if self.stall:
            link.proxy.closed.wait(120)
        return False


class ChangeHeader:
    """Changes a header of the answer: ChangeHeader("ETag", '"0000"')."""

    def __init__(self, name, value):
        self.line = re.compile(rb"(?im)^%s:[^\r]*" % name.encode())
        self.value = ("%s: %s" % (name, value)).encode()

    def __call__(self, link, request):
        reply = link.ask(request)
        reply.head = self.line.sub(self.value, reply.head)
        return link.answer(request, reply)


class ChangeAnswer:
    """Changes the answer's body: change(bytes) -> bytes of the same length."""

    def __init__(self, change):
        self.change = change

    def __call__(self, link, request):
        reply = link.ask(request)
        reply.pieces = [self.change(reply.read())]
        return link.answer(request, reply)


def flip_a_bit(data):
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


# --- the proxy --------------------------------------------------------------------------------------------------------


class Rule:
    def __init__(self, harm, match, times, skip):
        self.harm, self.match, self.times, self.skip = harm, match, times, skip
        self.done = 0


class Proxy:
    def __init__(self, upstream, rate=None, port=0, narrow=False, certificate=None):
        """upstream: "host:port". rate: bytes per second of request bodies, all connections together; None: no limit.
        Answers' bodies are slowed by answer_rate in the same way. port: to listen on; 0: any. narrow: small buffers in
        the kernel, so that the client, too, sees bytes move evenly and not by the megabyte. certificate: (certificate,
        key) for TLS, of the name "localhost"."""
        host, _, upstream_port = upstream.rpartition(":")
        self.upstream = (host, int(upstream_port))
        self.rate = rate
        self.answer_rate = None
        self.requests = []
        self.closed = threading.Event()
        self._rules = []
        self._lock = threading.Lock()
        self._budget = time.monotonic()
        self._links = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        if narrow:
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        self.port = self._listener.getsockname()[1]
        self.url = "https://localhost:%d" % self.port if certificate else "http://127.0.0.1:%d" % self.port
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                try:
                    client = self._tls.wrap_socket(client, server_side=True)
                except OSError:
                    continue
            link = Link(self, client)
            with self._lock:
                self._links.add(link)
            threading.Thread(target=link.serve, daemon=True).start()

    def harm(self, harm, match=lambda request: True, times=1, skip=0):
        """The next times requests that match, after skip of them, come to harm. Returns the rule (done counts)."""
        rule = Rule(harm, match, times, skip)
        with self._lock:
            self._rules.append(rule)
        return rule

    def heal(self):
        """No more harm."""
        with self._lock:
            self._rules = []

    def rule_for(self, request):
        with self._lock:
            for rule in self._rules:
                if rule.done >= rule.times or not rule.match(request):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.done += 1
                return rule.harm
        return None

    def throttle(self, count, rate):
        if not rate:
            return
        with self._lock:
            now = time.monotonic()
            self._budget = max(self._budget, now) + count / rate
            wait = self._budget - now
        self.closed.wait(wait)

    def note(self, request):
        with self._lock:
            self.requests.append(request)

    def drop(self, link):
        with self._lock:
            self._links.discard(link)

    def seen(self, match=lambda request: True):
        """The requests so far that match."""
        with self._lock:
            return [request for request in self.requests if match(request)]

    def close(self):
        self.closed.set()
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)  # close alone does not wake the accept
        self._listener.close()
        with self._lock:
            links = list(self._links)
        for link in links:
            link.shut()


class Link:
    """One client's connection."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.store = None
        self._rest = {}  # socket -> bytes read too far

    def serve(self):
        try:
            while self._one():
                pass
        except (OSError, Gone):
            pass
        finally:
            self.shut()
            self.proxy.drop(self)

    def shut(self):
        for sock in (self.client, self.store):
            if sock:
                sock.close()

    def reset(self):
        """RST instead of FIN."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()

    def _one(self):
        head = self._head(self.client)
        if head is None:
            return False
        lines = head.decode("iso-8859-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        fields = (line.partition(":") for line in lines[1:] if line)
        request = Request(method, target, {name.lower(): value.strip() for name, _, value in fields})
        request.head = head
        self.proxy.note(request)
        if request.headers.get("expect", "").lower() == "100-continue":
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.head = re.sub(rb"(?im)^expect:[^\r]*\r\n", b"", head)
        harm = self.proxy.rule_for(request)
        try:
            goes_on = harm(self, request) if harm else self.exchange(request)
        finally:
            request.ended = time.monotonic()
        return goes_on and request.headers.get("connection", "").lower() != "close"

    # Reading

    def _more(self, sock):
        data = sock.recv(PIECE)
        if not data:
            raise Gone()
        return data

    def _head(self, sock):
        """Up to and with the empty line; None at a clean end."""
        data = self._rest.pop(sock, b"")
        while b"\r\n\r\n" not in data:
            try:
                data += self._more(sock)
            except Gone:
                if data:
                    raise
                return None
        head, _, rest = data.partition(b"\r\n\r\n")
        self._rest[sock] = rest
        return head + b"\r\n\r\n"

    def _exactly(self, sock, count):
        while count:
            data = self._rest.pop(sock, b"") or self._more(sock)
            if len(data) > count:
                self._rest[sock] = data[count:]
                data = data[:count]
            count -= len(data)
            yield data

    def _line(self, sock):
        data = self._rest.pop(sock, b"")
        while b"\r\n" not in data:
            data += self._more(sock)
        line, _, rest = data.partition(b"\r\n")
        self._rest[sock] = rest
        return line

    def _chunks(self, sock):
        """(raw bytes, payload length) until the last chunk has passed."""
        while True:
            line = self._line(sock)
            size = int(line.split(b";")[0], 16)
            yield line + b"\r\n", 0
            if size == 0:
                while True:
                    trailer = self._line(sock)
                    yield trailer + b"\r\n", 0
                    if not trailer:
                        return
            for data in self._exactly(sock, size):
                yield data, len(data)
            self._line(sock)
            yield b"\r\n", 0

    def body(self, request):
        """The request's body as raw bytes; counts and slows what comes in."""
        if request.taken is not None:
            yield request.taken
            return
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            source = self._chunks(self.client)
        else:
            length = int(request.headers.get("content-length", 0))
            source = ((data, len(data)) for data in self._exactly(self.client, length))
        for data, count in source:
            self.proxy.throttle(count, self.proxy.rate)
            request.received += count
            yield data

    def take(self, request):
        """The whole body; the store gets it all the same."""
        request.taken = b"".join(self.body(request))
        return request.taken

    def drain(self, request):
        for _ in self.body(request):
            pass

    # Passing on

    def exchange(self, request):
        return self.answer(request, self.ask(request))

    def ask(self, request):
        """The request to the store; what it says to it."""
        if self.store:
            self._rest.pop(self.store, None)
            self.store.close()
        self.store = socket.create_connection(self.proxy.upstream)
        self.store.sendall(request.head)
        deaf = False
        for data in self.body(request):
            try:
                if not deaf:
                    self.store.sendall(data)
            except OSError:
                deaf = True  # it has answered before the end, and listens no more
        return self._reply(request)

    def _reply(self, request):
        head = self._head(self.store)
        while head is not None and head.split(b" ", 2)[1].startswith(b"1"):
            head = self._head(self.store)
        if head is None:
            raise Gone()
        status = int(head.split(b" ", 2)[1])
        fields = {name.strip().lower(): value.strip() for name, _, value in
                  (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)}
        if request.method == "HEAD" or status in (204, 304):
            return Reply(status, head, [], True)
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            return Reply(status, head, (data for data, _ in self._chunks(self.store)), True)
        if b"content-length" in fields:
            return Reply(status, head, self._exactly(self.store, int(fields[b"content-length"])), True)
        return Reply(status, head, self._until_end(), False)

    def answer(self, request, reply):
        request.status = reply.status
        self.client.sendall(reply.head)
        for data in reply.pieces:
            self.proxy.throttle(len(data), self.proxy.answer_rate)
            self.client.sendall(data)
        return reply.framed

    def _until_end(self):
        while True:
            data = self._rest.pop(self.store, b"")
            if not data:
                try:
                    data = self._more(self.store)
                except Gone:
                    return
            yield data


class Reply:
    """What the store says: its head as it came, its body's raw bytes as they come; framed: one can tell their end."""

    def __init__(self, status, head, pieces, framed):
        self.status, self.head, self.pieces, self.framed = status, head, pieces, framed

    def read(self):
        return b"".join(self.pieces)
