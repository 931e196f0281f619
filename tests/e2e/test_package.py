# SPDX-License-Identifier: Apache-2.0
"""scripts/package: the archives and packages can be verified, unpacked and used."""
import json
import subprocess

import pytest

from helpers.program import ROOT, environment


@pytest.fixture(scope="module")
def package(session_folder):
    def make(folder):
        subprocess.run([ROOT / "scripts/package", folder], check=True, stdout=subprocess.DEVNULL)
        return folder

    return make(session_folder / "package"), make(session_folder / "package-again")


def run(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, env=environment("/")).stdout


def test_its_checksums_hold_and_are_those_of_the_next_time(package):
    one, other = package
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=one).count(": OK\n") == 4
    assert (one / "SHA256SUMS").read_text() == (other / "SHA256SUMS").read_text()


def test_both_are_whole(package, work):
    archive, = package[0].glob("*.tar.gz")
    debian, = package[0].glob("*.deb")
    subprocess.run(["tar", "-xf", archive, "-C", work, "--strip-components=1"], check=True)
    subprocess.run(["dpkg-deb", "-x", debian, work / "deb"], check=True)
    for root in (work, work / "deb/usr"):
        assert run(root / "bin/salvage", "--version").startswith("salvage ")
        assert "_salvage" in (root / "share/bash-completion/completions/salvage").read_text()
        assert (root / "share/man/man1/salvage.1.gz").is_file()
    assert run("dpkg-deb", "-f", debian, "Package") == "salvage\n"


def test_what_is_linked_in_is_named_by_the_bill_and_by_the_program(package, work):
    bill, = package[0].glob("*.spdx.json")
    named = {(one["name"], one["versionInfo"], one["externalRefs"][0]["referenceLocator"])
             for one in json.loads(bill.read_text())["packages"] if one["name"] != "salvage"}
    assert {"dash", "curl", "openssl", "c-ares", "libuv1", "libzstd", "zlib", "jansson", "expat", "xxhash", "sqlite3",
            "cjose", "libmicrohttpd", "libseccomp", "libyaml", "elfutils", "libiberty", "xz-utils", "glibc",
            "gcc-12"} == {name for name, _, _ in named}
    archive, = package[0].glob("*.tar.gz")
    subprocess.run(["tar", "-xf", archive, "-C", work, "--strip-components=1"], check=True)
    components = json.loads(run(work / "bin/salvage", "--version", "--json"))["components"]
    assert {(c["name"], c["version"], c["source"]) for c in components} == named
    assert {c["linked"] for c in components} == {"static"}
