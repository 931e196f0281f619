# SPDX-License-Identifier: Apache-2.0
"""The container image: scripts/image builds it from the local build; the tests inspect and run it."""
import gzip
import io
import json
import os
import pathlib
import shlex
import subprocess
import tarfile

import pytest

from helpers.evidence import drop

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Image:
    def __init__(self, path):
        with tarfile.open(path) as archive:
            self.blob = {m.name: archive.extractfile(m).read() for m in archive.getmembers() if m.isfile()}
        index = json.loads(self.blob["index.json"])
        self.name = index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
        self.manifest = self.json(index["manifests"][0]["digest"])
        self.config = self.json(self.manifest["config"]["digest"])["config"]

    def bytes(self, digest):
        return self.blob["blobs/" + digest.replace(":", "/")]

    def json(self, digest):
        return json.loads(self.bytes(digest))

    def layer(self):
        layer, = self.manifest["layers"]
        data = self.bytes(layer["digest"])
        return tarfile.open(fileobj=io.BytesIO(gzip.decompress(data) if "gzip" in layer["mediaType"] else data))


@pytest.fixture(scope="module")
def archive(session_folder):
    path = session_folder / "salvage.oci.tar"
    subprocess.run([str(ROOT / "scripts" / "image"), "--binary", os.environ["SALVAGE_STATIC_BIN"], "--output", str(path)],
                   check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def image(archive):
    return Image(archive)


def test_it_says_who_it_is_and_runs_as_nobody_special(image):
    version = subprocess.check_output([os.environ["SALVAGE_STATIC_BIN"], "--version"], text=True).split()[1]
    assert image.name == "salvage:" + version
    assert image.config["User"] == "65532:65532"
    assert image.config["Entrypoint"] == ["/salvage"] and image.config["Cmd"] == ["help"]
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_it_holds_the_file_the_cas_the_licences_and_nothing_else(image, archive):
    with image.layer() as layer:
        files = {m.name.rstrip("/"): m for m in layer.getmembers()}
        assert sorted(files) == ["bin", "bin/sh", "etc", "etc/passwd", "etc/ssl", "etc/ssl/certs",
                                 "etc/ssl/certs/ca-certificates.crt", "salvage", "tmp", "usr", "usr/share", "usr/share/doc",
                                 "usr/share/doc/salvage", "usr/share/doc/salvage/LICENSE",
                                 "usr/share/doc/salvage/LICENSES.md"]
        assert files["bin/sh"].issym() and files["bin/sh"].linkname == "/salvage"
        assert files["salvage"].mode & 0o7777 == 0o755 and files["tmp"].mode & 0o7777 == 0o1777
        assert all(m.uid == 0 and m.gid == 0 for m in files.values()), "nothing in it can be changed by its user"
        with open(os.environ["SALVAGE_STATIC_BIN"], "rb") as binary:
            assert layer.extractfile(files["salvage"]).read() == binary.read()
    assert archive.stat().st_size < 10 << 20


def test_it_is_the_same_each_time(archive, work):
    again = work / "again.oci.tar"
    subprocess.run([str(ROOT / "scripts" / "image"), "--binary", os.environ["SALVAGE_STATIC_BIN"], "--output",
                    str(again)], check=True, stdout=subprocess.DEVNULL)
    assert Image(again).manifest["layers"] == Image(archive).manifest["layers"]


@pytest.fixture(scope="module")
def root(image, session_folder):
    folder = session_folder / "image-root"
    with image.layer() as layer:
        layer.extractall(folder)
    return folder


def run(root, *command, options=(), env=None):
    argv = [*shlex.split(os.environ["SALVAGE_TEST_CONTAINER"]), "--rootfs", str(root), "--uid", "65532", "--host-net",
            *options]
    for item in (env or {}).items():
        argv += ["--env", "%s=%s" % item]
    return subprocess.run([*argv, "--", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, text=True)


def test_its_commands_run_in_a_container(root):
    assert "usage: salvage" in run(root, "/salvage", "help").stdout
    p = run(root, "/bin/sh", "-c", "salvage --version && for i in 1 2; do echo $i; done; exit 5")
    assert p.returncode == 5 and p.stdout.endswith("1\n2\n")


def test_it_watches_a_volume(root, work, dumps, s3, s3_endpoint):
    total = drop(dumps, "app.hprof")
    for path in (dumps, dumps / "app.hprof"):
        os.chown(path, 65532, 65532)
    p = run(root, "/salvage", "watch", "/dumps", "--once", options=["--volume", "%s:/dumps" % dumps],
            env={"SALVAGE_TO": s3.url, "SALVAGE_ENDPOINT": s3_endpoint, **s3.env})
    assert p.returncode == 0, p
    s3.check_one(total)
