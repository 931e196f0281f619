# SPDX-License-Identifier: Apache-2.0
"""A webhook that listens: what notices are sent to."""
import http.server
import json
import threading

from helpers.proc import wait_for


class Hook:
    """A webhook: keeps what is posted, answers `status`."""

    def __init__(self):
        self.status, self.headers, self.got = 200, {}, []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
                self.send_response(hook.status)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count=1):
        wait_for(lambda: len(self.got) >= count, 15, "%d notices came, not %d" % (len(self.got), count))
        return self.got[-1][2]
