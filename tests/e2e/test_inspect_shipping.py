# SPDX-License-Identifier: Apache-2.0
"""--inspect: a heap dump is analysed beside its shipping, and nothing of that costs the shipping."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from helpers.program import BIN


def case_folder(folder, url):
    return folder.root / url[len(folder.url) + 1:].rsplit("/", 1)[0]


def same(found, wanted):
    return {**found, "name": 0} == {**wanted, "name": 0}


@pytest.mark.parametrize("temporary", [None, "."])
def test_a_shipped_dump_has_its_analysis_in_its_case(salvage, work, folder, real_dump, temporary):
    wanted = json.loads(salvage.ok("inspect", real_dump, "--json", "--threads").out)
    url = salvage.ok("ship", real_dump, "--keep", "--inspect", "--memory", "256M", "--to", folder.url,
                     env={"TMPDIR": temporary}).out.strip()
    case = case_folder(folder, url)
    assert same(json.loads((case / "analysis.json").read_text()), wanted)
    assert (case / "analysis.html").read_text().startswith("<!doctype html>")
    listed = salvage.ok("ls", folder.url).out
    assert listed.count(folder.url) == 1 and url in listed, listed


def test_a_watch_analyses_before_the_local_copy_goes(salvage, work, folder, real_dump):
    (work / "dumps").mkdir()
    watch = salvage.watch(work / "dumps", "--inspect", "--memory", "256M", "--to", folder.url)
    watch.wait("started")
    shutil.copy(real_dump, work / "tmp")
    os.rename(work / "tmp", work / "dumps/app.hprof")
    shipped = watch.wait("shipped")
    assert json.loads((case_folder(folder, shipped["url"]) / "analysis.json").read_text())["objects"] > 0
    assert not (work / "dumps/app.hprof").exists()
    assert watch.named("not-analysed") == [] and watch.stop() == 0


def test_without_it_nothing_is_analysed_and_a_broken_dump_is_shipped(salvage, work, folder, real_dump):
    url = salvage.ok("ship", real_dump, "--keep", "--to", folder.url).out.strip()
    assert not (case_folder(folder, url) / "analysis.json").exists()
    broken = work / "broken.hprof"
    broken.write_bytes(b"JAVA PROFILE 1.0.2\0" + b"\0" * 4 + b"\xff" * 100000)
    done = salvage.ok("ship", broken, "--inspect", "--to", folder.url)
    assert "not analysed" in done.err
    assert [p.name for p in case_folder(folder, done.out.strip()).iterdir() if p.name.startswith("analysis")] == []


def test_a_crash_of_the_analysis_costs_nothing_else(salvage, work, folder, real_dump):
    for number in range(50):
        dump = work / f"app{number}.hprof"
        shutil.copy(real_dump, dump)
        process = subprocess.Popen([BIN, "ship", dump, "--remove", "--inspect", "--memory", "256M", "--to", folder.url],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        killed = False
        while process.poll() is None and not killed:
            for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                try:
                    if "inspect-child" in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                        os.kill(int(pid), signal.SIGSEGV)
                        killed = True
                except OSError:
                    pass
        out, error = process.communicate()
        if b"signal 11" in error:
            break
    assert process.returncode == 0 and b"not analysed" in error and b"signal 11 (SEGV)" in error, error
    assert not dump.exists() and out.decode().strip() in salvage.ok("ls", folder.url).out
