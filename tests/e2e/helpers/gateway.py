# SPDX-License-Identifier: Apache-2.0
"""`salvage serve --from`: a bucket behind a server, and clients without any key of it."""
import base64
import hashlib
import json

import requests

from helpers.serve import Serve

OPS, SHIP, PAY = "ops-token-of-a-test-1", "ship-token-of-a-test", "pay-token-of-a-test-1"
POD = "pod-token-of-a-test-1"  # as of a sidecar: adds, and may not look


def gateway(salvage, work):
    """Starts servers: gateway(store, *args)."""
    tokens = work / "tokens"
    tokens.write_text("ops %s admin *\nship %s list,read,write shop\npay %s list,read,write pay\npod %s write shop\n"
                      % (OPS, SHIP, PAY, POD))
    tokens.chmod(0o600)

    def run(store, *args, **more):
        return Serve(salvage, work, "--from", store.url, *store.args, "--tokens", tokens, "--refresh", "1s", *args,
                     env=store.env, **more)

    return run


class Client:
    """What a client has: a URL and a token."""

    def __init__(self, salvage, serve, token=SHIP):
        self.salvage, self.url = salvage, serve.url
        self.env = {"SALVAGE_HTTP_TOKEN": token, "POD_NAMESPACE": "shop", "POD_NAME": "cart-1"}

    def ok(self, *args, **more):
        return self.salvage.ok(*args, env=self.env, **more)


def digest(data, algorithm="sha256"):
    name = {"sha256": "sha-256", "sha512": "sha-512"}[algorithm]
    return "%s=:%s:" % (name, base64.b64encode(hashlib.new(algorithm, data).digest()).decode())


def put(serve, path, data, token=SHIP, **headers):
    return serve.request("PUT", path, data, {name.replace("_", "-"): value for name, value in headers.items()}, token)


class Direct:
    """The protocol below /-/gateway/, as a shipper speaks it."""

    def __init__(self, serve, key, token=SHIP):
        self.serve, self.key, self.token = serve, key, token

    def ask(self, verb, body=None, token=None, key=None):
        return self.serve.request("POST", "/-/gateway/%s/%s" % (verb, key or self.key),
                                  b"" if body is None else json.dumps(body).encode(), token=token or self.token)

    def digest(self, data):
        algorithm = {"md5": "md5", "sha-256": "sha256"}[self.upload["digest"]]
        return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()

    def begin(self):
        answer = self.ask("begin")
        assert answer.status == 201, answer
        self.upload = json.loads(answer.body)
        return self.upload["token"]

    def part(self, data, number=1):
        answer = self.ask("part", {"token": self.upload["token"], "number": number, "size": len(data),
                                   "digest": self.digest(data)})
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def send(self, data, number=1):
        made = self.part(data, number)
        answer = requests.put(made["url"], data=data, headers=made["headers"], timeout=20)
        assert answer.status_code == 200, answer.text
        return [answer.headers["ETag"].strip('"'), len(data)]

    def complete(self, parts, token=None):
        return self.ask("complete", {"token": self.upload["token"], "size": sum(size for _, size in parts),
                                     "parts": parts}, token)
