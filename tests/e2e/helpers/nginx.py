# SPDX-License-Identifier: Apache-2.0
"""A stock nginx with its WebDAV module: what many teams have for a file server."""
import os
import pathlib
import socket
import subprocess

from helpers.proc import free_port, wait_for

NGINX = "/usr/sbin/nginx"

CONFIG = """
daemon off;
master_process off;
{user}
pid {state}/nginx.pid;
error_log {state}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {state}/access.log;
    client_max_body_size 0;
    client_body_temp_path {state}/body;
    proxy_temp_path {state}/proxy;
    fastcgi_temp_path {state}/fastcgi;
    uwsgi_temp_path {state}/uwsgi;
    scgi_temp_path {state}/scgi;
    server {{
        listen 127.0.0.1:{port} {ssl};
        {certificate}
        root {root};
        location /dumps/ {{
            {dav}
            autoindex on;
            autoindex_format {autoindex};
            {more}
        }}
    }}
}}
"""

PUT_ONLY = "dav_methods PUT; create_full_put_path on;"
ALL_METHODS = "dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on;"


class Nginx:
    """Serves STATE/root/dumps as http(s)://127.0.0.1:PORT/dumps/."""

    def __init__(self, state, dav=PUT_ONLY, autoindex="json", more="", certificate=None):
        self.state = pathlib.Path(state)
        self.root = self.state / "root"
        self.folder = self.root / "dumps"
        self.folder.mkdir(parents=True)
        (self.state / "body").mkdir()
        self.port = free_port()
        self.host = "127.0.0.1:%d" % self.port
        self.scheme = "https" if certificate else "http"
        self.url = "%s://%s/dumps" % (self.scheme, self.host)
        text = CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "", state=self.state, root=self.root, port=self.port, dav=dav,
            autoindex=autoindex, more=more, ssl="ssl" if certificate else "",
            certificate="ssl_certificate %s; ssl_certificate_key %s;" % certificate if certificate else "")
        config = self.state / "nginx.conf"
        config.write_text(text, encoding="utf-8")
        self.process = subprocess.Popen([NGINX, "-c", str(config), "-e", str(self.state / "error.log")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, 10, lambda: "nginx: " + (self.state / "error.log").read_text(encoding="utf-8"))

    def _answers(self):
        assert self.process.poll() is None, (self.state / "error.log").read_text(encoding="utf-8")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def requests(self):
        """(method, path, status) of each request that has ended."""
        found = []
        for line in (self.state / "access.log").read_text(encoding="utf-8").splitlines():
            request, status = line.split('"')[1], line.split('"')[2].split()[0]
            if " " in request:
                found.append((request.split()[0], request.split()[1], int(status)))
        return found

    def close(self):
        self.process.terminate()
        self.process.wait()
