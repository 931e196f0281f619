# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server that lists and watches pods as a real one does: resource versions, bookmarks, 410, 403."""
import http.server
import json
import threading
import urllib.parse
import uuid


def pod(namespace, name, labels=None, annotations=None, owner=None, restarts=0, volumes=(), uid=None):
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"metadata": {"namespace": namespace, "name": name, "uid": uid or str(uuid.uuid4()), "labels": labels or {},
                         "annotations": annotations or {}, "ownerReferences": references,
                         "creationTimestamp": "2026-11-21T01:56:05Z"},
            "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "cart:1"}],
                     "volumes": [{"name": name, "emptyDir": {}} for name in volumes]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "app", "containerID": "containerd://" + "6d" * 32, "restartCount": restarts}]}}


class PodsApi:
    """Its pods are changed by set() and remove(), as the kubelet and people do."""

    def __init__(self, folder):
        self.pods, self.events, self.version = {}, [], 100
        self.changed = threading.Condition()
        self.asked, self.refused, self.forgotten, self.closed = [], None, 0, False
        self.account = folder / "account"
        self.account.mkdir()
        self.token("first")
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.get(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def token(self, value):
        self.expected = "Bearer " + value
        (self.account / "token").write_text(value + "\n")

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def note(self, kind, item):
        with self.changed:
            self.version += 1
            item["metadata"]["resourceVersion"] = str(self.version)
            self.events.append((self.version, kind, json.loads(json.dumps(item))))
            self.changed.notify_all()

    def set(self, item):
        known = item["metadata"]["uid"] in self.pods
        self.pods[item["metadata"]["uid"]] = item
        self.note("MODIFIED" if known else "ADDED", item)
        return item["metadata"]["uid"]

    def remove(self, uid):
        self.note("DELETED", self.pods.pop(uid))

    def refuse(self, status):
        """From now on, watches that are under way included; None: no longer."""
        with self.changed:
            self.refused = status
            self.changed.notify_all()

    def forget(self):
        """The history so far: watches from before it end with 410."""
        with self.changed:
            self.forgotten = self.version + 1
            self.version += 1
            self.changed.notify_all()

    def get(self, request):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.asked.append((url.path, query))
        if request.headers["Authorization"] != self.expected:
            self.answer(request, 401, {"kind": "Status", "code": 401})
        elif self.refused:
            self.answer(request, self.refused, {"kind": "Status", "code": self.refused})
        elif url.path == "/pods" or (url.path == "/api/v1/pods" and query.get("fieldSelector") == "spec.nodeName=node-1"):
            if query.get("watch"):
                self.watch(request, int(query["resourceVersion"]))
            else:
                with self.changed:
                    text = {"kind": "PodList", "metadata": {"resourceVersion": str(self.version)},
                            "items": list(self.pods.values())}
                self.answer(request, 200, text)
        else:
            self.answer(request, 404, {"kind": "Status", "code": 404})

    @staticmethod
    def answer(request, status, body):
        text = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def watch(self, request, version):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()

        def send(kind, item):
            line = json.dumps({"type": kind, "object": item}).encode() + b"\n"
            request.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

        try:
            while not self.closed and not self.refused:
                with self.changed:
                    gone = version < self.forgotten
                    news = [event for event in self.events if event[0] > version]
                    if not gone and not news:
                        self.changed.wait(5)
                        continue
                if gone:
                    send("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
                    break
                for version, kind, item in news:
                    send(kind, item)
                send("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(self.version)}})
                version = max(version, self.version)
            request.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass
        request.close_connection = True
