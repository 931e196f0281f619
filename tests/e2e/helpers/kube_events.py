# SPDX-License-Identifier: Apache-2.0
"""What an API server says to those who make events: for its refusals. That events are right, a real one says
(test_kubernetes_node.py)."""
import http.server
import json
import threading
import time

from helpers.proc import wait_for


def refusal(code, reason, **more):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, **more}


class KubeEvents:
    """events: name -> event. answers: {(method, namespace): (status, body)}, else what a server with all rights does."""

    def __init__(self):
        self.events, self.asked, self.answers, self.pods = {}, [], {}, {}
        self.annotations, self.delay_s = {}, 0
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, answer = api.answer(self.command, self.path, body and json.loads(body))
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, body):
        _, _, version, _, namespace, kind, *name = path.split("/")
        assert version == "v1" and kind in ("events", "pods")
        self.asked.append((method, namespace, kind))
        time.sleep(self.delay_s)
        if (method, namespace) in self.answers:
            return self.answers[method, namespace]
        if method == "POST":
            name = body["metadata"]["name"]
            if name in self.events:
                return refusal(409, "AlreadyExists")
            self.events[name] = body
            return 201, body
        if kind == "pods" and method == "GET":
            return (200, {"kind": "Pod", "metadata": {"uid": self.pods[name[0]]}}) if name[0] in self.pods else refusal(404, "NotFound")
        if kind == "pods":
            self.annotations[name[0]] = body["metadata"]["annotations"]
            return 200, {}
        if name[0] not in self.events:
            return refusal(404, "NotFound")
        self.events[name[0]].update(body)
        return 200, self.events[name[0]]

    def wait(self, count=1):
        wait_for(lambda: len(self.events) >= count, 15, "%d events came, not %d" % (len(self.events), count))
        return list(self.events.values())[-1]
