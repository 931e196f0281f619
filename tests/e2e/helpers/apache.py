# SPDX-License-Identifier: Apache-2.0
"""A stock Apache with mod_dav: unlike nginx it makes no folders by itself, and lists them as WebDAV and as HTML only."""
import os
import pathlib
import signal
import socket
import subprocess

from helpers.proc import free_port, wait_for

APACHE = "/usr/sbin/apache2"
MODULES = "/usr/lib/apache2/modules"

CONFIG = """
ServerRoot {state}
ServerName {name}
Listen 127.0.0.1:{port}
PidFile {state}/pid
ErrorLog {state}/error.log
{user}
{modules}
LogFormat "%m %>s %U" short
CustomLog {state}/access.log short
TypesConfig /dev/null
DocumentRoot {root}
DavLockDB {state}/lock
<Directory {root}>
    Require all granted
    Options Indexes
    DirectoryIndex disabled
    Dav {dav}
    {more}
</Directory>
"""

NAMES = ["mpm_event", "authz_core", "mime", "dir", "autoindex", "dav", "dav_fs"]


class Apache:
    """Serves STATE/root/dumps as http://127.0.0.1:PORT/dumps/. name: what the server calls itself."""

    def __init__(self, state, dav="On", more="", name="files.example"):
        self.state = pathlib.Path(state)
        self.root = self.state / "root"
        self.folder = self.root / "dumps"
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.host = "127.0.0.1:%d" % self.port
        self.url = "http://%s/dumps" % self.host
        if os.geteuid() == 0:  # it gives up root, and refuses to be it
            for folder in (self.state, self.root, self.folder):
                os.chown(folder, 33, 33)
        loaded = "\n".join("LoadModule %s_module %s/mod_%s.so" % (m, MODULES, m) for m in NAMES)
        config = self.state / "apache.conf"
        config.write_text(CONFIG.format(
            state=self.state, name=name, port=self.port, root=self.root, dav=dav, more=more, modules=loaded,
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else ""), encoding="utf-8")
        self.process = subprocess.Popen([APACHE, "-X", "-f", str(config)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(self._answers, 10, "Apache does not answer")

    def _answers(self):
        assert self.process.poll() is None, self.process.stderr.read().decode() + self.log()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def log(self):
        path = self.state / "error.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def requests(self):
        """(method, path, status) of each request that has ended."""
        rows = (self.state / "access.log").read_text(encoding="utf-8").splitlines()
        return [(method, path, int(status)) for method, status, path in (row.split(" ", 2) for row in rows)]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
