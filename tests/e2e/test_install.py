# SPDX-License-Identifier: Apache-2.0
"""salvage install: a copy of the program, for a container that has none."""
import filecmp
import subprocess

import pytest

from helpers.program import BIN, NOBODY, environment


@pytest.mark.parametrize("to, found", [("tools", "tools/salvage"), ("tools/other", "tools/other")])
def test_it_lies_where_it_was_wanted_and_runs(salvage, work, to, found):
    (work / "tools").mkdir()
    assert salvage.ok("install", work / to).out == ""
    assert filecmp.cmp(BIN, work / found, shallow=False)
    assert (work / found).stat().st_mode & 0o7777 == 0o755
    out = subprocess.run([work / found, "--version"], env=environment("/"), stdout=subprocess.PIPE, check=True).stdout
    assert out.startswith(b"salvage ")
    assert len(list((work / "tools").iterdir())) == 1


def test_it_takes_the_place_of_one_that_runs_and_of_one_that_was_never_finished(salvage, work):
    salvage.ok("install", work)
    (work / ".salvage.part").write_text("half")
    running = subprocess.Popen([work / "salvage", "sleep", "60"], env=environment("/"))
    try:
        salvage.ok("install", work)
    finally:
        running.kill()
        running.wait()
    assert filecmp.cmp(BIN, work / "salvage", shallow=False) and not (work / ".salvage.part").exists()


def test_where_it_cannot_be_put_is_told_and_nothing_is_left(salvage, work, mount_tmpfs):
    small = mount_tmpfs(work / "small", "64k")
    result = salvage.run("install", small)
    assert result.code != 0 and "No space left" in result.message and list(small.iterdir()) == []
    result = salvage.run("install", work / "nowhere" / "salvage")
    assert result.code != 0 and "No such file" in result.message
    result = salvage.run("install", work, uid=NOBODY)
    assert result.code != 0 and "Permission denied" in result.message
    assert salvage.run("install").code == 2
