# SPDX-License-Identifier: Apache-2.0
"""Azure's Blob storage: Azurite, Microsoft's own emulator (scripts/deps --test puts it among the sources), and the services
that hand out tokens for it. What lies in the store is read here by urllib and a SAS alone."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree

from helpers.issuer import encode
from helpers.program import ROOT
from helpers.stores import Store

SOURCES = pathlib.Path(os.environ.get("SALVAGE_SOURCES") or ROOT / "build" / "sources")
ACCOUNT = "devstoreaccount1"
# Known to everybody: Azurite's documentation has it.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def sas(permissions="racwdl", end="2099-01-01T00:00:00Z"):
    """An account's SAS (Azure Storage REST API, "Create an account SAS")."""
    fields = [("sp", permissions), ("ss", "b"), ("srt", "sco"), ("st", ""), ("se", end), ("sip", ""), ("spr", "https,http"),
              ("sv", "2020-10-02")]
    text = "\n".join([ACCOUNT, *(value for _, value in fields), ""])
    signature = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    return urllib.parse.urlencode([pair for pair in fields if pair[1]] + [("sig", base64.b64encode(signature).decode())])


class Azurite:
    def __init__(self, folder, *args):
        program = max(SOURCES.glob("azurite-*/node_modules/azurite/dist/src/blob/main.js"))
        self.process = subprocess.Popen(["node", program, "--blobPort", "0", "--location", folder, *map(str, args)],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
        for line in self.process.stdout:
            if "successfully listens on " in line:
                self.url = line.strip().rpartition(" ")[2]
                break
        self.host = urllib.parse.urlsplit(self.url).netloc
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def close(self):
        self.process.kill()
        self.process.wait()


class Azure(Store):
    """A prefix of its own in a container."""

    def __init__(self, server, container="evidence", endpoint=None, prefix=None, context=None):
        self.server, self.container, self.context = server, container, context
        self.prefix = prefix or "e2e-" + uuid.uuid4().hex[:12]
        self.url = "az://%s/%s/%s" % (ACCOUNT, container, self.prefix)
        self.args = ["--endpoint", endpoint or server.url]
        self.env = {"AZURE_STORAGE_SAS_TOKEN": sas()}

    def through(self, proxy):
        return Azure(self.server, self.container, proxy.url, self.prefix)

    def ask(self, method, path, data=None, query=(), **headers):
        url = "%s/%s/%s%s?%s&%s" % (self.server.url, ACCOUNT, self.container, path, urllib.parse.urlencode(list(query)), sas())
        request = urllib.request.Request(url, data=data, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
        return urllib.request.urlopen(request, timeout=30, context=self.context)

    def create(self):
        try:
            self.ask("PUT", "", b"", [("restype", "container")]).close()
        except urllib.error.HTTPError as refusal:
            assert refusal.code == 409

    def keys(self):
        with self.ask("GET", "", query=[("restype", "container"), ("comp", "list"), ("prefix", self.prefix + "/")]) as answer:
            names = [name.text for name in xml.etree.ElementTree.fromstring(answer.read().decode("utf-8-sig")).iter("Name")]
        return sorted(name[len(self.prefix) + 1:] for name in names)

    def path(self, key):
        return "/%s/%s" % (self.prefix, urllib.parse.quote(key))

    def head(self, key):
        with self.ask("HEAD", self.path(key)) as answer:
            return answer.headers

    def read(self, key):
        with self.ask("GET", self.path(key)) as answer:
            return answer.read()

    def overwrite(self, key, data):
        self.ask("PUT", self.path(key), data, x_ms_blob_type="BlockBlob").close()

    def blocks(self, key):
        """Those that are in no list yet."""
        with self.ask("GET", self.path(key), query=[("comp", "blocklist"), ("blocklisttype", "uncommitted")]) as answer:
            return [name.text for name in xml.etree.ElementTree.fromstring(answer.read().decode("utf-8-sig")).iter("Name")]


class Identity:
    """Hands out tokens as Microsoft's identity platform does (a form is posted), and as a managed identity (GET). They are
    not signed: the emulator looks at their claims. lives: how long, in seconds."""

    def __init__(self, lives=3600):
        self.asked, self.refuse, self.lives = [], None, lives
        identity = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, body):
                identity.asked.append((self.path, dict(self.headers), dict(urllib.parse.parse_qsl(body))))
                status, document = identity.refuse or (200, {"access_token": identity.token(), "expires_in": identity.lives})
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def do_GET(self):
                self.answer("")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self):
        now = int(time.time())
        claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/a/", "iat": now, "nbf": now - 60,
                  "exp": now + self.lives, "ver": "1.0", "oid": "someone", "tid": "tenant"}
        return ".".join([encode({"alg": "RS256", "typ": "JWT"}), encode(claims), encode(b"not looked at")])

    def close(self):
        self.server.shutdown()
        self.server.server_close()
