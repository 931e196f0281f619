# SPDX-License-Identifier: Apache-2.0
"""salvage guard --lend and --hold on real containers and cgroups (v1; for v2 see test_memory_v2.py): the limits during a
case, after it, and after kill -9 of guard."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
import uuid

import pytest

from helpers import hprof
from helpers.containers import leaking, make_root
from helpers.proc import children, cmdline, family, require_root, wait_for
from helpers.program import BIN, GRACE, Background, environment

MIB = 1 << 20
MEMORY = pathlib.Path("/sys/fs/cgroup/memory")
LIMIT, BOTH, OOM = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control"
# A thread dump that a stopped JVM never gives: the case takes as long as that.
LONG = ["--when", "memory>=10%", "--do", "threads@60s"]
pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def root(session_folder, java_classes):
    require_root("makes containers")
    return make_root(session_folder / "lend-root", java_classes)


@pytest.fixture
def start(root, work):
    with leaking(root, work) as start:
        yield start


def fill_in(folder, mib):
    """A process there that takes so much memory, says so, and ends with its input."""
    program = "m = bytearray(b'x') * (%d << 20); print(); input()" % mib
    return subprocess.Popen(
        ["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec /usr/bin/python3 -c "$1"', str(folder), program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture
def cgroup():
    """One of our own, to be filled."""
    require_root("makes cgroups")
    folder = MEMORY / ("salvage-e2e-" + uuid.uuid4().hex[:8])
    folder.mkdir()
    processes = []

    def fill(mib, folder=folder):
        processes.append(fill_in(folder, mib))
        processes[-1].stdout.readline()
        return processes[-1]

    folder_of = type("Cgroup", (), {"path": folder, "fill": staticmethod(fill)})
    yield folder_of
    for p in processes:
        p.kill()
        p.communicate()
    wait_for(lambda: not (folder / "cgroup.procs").read_text())
    folder.rmdir()


def of(pid):
    """Of a process."""
    for line in pathlib.Path("/proc/%d/cgroup" % pid).read_text().splitlines():
        if line.split(":")[1] == "memory":
            return pathlib.Path(str(MEMORY) + line.split(":", 2)[2])
    raise AssertionError("cgroup v1 is not mounted")


def number(folder, name):
    return int((folder / name).read_text().split()[-1 if name != OOM else 1])


def guard(salvage, work, folder, *args, state="state"):
    p = salvage.start("guard", *args, "--to", folder.url, "--state", work / state, "--log", "json")
    p.wait("guarding")
    return p


def journals(work):
    return sorted((work / "state" / "overrides").glob("override-*"))


def keepers(pid):
    return [child for child in children(pid) if b"guard-restore" in cmdline(child)]


def about(store):
    """guard.json of the only case, and all of it by name."""
    found = {manifest["name"]: store.check(key, manifest) for key, manifest in store.manifests()}
    return json.loads(found["guard.json"]), found


def leak(container):
    container.process.stdin.write(b"\n")
    container.process.stdin.flush()


# --- lending ----------------------------------------------------------------------------------------------------------


def test_a_quick_leak_leaves_its_whole_dump_with_a_lend(salvage, folder, work, start):
    app = start("100")
    p = guard(salvage, work, folder, "--pid", app.pid, "--when", "memory>=80%", "--lend", "256M")
    leak(app)
    assert app.process.wait(GRACE) == 137
    assert p.wait("guard-made")["whole"], p.log
    assert p.end() == 0 and not p.named("guard-limit-not-changed")
    lent = p.named("guard-limit-changed")[0]
    assert lent["raised"] == "256.0 MiB" and lent["settings"] == 2
    said, found = about(folder)
    assert said["schema"] == "salvage.guard-case/1" and said["pid"] == app.pid and "memory>=80%" in said["why"]
    assert said["limit"] == 192 * MIB and said["used"] >= 150 * MIB and said["hold"] is None
    assert said["lend"]["bytes"] == said["lend"]["asked"] == 256 * MIB and said["lend"]["error"] is None
    assert [(s["file"], s["before"], s["after"]) for s in said["lend"]["settings"]] == [
        (BOTH, str(192 * MIB), str(448 * MIB)), (LIMIT, str(192 * MIB), str(448 * MIB))]
    dump, = [data for name, data in found.items() if name.endswith(".hprof")]
    assert hprof.problem(dump) is None
    assert len(p.named("guard-restored")) == 2 and journals(work) == []


def test_the_limit_is_back_when_the_case_has_ended(salvage, folder, work, start):
    app = start("0")
    place = of(app.pid)
    p = guard(salvage, work, folder, "--pid", app.pid, "--when", "memory>=10%", "--lend", "256M")
    p.wait("guard-limit-changed")
    assert (number(place, LIMIT), number(place, BOTH)) == (448 * MIB, 448 * MIB)
    assert p.wait("guard-made")["whole"], p.log
    p.wait("guard-restored", count=2)
    assert (number(place, LIMIT), number(place, BOTH)) == (192 * MIB, 192 * MIB)
    wait_for(lambda: not keepers(p.pid))
    assert journals(work) == [] and p.stop() == 0


def test_no_more_is_lent_than_the_machine_has(salvage, folder, work, start):
    app = start("0")
    place = of(app.pid)
    p = guard(salvage, work, folder, "--pid", app.pid, "--when", "memory>=10%", "--do", "stats", "--lend", "1000T")
    p.wait("guard-made")
    assert "the machine can't spare more" in p.named("guard-limit-not-changed")[0]["lend"]
    said, _ = about(folder)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < said["lend"]["bytes"] < total * 95 // 100 and "can't spare more" in said["lend"]["error"]
    assert said["lend"]["settings"][-1]["after"] == str(192 * MIB + said["lend"]["bytes"])
    p.wait("guard-restored", count=2)
    assert number(place, LIMIT) == 192 * MIB
    assert p.stop() == 0


def test_a_parents_limit_is_raised_too(salvage, folder, work, cgroup):
    (cgroup.path / LIMIT).write_text("100M")
    inner = cgroup.path / "inner"
    inner.mkdir()
    (inner / LIMIT).write_text("90M")
    p = cgroup.fill(40, inner)
    try:
        g = guard(salvage, work, folder, "--cgroup", inner, "--when", "memory>=5M", "--do", "stats", "--lend", "80M")
        g.wait("guard-made")
        said, _ = about(folder)
        assert [(pathlib.Path(s["cgroup"]), s["before"], s["after"]) for s in said["lend"]["settings"]] == [
            (cgroup.path, str(100 * MIB), str(180 * MIB)), (inner, str(90 * MIB), str(170 * MIB))]
        g.wait("guard-restored", count=2)
        assert (number(cgroup.path, LIMIT), number(inner, LIMIT)) == (100 * MIB, 90 * MIB)
        assert g.stop() == 0
    finally:
        p.kill()
        p.wait()
        wait_for(lambda: not (inner / "cgroup.procs").read_text())
        inner.rmdir()


def test_where_the_cgroup_is_read_only_the_case_is_made_without(salvage, folder, work, start):
    app = start("0")
    argv = ["unshare", "-m", "sh", "-c", 'mount -o remount,bind,ro /sys/fs/cgroup/memory && exec "$0" "$@"', BIN,
            "guard", "--pid", str(app.pid), "--when", "memory>=10%", "--do", "stats", "--lend", "64M", "--hold",
            "--to", folder.url, "--state", str(work / "state"), "--log", "json"]
    p = Background(argv, environment(work), work, None)
    salvage.watches.append(p)
    assert p.wait("guard-made")["whole"], p.log
    refused, = p.named("guard-limit-not-changed")
    assert "read-only" in refused["lend"] and "read-only" in refused["hold"]
    said, found = about(folder)
    assert "read-only" in said["lend"]["error"] and said["lend"]["settings"] == [] and "stats.json" in found
    assert p.stop() == 0 and journals(work) == []


# --- whoever dies -----------------------------------------------------------------------------------------------------


@pytest.fixture
def lent(salvage, folder, work, start):
    """A guard in the middle of a lend, to a JVM that stands still."""
    app = start("0")
    os.kill(app.pid, signal.SIGSTOP)
    p = guard(salvage, work, folder, "--pid", app.pid, *LONG, "--lend", "256M", "--hold", "--hold-deadline", "50s")
    p.wait("guard-limit-changed")
    p.place = of(app.pid)
    assert number(p.place, LIMIT) == 448 * MIB and number(p.place, OOM) == 1
    assert len(journals(work)) == 1
    p.others = children(p.pid)
    yield p
    for pid in p.others:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def test_a_hold_ends_though_its_deadline_is_over_at_once(salvage, folder, work, start):
    """Its keeper may look before there is anything to put back."""
    app = start("0")
    os.kill(app.pid, signal.SIGSTOP)
    for i in range(5):
        p = guard(salvage, work, folder, "--pid", app.pid, *LONG, "--hold", "--hold-deadline", "%dms" % (i + 1),
                  state="state-%d" % i)  # a restart keeps cool-downs
        p.wait("guard-limit-changed")
        wait_for(lambda: number(of(app.pid), OOM) == 0)
        others = children(p.pid)
        p.kill()
        for pid in others:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        assert number(of(app.pid), OOM) == 0


def is_back(place):
    return number(place, LIMIT) == number(place, BOTH) == 192 * MIB and number(place, OOM) == 0


def test_our_own_kill_9_puts_it_back_at_once(lent, work):
    os.kill(lent.pid, signal.SIGKILL)
    wait_for(lambda: is_back(lent.place), timeout=5)
    wait_for(lambda: not journals(work), timeout=5)


def test_when_all_of_us_are_killed_the_next_start_puts_it_back(salvage, folder, work, lent):
    keeper, = wait_for(lambda: keepers(lent.pid))
    os.kill(keeper, signal.SIGSTOP)
    os.kill(lent.pid, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: not pathlib.Path("/proc/%d" % keeper).exists() or b"guard-restore" not in cmdline(keeper))
    time.sleep(0.2)
    assert number(lent.place, LIMIT) == 448 * MIB and number(lent.place, OOM) == 1 and len(journals(work)) == 1
    p = salvage.start("guard", "--cgroup", MEMORY, "--when", "memory>=99%", "--to", folder.url, "--state",
                      work / "state", "--log", "json")
    p.wait("guarding")
    assert is_back(lent.place) and journals(work) == []  # before it watches
    assert len(p.named("guard-restored")) == 3
    assert p.stop() == 0


def test_a_keeper_that_is_killed_is_made_up_for(lent, work):
    keeper, = wait_for(lambda: keepers(lent.pid))
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: is_back(lent.place), timeout=5)
    wait_for(lambda: not journals(work), timeout=5)


def test_another_guards_lend_is_left_to_it(salvage, folder, work, lent):
    p = guard(salvage, work, folder, "--cgroup", MEMORY, "--when", "memory>=99%")
    assert number(lent.place, LIMIT) == 448 * MIB and len(journals(work)) == 1 and not p.named("guard-restored")
    assert p.stop() == 0


def test_a_sigterm_puts_it_back(lent, work):
    lent.process.terminate()
    lent.wait("stopping")
    case, = wait_for(lambda: [pid for pid in children(lent.pid) if b"guard-case" in cmdline(pid)])
    os.kill(case, signal.SIGKILL)  # it would be waited for
    assert lent.end() == 0
    assert is_back(lent.place) and journals(work) == []


# --- journals ---------------------------------------------------------------------------------------------------------


def write_journal(work, folder, **changed):
    st = folder.stat()
    setting = {"cgroup": str(folder), "device": st.st_dev, "inode": st.st_ino, "file": LIMIT, "before": str(64 * MIB),
               "after": str(256 * MIB), "step": "", "hold": False}
    boot = changed.pop("boot", pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    setting.update(changed)
    overrides = work / "state" / "overrides"
    overrides.mkdir(parents=True)
    (overrides / "override-0123456789abcdef.json").write_text(json.dumps(
        {"schema": "salvage.limit-override/1", "boot": boot, "target": "x", "hold_until_ms": 0, "settings": [setting]}))


@pytest.mark.parametrize("changed", [{"boot": "01234567-89ab-cdef-0123-456789abcdef"}, {"inode": 4711},
                                     {"after": str(255 * MIB)}, {"cgroup": "/tmp"}],
                         ids=["another boot", "another cgroup", "another value", "no cgroup"])
def test_a_journal_of_something_else_is_left_alone(salvage, folder, work, cgroup, changed):
    (cgroup.path / LIMIT).write_text(str(256 * MIB))
    write_journal(work, cgroup.path, **changed)
    p = guard(salvage, work, folder, "--cgroup", cgroup.path)
    assert number(cgroup.path, LIMIT) == 256 * MIB and journals(work) == []
    assert len(p.named("guard-not-restored") + p.named("guard-restored")) == 1
    assert p.stop() == 0


def test_what_is_no_journal_is_told_and_kept(salvage, folder, work, cgroup):
    write_journal(work, cgroup.path, file="cgroup.procs")
    p = guard(salvage, work, folder, "--cgroup", cgroup.path)
    told, = p.named("guard-not-restored")
    assert "not a valid journal" in told["error"] and len(journals(work)) == 1
    assert p.stop() == 0


def test_what_is_in_use_is_not_taken_but_no_more_is_borrowed(salvage, folder, work, cgroup):
    (cgroup.path / LIMIT).write_text(str(256 * MIB))
    hog = cgroup.fill(100)
    write_journal(work, cgroup.path)
    p = guard(salvage, work, folder, "--cgroup", cgroup.path, "--when", "event:oom")
    waits = p.wait("guard-not-restored")
    assert "more is in use" in waits["error"]
    assert 100 * MIB <= number(cgroup.path, LIMIT) < 120 * MIB and len(journals(work)) == 1
    hog.communicate(b"\n")
    p.wait("guard-restored")
    assert number(cgroup.path, LIMIT) == 64 * MIB
    wait_for(lambda: not journals(work))
    assert p.stop() == 0


def test_a_state_folder_that_others_write_to_is_refused(salvage, folder, work):
    (work / "state" / "overrides").mkdir(parents=True)
    (work / "state" / "overrides").chmod(0o777)
    result = salvage.run("guard", "--pid", os.getpid(), "--lend", "1M", "--to", folder.url, "--state", work / "state")
    assert result.code != 0 and "others could write to it" in result.message


# --- holding ----------------------------------------------------------------------------------------------------------


def test_a_hold_ends_at_its_deadline_and_then_the_kernel_kills(salvage, folder, work, start):
    """A process that wants more than there is, in the cgroup of a JVM whose case takes longer than that."""
    app = start("0")
    os.kill(app.pid, signal.SIGSTOP)
    place = of(app.pid)
    p = guard(salvage, work, folder, "--pid", app.pid, "--when", "memory>=10%", "--do", "stats,threads@10s", "--hold",
              "--hold-deadline", "3s")
    p.wait("guard-limit-changed")
    began = time.monotonic()
    hog = fill_in(place, 300)
    wait_for(lambda: "under_oom 1" in (place / OOM).read_text(), timeout=3)
    assert number(place, OOM) == 1 and hog.poll() is None
    assert hog.wait(GRACE) == -signal.SIGKILL
    assert 2.5 < time.monotonic() - began < 5
    assert p.wait("guard-restored")["file"] == OOM and not p.named("guard-made")
    assert number(place, OOM) == 0
    os.kill(app.pid, signal.SIGCONT)
    assert p.wait("guard-made")["whole"], p.log
    said, _ = about(folder)
    assert said["hold"]["deadline_ms"] == 3000 and said["lend"] is None
    assert [(s["file"], s["before"], s["after"]) for s in said["hold"]["settings"]] == [(OOM, "0", "1")]
    assert p.stop() == 0


def test_a_hog_that_is_held_leaves_its_core(salvage, folder, work, root):
    p = subprocess.Popen([*os.environ["SALVAGE_TEST_CONTAINER"].split(), "--rootfs", str(root), "--memory", "96M", "--",
                          "/hog", "300", "15"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pid = wait_for(lambda: [one for one in family(p.pid) if cmdline(one).startswith(b"/hog")], why="no hog")[0]
    g = guard(salvage, work, folder, "--pid", pid, "--when", "memory>=60%", "--do", "stats,core", "--hold")
    said = p.communicate(timeout=60)[1]
    assert b"exit=137 oom_kill=1" in said
    assert g.wait("guard-made")["whole"], g.log
    assert g.end() == 0
    said, found = about(folder)
    assert said["hold"]["error"] is None and said["hold"]["settings"]
    assert any(name.startswith("core") and data[:4] == b"\x7fELF" for name, data in found.items())


def test_bad_input_gets_one_line(salvage, folder):
    for args, said in ((["--lend", "much"], "--lend"), (["--hold", "--hold-deadline", "0"], "--hold-deadline")):
        result = salvage.run("guard", "--pid", "1", *args, "--to", folder.url)
        assert result.code == 2 and said in result.message
