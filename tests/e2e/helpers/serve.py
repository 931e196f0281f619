# SPDX-License-Identifier: Apache-2.0
"""A running `salvage serve`: on a port that the kernel chooses, with a folder of its own unless the test names a store."""
import collections
import http.client
import socket
import ssl

from helpers.proc import wait_for

Answer = collections.namedtuple("Answer", "status headers body")


class Serve:
    """serve = Serve(salvage, work, "--anonymous-read"): `root` is the folder (None with --from), `url` has no '/' at its
    end, `program` the Background with its log. A request's answer: status, headers (any case), body."""

    def __init__(self, salvage, work, *args, env=None, uid=None, entry=(), root=None, ca=None):
        args = list(map(str, args))
        self.root = None
        if "--from" not in args:
            self.root = root or work / "root"
            self.root.mkdir(exist_ok=True)
            args += ["--root", str(self.root)]
        self._command = ["serve", *args, "--log", "json"]
        self._salvage, self._how = salvage, {"env": env, "uid": uid, "entry": entry}
        self.tls = "--tls-cert" in args
        self.ca = ca  # a file; without it, no certificate of a server is checked
        self.start("127.0.0.1:0")

    def start(self, listen):
        self.program = self._salvage.start(*self._command, "--listen", listen, **self._how)
        self.address = self.program.wait("serving")["address"]
        host, _, port = self.address.rpartition(":")
        self.host, self.port = host.strip("[]"), int(port)
        self.url = "%s://%s" % ("https" if self.tls else "http", self.address)
        wait_for(lambda: self.request("GET", "/healthz").status, 10, "it does not answer")

    @property
    def token(self):
        """The root's, for its administrator: shown once, at the first start."""
        wait_for(lambda: b"salvage_" in self.program.out, 10, "no token is shown")
        return "salvage_" + self.program.out.decode().partition("salvage_")[2][:64]

    def restart(self, how=None):
        """With the same options on the same address. how: a signal instead of kill -9."""
        if how is None:
            self.program.kill()
        else:
            self.program.stop(how=how)
        self.start(self.address)

    def connect(self, timeout=20):
        """A raw connection, with TLS if the server has that."""
        raw = socket.create_connection((self.host, self.port), timeout)
        return self.context().wrap_socket(raw, server_hostname="localhost") if self.tls else raw

    def context(self):
        context = ssl.create_default_context(cafile=self.ca)
        if not self.ca:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def request(self, method, path, body=None, headers=None, token=None, timeout=20):
        """One request on a connection of its own. path is sent as it is. A body that is an iterator goes in chunks."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = "Bearer " + token
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        connection.sock = self.connect(timeout)
        try:
            connection.request(method, path, body, headers, encode_chunked=hasattr(body, "__next__"))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    @property
    def events(self):
        return self.program.events

    def wait(self, name, **more):
        return self.program.wait(name, **more)

    def stop(self, **more):
        """SIGTERM; returns the exit code."""
        return self.program.stop(**more)
