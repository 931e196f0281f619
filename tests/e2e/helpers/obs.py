# SPDX-License-Identifier: Apache-2.0
"""Huawei's Object Storage Service before an S3 server: it understands and checks requests as the OBS API Reference has
them, with a signer of its own, and passes them on under S3's names and signature. Strict: what OBS would refuse is
refused, and so is what it does not document.

Chapters followed: "Authentication of Signature in a Header", "Uploading an Object - PUT", "Operations on Multipart
Upload", "Listing Objects in a Bucket", "Error Codes" (and its page on InvalidAccessKeyId)."""
import base64
import email.utils
import hashlib
import hmac
import http.client
import http.server
import re
import secrets
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from helpers.stores import S3

HOST = "obs.localhost"
SKEW = 15 * 60

# Of the documented sub-resources, those of the operations below; the others are refused anyway.
SIGNED_PARAMETERS = {"partNumber", "uploadId", "uploads"}
# (method, is an object, parameters that make the operation) -> parameters it may have besides
OPERATIONS = {
    ("PUT", True, frozenset()): set(),
    ("PUT", True, frozenset({"partNumber", "uploadId"})): set(),
    ("POST", True, frozenset({"uploads"})): set(),
    ("POST", True, frozenset({"uploadId"})): set(),
    ("DELETE", True, frozenset()): set(),
    ("DELETE", True, frozenset({"uploadId"})): set(),
    ("GET", True, frozenset({"uploadId"})): {"max-parts", "part-number-marker"},
    ("GET", True, frozenset()): {"response-content-type", "response-content-disposition"},
    ("HEAD", True, frozenset()): set(),
    ("GET", False, frozenset()): {"prefix", "marker", "max-keys", "delimiter", "encoding-type"},
    ("GET", False, frozenset({"uploads"})): {"prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads",
                                             "encoding-type"},
}
OWN_HEADERS = re.compile("x-obs-(date|security-token|content-sha256|acl|storage-class|meta-[a-z0-9-]+)$")
PASSED_ON = {"content-type", "range", "if-match"}


class ObsStore(S3):
    """A place in the test bucket, seen through the service."""

    def __init__(self, s3, endpoint, env):
        super().__init__(s3.client, s3.bucket, endpoint, env, s3.prefix)
        self.url = "obs://%s/%s" % (self.bucket, self.prefix)


class Obs:
    def __init__(self, s3_endpoint, s3_keys):
        """s3_endpoint: URL of the S3 server; s3_keys: its access key and secret key."""
        self.upstream = urllib.parse.urlsplit(s3_endpoint).netloc
        self.s3_keys = botocore.credentials.Credentials(*s3_keys)
        self.keys = {}  # access key -> (secret key, security token or None, or what says of one whether it holds)
        self.page = None  # entries of a listing's page
        self.damage = None  # (method, parameters) -> whether its body arrives with a bit flipped
        self.clock_ahead = 0  # seconds
        self.seen = []  # a dict per request
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"service": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.named_url = "http://%s:%d" % (HOST, self.port)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def new_key(self, temporary=False):
        """The environment of a program that has a key of its own."""
        access_key, secret_key = "OBS" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)
        token = secrets.token_urlsafe(60) if temporary else None
        with self.lock:
            self.keys[access_key] = (secret_key, token)
        return {"OBS_ACCESS_KEY_ID": access_key, "OBS_SECRET_ACCESS_KEY": secret_key,
                **({"OBS_SECURITY_TOKEN": token} if token else {})}

    def requests(self, match=lambda method, query: True):
        """Those of one sort: method, path, query, headers (lower-case names), code (of a refusal, else None)."""
        with self.lock:
            return [entry for entry in self.seen if match(entry["method"], entry["query"])]


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "OBS"
    service = None

    def log_message(self, *args):
        pass

    def handle_any(self):
        self.arrived = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        entry = {"method": self.command, "path": self.path, "code": None, "query": {},
                 "headers": {name.lower(): value.strip() for name, value in self.headers.items()}}
        self.own = entry["headers"]
        try:
            entry["query"] = self.read_target()
            self.note(entry)
            self.check_signature()
            self.check_operation()
            self.pass_on(self.check_body(body))
        except Refusal as r:
            entry["code"] = r.code
            self.note(entry)
            self.answer(r.status, [("Content-Type", "application/xml"), ("x-obs-error-code", r.code)],
                        ("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Error><Code>%s</Code><Message>%s"
                         "</Message><RequestId>0000016A1B2C3D4E</RequestId><HostId>RkRCRDJE</HostId></Error>"
                         % (r.code, r.message)).encode())

    def note(self, entry):
        with self.service.lock:
            if not any(entry is other for other in self.service.seen):
                self.service.seen.append(entry)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("x-obs-request-id", "0000016A1B2C3D4E")
        if "content-length" not in {name.lower() for name, _ in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_target(self):
        """Bucket and object, by host or by path, as they were sent; parameters, the first of each name."""
        path, _, query = self.path.partition("?")
        host = self.headers["Host"].rpartition(":")[0]
        if host.endswith("." + HOST):
            path = "/" + host[:-len("." + HOST)] + path
        elif path.count("/") < 2:
            raise Refusal(400, "InvalidURI", "A bucket's path ends with '/'")
        self.object_path = path
        self.query, self.has_value = {}, set()
        for pair in filter(None, query.split("&")):
            name, equals, value = pair.partition("=")
            self.query.setdefault(urllib.parse.unquote(name), urllib.parse.unquote(value))
            if equals:
                self.has_value.add(urllib.parse.unquote(name))
        return dict(self.query)

    # --- "Authentication of Signature in a Header" ---

    def string_to_sign(self):
        lines = [self.command, self.own.get("content-md5", ""), self.own.get("content-type", ""),
                 "" if "x-obs-date" in self.own else self.own.get("date", "")]
        lines += ["%s:%s" % pair for pair in sorted(self.own.items()) if pair[0].startswith("x-obs-")]
        parameters = [name + ("=" + self.query[name] if self.query[name] else "")
                      for name in sorted(self.query) if name in SIGNED_PARAMETERS]
        return "\n".join(lines + [self.object_path + ("?" + "&".join(parameters) if parameters else "")])

    def check_url_signature(self):
        """"Authentication of Signature in a URL": of the documented sub-resources, those that a redirect has."""
        access_key, expires = self.query.pop("AccessKeyId", ""), self.query.pop("Expires", "0")
        signature = self.query.pop("Signature")
        sent = self.query.get("x-obs-security-token")
        if access_key not in self.service.keys:
            raise Refusal(403, "InvalidAccessKeyId", "The OBS Access Key Id you provided does not exist in our records.")
        secret, token = self.service.keys[access_key]
        signed = ["%s=%s" % pair for pair in sorted(self.query.items())
                  if pair[0].startswith(("response-", "x-obs-")) or pair[0] in SIGNED_PARAMETERS]
        text = "\n".join([self.command, self.own.get("content-md5", ""), self.own.get("content-type", ""), expires]
                         + ["%s:%s" % pair for pair in sorted(self.own.items()) if pair[0].startswith("x-obs-")]
                         + [self.object_path + ("?" + "&".join(signed) if signed else "")])
        right = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
        if not hmac.compare_digest(right, signature) or sent != token:
            raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        if int(expires) < time.time() + self.service.clock_ahead:
            raise Refusal(403, "AccessDenied", "Request has expired")
        self.query.pop("x-obs-security-token", None)

    def check_signature(self):
        if "Signature" in self.query:
            self.check_url_signature()
            return
        scheme, _, rest = self.own.get("authorization", "").partition(" ")
        access_key, _, signature = rest.partition(":")
        if scheme != "OBS":
            raise Refusal(403, "AccessDenied", "Access Denied")
        if access_key not in self.service.keys:
            raise Refusal(403, "InvalidAccessKeyId", "The OBS Access Key Id you provided does not exist in our records.")
        secret, token = self.service.keys[access_key]
        right = base64.b64encode(hmac.new(secret.encode(), self.string_to_sign().encode(), hashlib.sha1).digest())
        if not hmac.compare_digest(right.decode(), signature):
            raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the "
                          "signature you provided. Check your key and signing method.")
        date = self.own.get("x-obs-date") or self.own.get("date", "")
        if date != email.utils.format_datetime(email.utils.parsedate_to_datetime(date), usegmt=True):
            raise Refusal(403, "AccessDenied", "not a date of RFC 1123: " + date)
        if abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time() - self.service.clock_ahead) > SKEW:
            raise Refusal(403, "RequestTimeTooSkewed", "Request is no longer valid.")
        sent = self.own.get("x-obs-security-token")
        if not (token(sent, self.arrived) if callable(token) else sent == token):
            raise Refusal(403, "InvalidAccessKeyId", "The security token is invalid.")

    def check_operation(self):
        is_object = len(self.object_path.split("/", 2)[2]) > 0
        made_by = frozenset(self.query) & SIGNED_PARAMETERS
        allowed = OPERATIONS.get((self.command, is_object, made_by))
        strange = [name for name in self.own if name.startswith("x-amz-") or name == "if-none-match"
                   or (name.startswith("x-obs-") and not OWN_HEADERS.match(name))]
        if allowed is None or not set(self.query) - made_by <= allowed or strange:
            raise Refusal(400, "InvalidArgument", "not documented: %s %s %s" % (self.command, self.path, strange))
        if "uploads" in self.has_value:
            raise Refusal(400, "InvalidArgument", "uploads has no value")
        if "x-obs-content-sha256" in self.own and self.command != "PUT":
            raise Refusal(400, "InvalidArgument", "x-obs-content-sha256 is for uploads of objects and parts")

    def check_body(self, body):
        if self.service.damage and body and self.service.damage(self.command, self.query):
            at = len(body) // 2
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        if self.command != "PUT":
            return body
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        if self.own.get("content-md5", md5) != md5:
            raise Refusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
        sha256 = hashlib.sha256(body).hexdigest()
        if self.own.get("x-obs-content-sha256", sha256) != sha256:
            raise Refusal(400, "BadDigest", "The x-obs-content-sha256 you specified did not match what we received.")
        return body

    # --- S3 ---

    def pass_on(self, body):
        query = dict(self.query)
        listing = "" if self.object_path.split("/", 2)[2] else "uploads" if "uploads" in query else "objects"
        if listing:
            name = "max-keys" if listing == "objects" else "max-uploads"
            query[name] = str(min(int(query.get(name, 1000)), self.service.page or 1000))
        url = "http://%s%s" % (self.service.upstream, self.object_path)
        if query:
            url += "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        headers = {name.replace("x-obs-meta-", "x-amz-meta-"): value for name, value in self.own.items()
                   if name in PASSED_ON or name.startswith("x-obs-meta-")}
        request = botocore.awsrequest.AWSRequest(self.command, url, headers, body)
        botocore.auth.S3SigV4Auth(self.service.s3_keys, "s3", "us-east-1").add_auth(request)
        link = http.client.HTTPConnection(self.service.upstream, timeout=60)
        try:
            link.request(self.command, url.split(self.service.upstream, 1)[1], body, dict(request.headers.items()))
            reply = link.getresponse()
            data = reply.read()
        finally:
            link.close()
        if listing == "objects":
            data = self.name_next_marker(data)
        self.answer(reply.status, self.own_headers(reply, data), data)

    def own_headers(self, reply, data):
        """What OBS would say; sizes are told anew but for HEAD, whose body is elsewhere."""
        headers = [(name.lower().replace("x-amz-", "x-obs-"), value) for name, value in reply.getheaders()
                   if name.lower() not in ("connection", "date", "server", "transfer-encoding", "keep-alive",
                                           "content-length", "x-amz-request-id", "x-amz-id-2")]
        if self.command == "HEAD":
            headers.append(("Content-Length", reply.getheader("Content-Length", "0")))
            if reply.status == 404:
                headers.append(("x-obs-error-code", "NoSuchKey"))
        return headers

    @staticmethod
    def name_next_marker(data):
        """OBS names it whenever there is more, S3 only where there is a delimiter."""
        if b"<IsTruncated>true<" not in data or b"<NextMarker>" in data:
            return data
        last = re.findall(rb"<Key>([^<]*)</Key>", data)[-1]
        return data.replace(b"<IsTruncated>true<", b"<NextMarker>%s</NextMarker><IsTruncated>true<" % last)
