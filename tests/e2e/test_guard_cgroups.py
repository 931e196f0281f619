# SPDX-License-Identifier: Apache-2.0
"""salvage guard and cgroups that change while they are watched: limits that are changed, set or missing, cgroups that are
removed, restarted, nested, or made by the hundred. Real cgroups, with a process that takes as much memory as the test says."""
import json
import os
import subprocess
import time

import pytest

from helpers.eaters import MIB, Pod, of, removed, told
from helpers.proc import require_root, status, wait_for
from helpers.supervised import MemoryCgroup

pytestmark = pytest.mark.serial


def guard(salvage, folder, *args):
    return salvage.start("guard", *args, "--to", folder.url, "--do", "stats", "--log", "json")


def test_without_a_limit_there_is_no_time_to_it_but_a_size(salvage, folder, groups, eat):
    group = groups(-1)
    eater = eat(*group.entry)
    p = guard(salvage, folder, "--cgroup", group.folder, "--when", "oom-in<=1h", "--when", "memory>=90%", "--when",
              "memory>=64M")
    assert told(p, "guarding", group.folder)["limit"] == "none"
    for _ in range(6):
        eater.take(4)
        time.sleep(0.2)
    time.sleep(1)
    assert not p.named("guard-case"), p.log
    eater.take(40)
    assert told(p, "guard-case", group.folder)["why"].startswith("memory>=64M: ")
    wait_for(lambda: p.named("guard-made"))
    assert p.stop() == 0


def test_a_limit_that_moves_is_the_new_one(salvage, folder, groups, eat):
    """The one that is lowered passes by the kernel's notices, which stand where half of the old one was."""
    lowered, raised = groups(1024 * MIB), groups(64 * MIB)
    in_lowered, in_raised = eat(*lowered.entry), eat(*raised.entry)
    p = guard(salvage, folder, "--cgroup", lowered.folder, "--cgroup", raised.folder, "--when", "memory>=80%")
    told(p, "guarding", raised.folder)
    in_lowered.take(64)
    time.sleep(1)
    began = time.monotonic()
    lowered.set_limit(80 * MIB)
    raised.set_limit(512 * MIB)
    told(p, "guard-case", lowered.folder)
    print("a lowered limit was met after %.1f s" % (time.monotonic() - began))
    time.sleep(max(0, began + 6 - time.monotonic()))
    in_raised.take(50)
    in_raised.take(20)
    time.sleep(1)
    assert not of(p, "guard-case", raised.folder), p.log
    in_raised.take(350)
    told(p, "guard-case", raised.folder)
    wait_for(lambda: len(p.named("guard-made")) == 2)
    assert p.stop() == 0


def test_the_parents_limit_is_met_in_time(salvage, folder, groups, eat):
    """Half of what the pod may use is its other container's."""
    pod = groups(128 * MIB)
    one, other = groups(512 * MIB, pod), groups(512 * MIB, pod)
    in_one, in_other = eat(*one.entry), eat(*other.entry)
    in_other.take(60)
    p = guard(salvage, folder, "--cgroup", one.folder, "--when", "memory>=80%")
    assert told(p, "guarding", one.folder)["limit"] == "128.0 MiB"
    for _ in range(20):
        if not in_one.take(2) or p.named("guard-case"):
            break
        time.sleep(0.05)
    told(p, "guard-case", one.folder)
    assert pod.oom_kills == 0 and in_one.process.poll() is None
    wait_for(lambda: p.named("guard-made"))
    assert p.stop() == 0


def test_a_cgroup_that_vanishes_is_let_go_and_others_stay(salvage, folder, groups, eat):
    gone, stays = groups(64 * MIB), groups(64 * MIB)
    eater = eat(*stays.entry)
    p = guard(salvage, folder, "--cgroup", gone.folder, "--cgroup", stays.folder, "--when", "memory>=80%")
    told(p, "guarding", stays.folder)
    gone.close()
    told(p, "guard-left", gone.folder)
    eater.take(48)
    told(p, "guard-case", stays.folder)
    wait_for(lambda: p.named("guard-made"))
    eater.close()
    stays.close()
    assert p.end() == 0, "nothing is left to watch"


def test_a_limit_that_comes_later_is_found(salvage, folder, groups, eat):
    """All are asked again at every twelfth look."""
    group = groups(-1)
    p = guard(salvage, folder, "--all", "--rescan", "100ms", "--when", "memory>=80%")
    before = len(p.named("guarding"))
    pid = eat(*group.entry).process.pid
    time.sleep(1)
    assert not of(p, "guarding", "process %d" % pid), p.log
    group.set_limit(77 * MIB)
    assert told(p, "guarding", "process %d" % pid)["limit"] == "77.0 MiB"
    assert len(p.named("guarding")) >= before + 1
    assert p.stop() == 0


def test_a_container_that_restarts_keeps_its_rest_and_others_have_their_own(salvage, folder, groups, eat, work):
    pod = Pod(groups(-1), work)
    p = guard(salvage, folder, "--all", "--rescan", "100ms", "--when", "memory>=60%", "--cooldown", "1h")
    first, entry = pod.enter("app")
    eater = eat(*entry)
    told(p, "guarding", first)
    eater.take(45)
    told(p, "guard-case", first)
    wait_for(lambda: of(p, "guard-made", first))
    eater.close()
    wait_for(lambda: removed(pod.folder / pod.ids[0]))
    told(p, "guard-left", first)
    second, entry = pod.enter("app")
    eater = eat(*entry)
    told(p, "guarding", second)
    eater.take(45)
    assert "the cool-down after the last case" in told(p, "guard-waits", second)["why"]
    other, entry = pod.enter("side-car")
    beside = eat(*entry)
    told(p, "guarding", other)
    beside.take(45)
    told(p, "guard-case", other)
    wait_for(lambda: of(p, "guard-made", other))
    assert not of(p, "guard-case", second), p.log
    assert p.stop() == 0
    eater.close()
    beside.close()
    pod.remove()


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def test_hundreds_that_come_and_go_leave_nothing(salvage, folder, groups):
    above = groups(-1)
    p = guard(salvage, folder, "--all", "--rescan", "100ms", "--when", "memory>=90%")
    time.sleep(1)
    before = descriptors(p.pid)
    for _ in range(6):
        some = [MemoryCgroup(50 * MIB, above) for _ in range(50)]
        inside = [subprocess.Popen([*group.entry, "sleep", "60"]) for group in some]
        time.sleep(0.5)
        for one in inside:
            one.kill()
            one.wait()
        for group in some:
            wait_for(lambda group=group: removed(group.folder))
    mine = {e["target"] for e in p.named("guarding") if e["limit"] == "50.0 MiB"}
    assert len(mine) > 50, p.log
    wait_for(lambda: all(len(of(p, "guard-left", target)) == len(of(p, "guarding", target)) for target in mine), 60,
             why=lambda: p.log)
    wait_for(lambda: descriptors(p.pid) <= before + 2, 30, why=lambda: descriptors(p.pid))
    print("%d of 300 were guarded; then %d descriptors, %.1f MiB" % (
        len(mine), descriptors(p.pid), status(p.pid)["VmRSS"] / MIB))
    assert p.stop() == 0


USER = 64011  # has no process but ours


def test_a_case_without_a_process_to_make_it_is_begun_when_there_is_one(salvage, folder, work):
    """The limit of our own processes: said, and the long rest after a case does not begin."""
    require_root("sets limits")
    os.chmod(work, 0o777)
    own = ["setpriv", "--reuid=%d" % USER, "--regid=%d" % USER, "--clear-groups"]
    sleeper = subprocess.Popen([*own, "sleep", "60"])
    try:
        p = salvage.start("guard", "--pid", str(sleeper.pid), "--when", "memory>=4K", "--to", folder.url, "--do", "stats",
                          "--state", str(work / "state"), "--log", "json", entry=[*own, "prlimit", "--nproc=1:60"])
        missed = p.wait("guard-missed")
        assert "no process can be started" in missed["error"], missed
        assert not p.named("guard-case"), p.log
        subprocess.run([*own, "prlimit", "--pid", str(p.process.pid), "--nproc=60:60"], check=True)
        p.wait("guard-case")
        p.stop()
    finally:
        sleeper.kill()
        sleeper.wait()


def test_what_the_cgroup_says_is_kept_though_its_processes_end_at_once(salvage, folder, groups, eat):
    """The process that was chosen has ended by the time of its case, and there is no other."""
    group = groups(64 * MIB)
    eater = eat(*group.entry)
    p = guard(salvage, folder, "--cgroup", group.folder, "--when", "memory>=70%")
    told(p, "guarding", group.folder)
    subprocess.run([*group.entry, "sh", "-c", "kill -9 %d; head -c 52m /dev/zero > /dev/shm/salvage-fill" %
                    eater.process.pid], check=True)
    try:
        wait_for(lambda: p.named("guard-made"), why=lambda: p.log)
        assert p.named("guard-made")[0]["whole"], p.log
        stats, = [json.loads(folder.check(key, m)) for key, m in folder.manifests() if m["name"] == "stats.json"]
        assert stats["cgroup"]["usage"] >= 40 * MIB, stats
    finally:
        os.unlink("/dev/shm/salvage-fill")
    assert p.stop() == 0


def test_with_few_descriptors_some_cgroups_are_watched_and_the_others_named(salvage, folder, groups, eat):
    """What a case needs is left."""
    mine = [groups(64 * MIB) for _ in range(8)]
    eaters = {eat(*group.entry).process.pid for group in mine}
    p = salvage.start("guard", "--all", "--rescan", "1s", "--to", folder.url, "--do", "stats", "--log", "json",
                      entry=["prlimit", "--nofile=60:60"])
    wait_for(lambda: p.named("guard-unwatched"), why=lambda: p.log)
    time.sleep(2)
    assert p.named("guarding"), p.log
    assert len(os.listdir("/proc/%d/fd" % p.pid)) <= 60 - 16
    unwatched = [e["pid"] for e in p.named("guard-unwatched")]
    assert len(unwatched) == len(set(unwatched)) and set(unwatched) & eaters, p.log
    assert p.stop() == 0
