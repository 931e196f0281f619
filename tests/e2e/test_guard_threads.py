# SPDX-License-Identifier: Apache-2.0
"""A cgroup that runs out of threads: HotSpot makes no dump and runs no command then, so guard acts below pids.max."""
import json
import pathlib
import subprocess
import uuid

import pytest

from helpers import jvm
from helpers.proc import require_root, wait_for
from helpers.program import environment
from helpers.supervised import MemoryCgroup

LIMIT = 160


def own_path(controller):
    for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return None


@pytest.fixture
def pids_cgroup():
    """A pids cgroup of v1 with a limit (on v2 there is one hierarchy: tests of guard in a machine with v2)."""
    require_root("makes a cgroup")
    path, root = own_path("pids"), pathlib.Path("/sys/fs/cgroup/pids")
    if path is None or not root.is_dir():
        pytest.skip("no pids controller of cgroup v1 here")
    folder = root / path / ("salvage-e2e-" + uuid.uuid4().hex[:12])
    folder.mkdir()
    (folder / "pids.max").write_text(str(LIMIT), encoding="ascii")
    yield folder
    wait_for(lambda: not (folder / "cgroup.procs").read_text(encoding="ascii"), 20, "the cgroup is in use")
    folder.rmdir()


@pytest.fixture
def memory_cgroup():
    group = MemoryCgroup("512M")
    yield group
    group.close()


def test_threads_are_taken_before_they_run_out(salvage, folder, java_classes, pids_cgroup, memory_cgroup, work):
    command = [*memory_cgroup.entry, "sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(pids_cgroup),
               jvm.JDK_17 + "/bin/java", "-Xmx32m", "-XX:TieredStopAtLevel=1", "-Dpause=30", "-cp", str(java_classes),
               "OomKind", "threads"]
    with subprocess.Popen(command, cwd=str(work), env=environment(salvage.home), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as app:
        try:
            guard = salvage.start("guard", "--pid", str(app.pid), "--when", "threads>=70%", "--do", "stats,threads",
                                  *folder.options(), "--log", "json")
            made = guard.wait("guard-made", timeout=60)
            assert made["whole"] and ", threads 7" in guard.named("guard-case")[0]["why"], guard.log
            out = app.communicate(timeout=60)[0].decode()
            assert "unable to create native thread" in out and "caught" in out and app.returncode == 0
            assert guard.stop() == 0
        finally:
            app.kill()
    evidence = {m["name"]: folder.check(key, m) for key, m in folder.manifests()}
    assert set(evidence) == {"stats.json", "threads.txt", "guard.json"}
    assert ", threads 7" in json.loads(evidence["guard.json"])["why"]
    assert evidence["threads.txt"].count(b"OomKind") > LIMIT // 3
