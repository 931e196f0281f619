# SPDX-License-Identifier: Apache-2.0
"""scripts/deps: a library that is linked into the static program has Debian's security fixes, or the build fails. Two small
scripts stand in for apt; they offer one revision more than what is installed."""
import os
import subprocess

import pytest

from helpers.program import ROOT

APT_CACHE = """#!/bin/sh
shift
for package; do
    case $package in
    libssl-dev) installed=$(cat "$APT/installed") candidate=2 ;;
    *) installed=1 candidate=1 ;;
    esac
    printf '%s:\\n  Installed: %s\\n  Candidate: %s\\n' "$package" "$installed" "$candidate"
done
"""
APT_GET = """#!/bin/sh
echo "$*" >>"$APT/asked"
case $* in *--only-upgrade*libssl-dev*) [ ! -e "$APT/upgrades" ] || echo 2 >"$APT/installed" ;; esac
"""


@pytest.fixture
def deps(work):
    for name, text in (("apt-cache", APT_CACHE), ("apt-get", APT_GET)):
        (work / name).write_text(text)
        (work / name).chmod(0o755)
    for tree in ("dash-0.5.12", "curl-7.88.1", "libmicrohttpd-0.9.75"):
        (work / "sources" / tree).mkdir(parents=True)
    (work / "installed").write_text("1\n")
    (work / "asked").write_text("")

    def run():
        env = dict(os.environ, PATH="%s:%s" % (work, os.environ["PATH"]), APT=str(work), SALVAGE_SOURCES=str(work / "sources"))
        return subprocess.run([ROOT / "scripts/deps", "--static"], env=env, capture_output=True, text=True, timeout=60,
                              check=False)

    return run


def test_what_is_linked_in_is_upgraded(deps, work):
    (work / "upgrades").touch()
    done = deps()
    assert done.returncode == 0 and done.stderr == "deps: upgrading libssl-dev\n", done
    assert (work / "asked").read_text().count("--only-upgrade") == 1
    assert deps().stderr == "", "all is there"


def test_what_stays_older_than_debians_is_refused(deps):
    done = deps()
    assert done.returncode == 1 and done.stderr.endswith("would be linked in: libssl-dev\n"), done
