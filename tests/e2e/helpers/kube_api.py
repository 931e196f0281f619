# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server that answers reviews, and nothing that a real one would not take."""
import http.server
import json
import threading
import time

OWN = "our-own-service-account-token"
AUDIENCE = "https://kubernetes.default.svc"  # the API server's


class KubeApi:
    """tokens: token -> {"username", "groups", "audiences"}; allowed: {(username or group, verb, resource, namespace)},
    namespace None: all of them. asked: how often each sort of review was asked for."""

    def __init__(self, folder):
        self.tokens, self.allowed = {}, set()
        self.asked = {"tokenreviews": 0, "subjectaccessreviews": 0}
        self.names = set()  # (namespace, name) of the objects that were asked about
        self.own, self.down, self.wrong = OWN, None, []
        self.delay_s, self.at_once, self.most_at_once, self.lock = 0, 0, 0, threading.Lock()  # of each answer
        self.hangs, self.closed = False, threading.Event()
        self.account = folder / "account"
        self.account.mkdir()
        (self.account / "token").write_text(OWN + "\n")
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = api.answer(self.path, self.headers, body)
                text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()

    def account_token(self, namespace, name, audiences=(AUDIENCE,), pod=None):
        """As the API server would make one: a JWT, whose signature only we check."""
        from base64 import urlsafe_b64encode as encode
        claims = {"aud": list(audiences), "sub": "system:serviceaccount:%s:%s" % (namespace, name), "n": len(self.tokens)}
        token = ".".join(encode(json.dumps(part).encode()).rstrip(b"=").decode()
                         for part in ({"alg": "RS256"}, claims, {"signature": 1}))
        extra = {"authentication.kubernetes.io/pod-name": [pod]} if pod else {}
        self.tokens[token] = {"username": claims["sub"], "audiences": list(audiences), "extra": extra,
                              "groups": ["system:serviceaccounts", "system:serviceaccounts:" + namespace]}
        return token

    def person(self, name, *groups):
        token = "opaque-token-of-" + name
        self.tokens[token] = {"username": name, "groups": [*groups, "system:authenticated"], "audiences": [AUDIENCE]}
        return token

    def answer(self, path, headers, body):
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.delay_s)
        with self.lock:
            self.at_once -= 1
        if self.hangs:
            self.closed.wait(30)
        if self.down:
            return self.down
        if headers["Authorization"] != "Bearer " + self.own:
            return 401, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 401}
        review = json.loads(body)
        spec = review["spec"]
        try:
            assert headers["Content-Type"] == "application/json"
            kind = path.rpartition("/")[2]
            self.asked[kind] += 1
            status = getattr(self, kind)(path, review, spec)
        except (AssertionError, KeyError) as e:
            self.wrong.append((path, review, repr(e)))
            return 400, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 400}
        return 201, {**review, "metadata": {}, "status": status}

    def tokenreviews(self, path, review, spec):
        assert path == "/apis/authentication.k8s.io/v1/tokenreviews"
        assert (review["kind"], review["apiVersion"]) == ("TokenReview", "authentication.k8s.io/v1")
        assert set(spec) <= {"token", "audiences"} and spec["token"]
        known = self.tokens.get(spec["token"])
        audiences = [a for a in spec.get("audiences", [AUDIENCE]) if known and a in known["audiences"]]
        if not audiences:
            return {"user": {}, "error": "[invalid bearer token]"}
        user = {k: v for k, v in known.items() if k != "audiences" and v}
        return {"authenticated": True, "user": {"uid": "u-" + known["username"], **user}, "audiences": audiences}

    def subjectaccessreviews(self, path, review, spec):
        assert path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        assert (review["kind"], review["apiVersion"]) == ("SubjectAccessReview", "authorization.k8s.io/v1")
        assert set(spec) <= {"user", "groups", "uid", "extra", "resourceAttributes"} and spec["user"]
        what = spec["resourceAttributes"]
        assert set(what) <= {"namespace", "verb", "group", "resource", "subresource", "name"}
        if what.get("name"):
            self.names.add((what["namespace"], what["name"]))
        resource = what["resource"] + ("/" + what["subresource"] if what.get("subresource") else "")
        who = [spec["user"], *spec["groups"]]
        where = {what.get("namespace"), None}
        return {"allowed": any((w, what["verb"], resource, n) in self.allowed for w in who for n in where)}
