# SPDX-License-Identifier: Apache-2.0
"""The services that hand out temporary credentials, as their makers document them, on one loopback address:

STS AssumeRoleWithWebIdentity and AssumeRole, whose signature botocore computes anew (AWS STS API Reference), the agents of ECS and EKS Pod Identity (AWS SDKs and Tools Reference
Guide, "Container credential provider"), EC2's metadata service, version 2 alone (EC2 User Guide), and the one of Huawei's
ECS (ECS User Guide). Strict: what a real one would refuse is refused, and why stands in `refused`. Slow or failing on
demand. The keys are those of a real store, with a session token that changes each time."""
import datetime
import http.server
import json
import re
import threading
import time
import urllib.parse
import xml.sax.saxutils

import botocore.auth
import botocore.awsrequest
import botocore.credentials

ROLE = "arn:aws:iam::123456789012:role/evidence-writer"
WEB_TOKEN = "eyJhbGciOiJSUzI1NiJ9.WEB-IDENTITY-TOKEN.c2lnbmF0dXJl"
AGENT_TOKEN = "AGENT-AUTHORIZATION-TOKEN"
AGENT_PATH = "/v2/credentials/0f8fad5b-d9cb-469f-a165-70867728950e"
INSTANCE_ROLE = "evidence-writer"


class Services:
    def __init__(self, access_key, secret_key, life=3600):
        self.access_key, self.secret_key, self.life = access_key, secret_key, life
        self.agent_token = AGENT_TOKEN
        self.handed_out = []  # (service, session token)
        self.refused = []  # reasons
        self.seen = []  # (method, path)
        self.delay = 0.0
        self.fail = None  # (status, times)
        self.drop_put = False  # IMDS: the answer to a PUT does not come, as with a hop limit of 1
        self.instance_tokens = set()
        self.signers = {}  # access key: (secret key, session token or None), of whom AssumeRole takes
        self.assumed = []  # the fields of each AssumeRole
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"services": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def keys(self, service):
        """A new session: token and its end."""
        with self.lock:
            token = "SESSION-TOKEN-%s-%d" % (service, len(self.handed_out) + 1)
            self.handed_out.append((service, token))
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.life)
        return token, end

    # --- what a program needs in its environment ---

    def web_identity(self, folder):
        path = folder / "web-token"
        path.write_text(WEB_TOKEN + "\n")
        return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(path), "AWS_ROLE_ARN": ROLE, "AWS_ENDPOINT_URL_STS": self.url,
                "AWS_EC2_METADATA_DISABLED": "true"}

    def container(self, folder=None):
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + AGENT_PATH, "AWS_EC2_METADATA_DISABLED": "true"}
        if folder:
            path = folder / "agent-token"
            path.write_text(self.agent_token + "\n")
            return {**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(path)}
        return {**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.agent_token}

    def instance(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}

    def agency(self):
        return {"SALVAGE_OBS_METADATA_ENDPOINT": self.url}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    services = None

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", kind="application/json"):
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, why, body=b""):
        self.services.refused.append("%s %s: %s" % (self.command, self.path, why))
        self.answer(status, body)

    def trouble(self):
        """True if this request was made to fail."""
        s = self.services
        s.seen.append((self.command, self.path))
        time.sleep(s.delay)
        if s.fail and s.fail[1] > 0:
            s.fail = (s.fail[0], s.fail[1] - 1)
            self.answer(s.fail[0], "busy", "text/plain")
            return True
        return False

    # --- STS ---

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("ascii")
        if self.trouble():
            return
        fields = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        if self.path != "/" or self.headers.get("Content-Type", "").split(";")[0] != "application/x-www-form-urlencoded":
            return self.refuse(400, "not a form to /")
        if fields.get("Action") == "AssumeRole":
            return self.assume_role(fields, body)
        if "Authorization" in self.headers:
            return self.refuse(400, "AssumeRoleWithWebIdentity is not signed")
        if fields.get("Action") != "AssumeRoleWithWebIdentity" or fields.get("Version") != "2011-06-15":
            return self.sts_error(400, "InvalidAction", "Could not find operation")
        name = fields.get("RoleSessionName", "")
        if not 2 <= len(name) <= 64 or not all(c.isalnum() or c in "_+=,.@-" for c in name):
            return self.sts_error(400, "ValidationError", "RoleSessionName")
        if fields.get("WebIdentityToken") != WEB_TOKEN:
            return self.sts_error(400, "InvalidIdentityToken", "Incorrect token data")
        if fields.get("RoleArn") != ROLE:
            return self.sts_error(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        token, end = self.services.keys("sts")
        values = (self.services.access_key, self.services.secret_key, token, end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self.answer(200, """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:shop:cart</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/evidence-writer/salvage</Arn></AssumedRoleUser>
    <Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>
      <SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>""" % tuple(map(xml.sax.saxutils.escape, values)), "text/xml")

    def signed_by(self, body):
        """The access key, if the signature is right: botocore signs the same request with the same time."""
        given = self.headers.get("Authorization", "")
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([a-z0-9-]+)/sts/aws4_request, "
                             r"SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}", given)
        if not found or found[1] not in self.services.signers or "content-type" not in found[3].split(";"):
            return None
        secret, token = self.services.signers[found[1]]
        request = botocore.awsrequest.AWSRequest("POST", "http://%s/" % self.headers["Host"], data=body)
        for name in found[3].split(";"):
            request.headers[name] = self.headers[name]
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(found[1], secret, token), "sts", found[2])
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        good = given.endswith("Signature=" + signature) and self.headers.get("X-Amz-Security-Token") == token
        return found[1] if good else None

    def assume_role(self, fields, body):
        signer = self.signed_by(body)
        if not signer:
            return self.sts_error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        self.services.assumed.append({**fields, "signer": signer})
        if not fields.get("RoleArn", "").startswith("arn:aws:iam::123456789012:role/"):
            return self.sts_error(403, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
        token, end = self.services.keys("assume-role")
        name = fields["RoleArn"].rpartition("/")[2]
        key, secret = self.services.access_key, self.services.secret_key
        if name.startswith("step-"):  # a role on the way to another
            key, secret = "ASIA" + name.upper(), "secret-of-" + name
            self.services.signers[key] = (secret, token)
        values = tuple(map(xml.sax.saxutils.escape, (key, secret, token, end.strftime("%Y-%m-%dT%H:%M:%SZ"))))
        return self.answer(200, """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn></AssumedRoleUser><Credentials><AccessKeyId>%s</AccessKeyId>
<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>""" % values, "text/xml")

    def sts_error(self, status, code, message):
        self.services.refused.append("STS: %s %s" % (code, message))
        self.answer(status, """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>""" % (code, message), "text/xml")

    # --- metadata ---

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/latest/api/token" and self.services.drop_put:
            time.sleep(5)
            return
        if self.trouble():
            return
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds" if self.path == "/latest/api/token"
                               else "X-Metadata-Token-Ttl-Seconds", "")
        if self.path not in ("/latest/api/token", "/meta-data/latest/api/token"):
            return self.refuse(404, "no such thing to PUT")
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return self.refuse(400, "no TTL, or a bad one")
        if "X-Forwarded-For" in self.headers:
            return self.refuse(403, "came through a proxy")
        token = "METADATA-TOKEN-%d" % (len(self.services.instance_tokens) + 1)
        self.services.instance_tokens.add(token)
        return self.answer(200, token, "text/plain")

    def do_GET(self):
        if self.trouble():
            return
        s = self.services
        if self.path == AGENT_PATH:
            return self.agent()
        if self.path.startswith("/latest/"):
            if self.headers.get("X-aws-ec2-metadata-token") not in s.instance_tokens:
                return self.refuse(401, "no token")
            return self.instance()
        if self.path == "/openstack/latest/securitykey":
            if self.headers.get("X-Metadata-Token") not in s.instance_tokens:
                return self.refuse(401, "no token")
            token, end = s.keys("agency")
            return self.answer(200, {"credential": {"access": s.access_key, "secret": s.secret_key,
                                                    "securitytoken": token,
                                                    "expires_at": end.strftime("%Y-%m-%dT%H:%M:%S.000000Z")}})
        return self.refuse(404, "no such thing")

    def agent(self):
        s = self.services
        if self.headers.get("Authorization") != s.agent_token:
            return self.refuse(401, "no authorization", {"code": "Unauthorized", "message": "token is not ours"})
        token, end = s.keys("agent")
        return self.answer(200, {"RoleArn": ROLE, "AccessKeyId": s.access_key, "SecretAccessKey": s.secret_key,
                                 "Token": token, "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def instance(self):
        s = self.services
        base = "/latest/meta-data/iam/security-credentials/"
        if self.path == base:
            return self.answer(200, INSTANCE_ROLE, "text/plain")
        if self.path.startswith("/latest/dynamic/"):
            return self.answer(404)
        if self.path != base + INSTANCE_ROLE:
            return self.refuse(404, "no such thing")
        token, end = s.keys("instance")
        return self.answer(200, {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": s.access_key,
                                 "SecretAccessKey": s.secret_key, "Token": token,
                                 "LastUpdated": "2026-11-21T00:00:00Z",
                                 "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}, "text/plain")
