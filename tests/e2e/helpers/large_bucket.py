# SPDX-License-Identifier: Apache-2.0
"""A bucket with very many small objects, in memory: listings as S3 gives them, GET and HEAD, and a count of requests."""
import bisect
import http.server
import threading
import time
import urllib.parse
import xml.sax.saxutils

PAGE = 1000


class LargeBucket:
    """objects: key -> bytes, or a function that makes them. lists: (prefix, delimiter) of
    each listing."""

    def __init__(self):
        self.objects, self.sorted, self.lists = {}, [], []
        self.stored = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())  # all of them
        bucket = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path, _, query = self.path.partition("?")
                key = urllib.parse.unquote(path).partition("/")[2].partition("/")[2]
                if not key:
                    body = bucket.listing(dict(urllib.parse.parse_qsl(query, keep_blank_values=True))).encode()
                elif key in bucket.objects:
                    body = bucket.objects[key]
                    body = body() if callable(body) else body
                else:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", '"0"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def change(self, added=None, removed=()):
        self.objects = {**self.objects, **(added or {})}
        for key in removed:
            del self.objects[key]
        self.sorted = sorted(self.objects)

    def listing(self, query):
        if "uploads" in query:
            return '<?xml version="1.0"?><ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>'
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        self.lists.append((prefix, delimiter))
        after = query.get("continuation-token") or query.get("start-after") or ""
        at = bisect.bisect_right(self.sorted, after) if after >= prefix else bisect.bisect_left(self.sorted, prefix)
        found, last = [], ""
        while at < len(self.sorted) and self.sorted[at].startswith(prefix) and len(found) < PAGE:
            key = last = self.sorted[at]
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                found.append("<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>&quot;0&quot;</ETag>"
                             "<Size>%d</Size></Contents>" % (xml.sax.saxutils.escape(key), self.stored, 10))
                at += 1
            else:
                last = key[:end + 1] + "\U0010ffff"
                found.append("<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>" % xml.sax.saxutils.escape(key[:end + 1]))
                at = bisect.bisect_left(self.sorted, last)
        more = at < len(self.sorted) and self.sorted[at].startswith(prefix)
        token = "<NextContinuationToken>%s</NextContinuationToken>" % xml.sax.saxutils.escape(last) if more else ""
        return ('<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
                "<IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>" % (str(more).lower(), token, "".join(found)))
