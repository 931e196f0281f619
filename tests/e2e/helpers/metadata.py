# SPDX-License-Identifier: Apache-2.0
"""The metadata services of ECS (task metadata endpoint 4 and 3) and of EC2 (IMDSv2), written from AWS's documentation:
strict about methods, paths and headers, and slow, dead or wrong on demand."""
import json
import secrets
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from helpers.proc import free_port

ACCOUNT, REGION, ZONE = "111122223333", "eu-west-1", "eu-west-1b"
TASK = "8f03e41243824aea923aca126495f665"
CONTAINER_ID = TASK + "-2495160603"
IMAGE = ACCOUNT + ".dkr.ecr." + REGION + ".amazonaws.com/shop/cart:1.2"
DIGEST = "sha256:d691691e9652791a60114e67b365688d20d19940dde7c4736ea30e660d8d3553"


class Server:
    """One service. seen: every request, as "GET /path". behave: what it does instead of answering; see below."""

    def __init__(self):
        self.seen = []
        self.complaints = []  # what the documentation forbids
        self.behave = None
        self.closed = threading.Event()
        handler = type("Handler", (Handler,), {"service": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        if not self.closed.is_set():
            self.closed.set()
            self.server.shutdown()
            self.server.server_close()

    def answer(self, request):
        """(status, content type, body)"""
        raise NotImplementedError

    def refuse(self, status, why):
        self.complaints.append(why)
        return status, "text/plain", why


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service = None

    def log_message(self, *args):
        pass

    def reply(self, status, kind, body):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        service = self.service
        service.seen.append("%s %s" % (self.command, self.path))
        try:
            if service.behave is None or not service.behave(self):
                self.reply(*service.answer(self))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = handle_any


# --- behaviour: called with the handler; True: that was the answer ------------------------------------------------------


def silent(handler):
    """Never says anything."""
    handler.service.closed.wait(60)
    handler.close_connection = True
    return True


def slow(seconds):
    """Answers late."""

    def behave(_):
        time.sleep(seconds)
        return False

    return behave


def dripping(handler):
    """A byte now and then: never silent, never done."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.service.closed.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()
    return True


def endless(handler):
    """As much as is taken."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    while not handler.service.closed.is_set():
        handler.wfile.write(b"[" * 65536)
    return True


def says(status, body, headers=None):
    """Answers with this."""

    def behave(handler):
        data = body.encode()
        handler.send_response(status)
        for pair in (headers or {}).items():
            handler.send_header(*pair)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
        return True

    return behave


def only(suffix, behaviour):
    """Behaves so where the path ends with suffix, and well elsewhere."""
    return lambda handler: handler.path.endswith(suffix) and behaviour(handler)


def times(count, behaviour):
    """Behaves so count times, and well from then on."""
    left = [count]
    lock = threading.Lock()

    def behave(handler):
        with lock:
            left[0] -= 1
            due = left[0] >= 0
        return due and behaviour(handler)

    return behave


# --- the services -----------------------------------------------------------------------------------------------------


class Ecs(Server):
    """env tells a container where it is."""

    def __init__(self, version=4, cluster="demo", family="cart", revision="7", task=TASK, container="app",
                 launch_type="FARGATE"):
        super().__init__()
        arn = "arn:aws:ecs:%s:%s:" % (REGION, ACCOUNT)
        self.path = "/v%d/%s" % (version, CONTAINER_ID)
        self.variable = "ECS_CONTAINER_METADATA_URI" + ("_V4" if version == 4 else "")
        self.env = {self.variable: self.url + self.path}
        self.container = {
            "DockerId": CONTAINER_ID, "Name": container, "DockerName": container, "Image": IMAGE, "ImageID": DIGEST,
            "Labels": {"com.amazonaws.ecs.cluster": arn + "cluster/" + cluster,
                       "com.amazonaws.ecs.container-name": container,
                       "com.amazonaws.ecs.task-arn": arn + "task/%s/%s" % (cluster, task),
                       "com.amazonaws.ecs.task-definition-family": family,
                       "com.amazonaws.ecs.task-definition-version": revision},
            "DesiredStatus": "RUNNING", "KnownStatus": "RUNNING", "Limits": {"CPU": 2},
            "CreatedAt": "2026-10-08T20:09:11.44527186Z", "StartedAt": "2026-10-08T20:09:11.44527186Z",
            "Type": "NORMAL", "LogDriver": "awslogs",
            "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["192.0.2.3"], "AttachmentIndex": 0}],
            "ContainerARN": arn + "container/05966557-f16c-49cb-9352-24b3a0dcd0e1", "Snapshotter": "overlayfs",
        }
        self.task = {
            "Cluster": arn + "cluster/" + cluster, "TaskARN": arn + "task/%s/%s" % (cluster, task),
            "Family": family, "Revision": revision, "DesiredStatus": "RUNNING", "KnownStatus": "RUNNING",
            "Limits": {"CPU": 0.25, "Memory": 512}, "PullStartedAt": "2026-10-08T20:47:16.053330955Z",
            "AvailabilityZone": ZONE, "LaunchType": launch_type, "Containers": [self.container],
        }

    def answer(self, request):
        if request.command != "GET":
            return self.refuse(405, "%s %s" % (request.command, request.path))
        if request.path == self.path:
            return 200, "application/json", json.dumps(self.container)
        if request.path == self.path + "/task":
            return 200, "application/json", json.dumps(self.task)
        return self.refuse(404, "no such path: " + request.path)


class Imds(Server):
    """EC2's: a token by PUT, and nothing without it (IMDSv2 required)."""

    INSTANCE = "i-0af01c0123456789a"

    def __init__(self):
        super().__init__()
        self.env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}
        self.tokens = {}
        self.document = {
            "accountId": ACCOUNT, "architecture": "x86_64", "availabilityZone": ZONE, "billingProducts": None,
            "devpayProductCodes": None, "marketplaceProductCodes": None, "imageId": "ami-5fb8c835",
            "instanceId": self.INSTANCE, "instanceType": "m7g.large", "kernelId": None, "ramdiskId": None,
            "pendingTime": "2026-11-19T16:32:11Z", "privateIp": "10.158.112.84", "region": REGION,
            "version": "2017-09-30",
        }

    def answer(self, request):
        if request.headers.get("X-Forwarded-For"):
            return self.refuse(403, "came by a proxy")
        if request.path == "/latest/api/token":
            return self.give_token(request)
        if request.command != "GET":
            return self.refuse(405, "%s %s" % (request.command, request.path))
        if self.tokens.get(request.headers.get("X-aws-ec2-metadata-token", ""), 0) < time.monotonic():
            return self.refuse(401, "no token, or not a good one")
        if request.path == "/latest/dynamic/instance-identity/document":
            return 200, "text/plain", json.dumps(self.document, indent=2)
        return self.refuse(404, "no such path: " + request.path)

    def give_token(self, request):
        seconds = request.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if request.command != "PUT":
            return self.refuse(405, "a token is asked for by PUT")
        if not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            return self.refuse(400, "no time to live of 1 to 21600 seconds: %r" % seconds)
        if request.headers.get("Content-Length", "0") != "0":
            return self.refuse(400, "a token is asked for without a body")
        token = secrets.token_urlsafe(40) + "=="
        self.tokens[token] = time.monotonic() + int(seconds)
        return 200, "text/plain", token


class Blackhole:
    """An address where nobody takes a connection, and nobody refuses one: a listener whose queue is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)
        time.sleep(0.05)

    def close(self):
        for filler in self.fillers:
            filler.close()
        self.listener.close()


def refused():
    """A URL where connections are refused."""
    return "http://127.0.0.1:%d" % free_port()
