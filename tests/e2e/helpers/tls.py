# SPDX-License-Identifier: Apache-2.0
"""A private CA and a server certificate for "localhost", and for that name only."""
import subprocess


def openssl(*args):
    subprocess.run(["/usr/bin/openssl", *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Authority:
    def __init__(self, folder, name):
        self.folder = folder
        self.key, self.certificate = folder / (name + ".key"), folder / (name + ".pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=Private CA " + name, "-keyout", self.key, "-out", self.certificate)

    def server(self, names):
        """(certificate, key) for names like "DNS:localhost"."""
        key, request, certificate = (self.folder / ("server." + kind) for kind in ("key", "csr", "pem"))
        extensions = self.folder / "server.ext"
        extensions.write_text("subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % names, encoding="ascii")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=server",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key
