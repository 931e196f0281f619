# SPDX-License-Identifier: Apache-2.0
"""An OpenID Connect issuer: a discovery document, a set of keys that can be rotated, and tokens signed by openssl."""
import base64
import http.server
import json
import subprocess
import threading
import time


def encode(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def openssl(*args, stdin=None):
    return subprocess.run(["/usr/bin/openssl", *map(str, args)], input=stdin, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


class Key:
    def __init__(self, folder, kid, ec=False):
        self.kid, self.ec, self.path = kid, ec, folder / ("key-%s.pem" % kid)
        if ec:
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path)
        else:
            openssl("genrsa", "-out", self.path, "2048")

    def public(self):
        if self.ec:
            point = openssl("ec", "-in", self.path, "-pubout", "-outform", "DER")[-64:]
            return {"kty": "EC", "crv": "P-256", "x": encode(point[:32]), "y": encode(point[32:]), "kid": self.kid}
        modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").strip().partition(b"=")[2]
        return {"kty": "RSA", "n": encode(bytes.fromhex(modulus.decode())), "e": "AQAB", "kid": self.kid, "use": "sig"}

    def sign(self, text, alg):
        if alg == "PS256":
            return openssl("dgst", "-sha256", "-sign", self.path, "-sigopt", "rsa_padding_mode:pss", "-sigopt",
                           "rsa_pss_saltlen:32", stdin=text)
        signature = openssl("dgst", "-sha256", "-sign", self.path, stdin=text)
        return self.raw(signature) if self.ec else signature

    @staticmethod
    def raw(der):
        """SEQUENCE of two INTEGERs to 64 bytes (RFC 7518, 3.4)."""
        first = der[3]
        r, s = der[4:4 + first], der[6 + first:]
        return b"".join(n.lstrip(b"\0").rjust(32, b"\0") for n in (r, s))


class Issuer:
    """asked: how often each document was fetched; down: (status, body) of all answers; replace: path -> document."""

    def __init__(self, folder):
        self.keys, self.asked, self.down, self.replace, self.slow = [Key(folder, "1")], {}, None, {}, 0
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked[self.path] = issuer.asked.get(self.path, 0) + 1
                time.sleep(issuer.slow)
                status, body = issuer.down or (200, json.dumps(issuer.document(self.path)).encode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def document(self, path):
        if path in self.replace:
            return self.replace[path]
        return {"/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": self.url + "/keys"},
                "/keys": {"keys": [key.public() for key in self.keys]}}[path]

    def token(self, key=None, alg="RS256", header=None, **claims):
        key = key or self.keys[0]
        now = int(time.time())
        claims = {"iss": self.url, "aud": "salvage", "sub": "ann", "iat": now, "exp": now + 300, **claims}
        text = "%s.%s" % (encode({"alg": alg, "kid": key.kid, **(header or {})}),
                          encode({k: v for k, v in claims.items() if v is not None}))
        return "%s.%s" % (text, encode(key.sign(text.encode(), alg)))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
