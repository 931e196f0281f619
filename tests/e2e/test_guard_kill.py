# SPDX-License-Identifier: Apache-2.0
"""salvage guard stores a record of each OOM kill, in the case that was made of the process before."""
import concurrent.futures
import contextlib
import json
import os
import time

import pytest

from helpers.containers import JAVA, Running, make_root
from helpers.eaters import POD
from helpers.hook import Hook
from helpers.kube_events import KubeEvents
from helpers.proc import require_root, wait_for
from helpers.program import GRACE
from helpers.supervised import MemoryCgroup

MB = 1 << 20
pytestmark = pytest.mark.serial


@pytest.fixture
def cgroup():
    require_root("makes a cgroup")
    made = MemoryCgroup(48 * MB)
    yield made
    made.close()


@pytest.fixture
def hook():
    one = Hook()
    yield one
    one.close()


@pytest.fixture
def api():
    one = KubeEvents()
    yield one
    one.close()


def records(store):
    return [(manifest, json.loads(store.check(key, manifest)), key) for key, manifest in store.manifests()
            if manifest["name"] == "oom-kill.json"]


def opened(pid):
    """What its descriptors are of."""
    found = set()
    for one in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):  # one that it has just closed
            found.add(os.readlink("/proc/%d/fd/%s" % (pid, one)))
    return found


def guard(salvage, folder, *args, **more):
    p = salvage.start("guard", *args, "--to", folder.url, "--log", "json", **more)
    p.wait("guarding")
    return p


def test_a_kill_is_recorded_in_the_case_of_its_evidence(salvage, folder, session_folder, work, java_classes):
    require_root("makes containers")
    root = make_root(session_folder / "guard-kill-root", java_classes)
    volume = work / "volume"
    volume.mkdir()
    volume.chmod(0o1777)
    app = Running(root, JAVA, "-Xmx64m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=4g", "-XX:HeapDumpPath=/data",
                  "-cp", "/app", "Leak", "60", options=["--memory", "192M", "--volume", "%s:/data" % volume])
    p = guard(salvage, folder, "--pid", app.pid, "--state", work / "state")
    app.process.stdin.write(b"\n")
    app.process.stdin.flush()
    assert app.process.wait(GRACE) == 137
    told = p.wait("oom-kill")
    assert p.end() == 0
    assert told["pid"] == app.pid and told["source"] == "kernel-log" and told["limit"] == "192.0 MiB", p.log
    (manifest, record, key), = records(folder)
    assert {os.path.dirname(k) for k, _ in folder.manifests()} == {os.path.dirname(key)}
    assert len(folder.manifests()) == 6
    assert manifest["kind"] == "oom-kill" and manifest["cause"] == "pressure"
    assert record["case"] == told["case"] and record["case"] in key
    assert record["process"]["pid"] == app.pid and record["process"]["name"] == "java"
    assert record["memory"]["limit"] == 192 * MB and record["stat"]["rss" if "rss" in record["stat"] else "anon"] > 99 * MB


def test_a_kill_without_a_case_is_recorded_all_the_same(salvage, folder, cgroup):
    """Of its own cgroup only: another's kill is not its business."""
    other = MemoryCgroup(16 * MB)
    p = guard(salvage, folder, "--cgroup", cgroup.folder, "--when", "memory>=4G")
    other.starve()
    other.close()
    pid = cgroup.starve()
    told = p.wait("oom-kill")
    p.wait("shipped")
    assert p.stop() == 0
    (manifest, record, key), = records(folder)
    assert told["pid"] == record["process"]["pid"] == pid and "case" not in record
    assert manifest["cause"] == "oom-kill" and "-oom-kill-" in key
    assert len(p.named("oom-kill")) == 1


def test_who_watches_the_cgroup_it_runs_in_is_told(salvage, folder, cgroup):
    """It could be the one that is killed."""
    p = guard(salvage, folder, "--cgroup", cgroup.folder, entry=cgroup.entry)
    assert p.wait("guard-inside")["target"] == p.named("guarding")[0]["target"]
    assert p.stop() == 0
    p = guard(salvage, folder, "--cgroup", cgroup.folder)
    assert p.stop() == 0 and not p.named("guard-inside")


def test_kills_only_takes_nothing_before_and_tells_who_was_killed(salvage, folder, cgroup, hook, api):
    """A crash loop is one notice at a webhook, and each kill counts at the pod's event."""
    p = guard(salvage, folder, "--cgroup", cgroup.folder, "--kills-only", "--notify", "json:" + hook.url, "--notify",
              "kubernetes:" + api.url, env={"POD_NAME": "cart-0", "POD_NAMESPACE": "shop", "POD_UID": POD})
    for n in 1, 2:
        cgroup.starve()
        p.wait("shipped", n)
        p.wait("notice-sent", n, target="kubernetes " + api.url[7:])
    first = hook.wait()["data"]
    assert first["cause"] == "oom-kill" and first["exit_code"] == 137 and first["pod"] == "cart-0"
    assert first["sentence"].startswith("The kernel killed ") and "memory limit of 48.0 MiB" in first["sentence"]
    event, = api.events.values()
    assert event["reason"] == "OOMKilled" and event["count"] == 2 and "Exit code 137." in event["message"]
    assert event["involvedObject"]["uid"] == POD
    assert len(hook.got) == 1
    assert p.stop() == 0
    assert len(hook.got) == 2  # what waited
    assert len(records(folder)) == 2 and len(folder.manifests()) == 2 and not p.named("guard-case")


def test_who_guards_all_records_all(salvage, folder, cgroup):
    """Also where nothing was watched when it happened; two kills of one cgroup are two records."""
    p = salvage.start("guard", "--all", "--rescan", "1h", "--when", "memory>=1000G", "--to", folder.url, "--log", "json")
    wait_for(lambda: "/dev/kmsg" in opened(p.pid), why="it does not read the kernel log")
    pids = {cgroup.starve(), cgroup.starve()}
    wait_for(lambda: {e["pid"] for e in p.named("oom-kill")} >= pids, why=lambda: p.log)
    wait_for(lambda: len(p.named("shipped")) >= len(p.named("oom-kill")), why=lambda: p.log)
    assert p.stop() == 0
    found = [record["process"]["pid"] for _, record, _ in records(folder)]
    assert sorted(pid for pid in found if pid in pids) == sorted(pids) # others may be killed on this machine, too


def test_without_the_kernel_log_the_counters_tell(salvage, folder, cgroup):
    """As in a container that has no /dev/kmsg."""
    p = guard(salvage, folder, "--cgroup", cgroup.folder, "--when", "memory>=4G",
              entry=["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /dev/kmsg && exec "$@"', "sh"])
    pid = cgroup.starve()
    told = p.wait("oom-kill")
    p.wait("shipped")
    assert p.stop() == 0
    (_, record, _), = records(folder)
    assert told["source"] == record["source"] == "counters" and "guess" in record["note"]
    assert record["why"] == "limit" and record["memory"]["limit"] == 48 * MB and record["stat"]
    assert record["process"] == {"pid": pid, "name": "python3"}
    assert record["cgroup"]["limit"] == "/" + str(cgroup.folder).split("/", 5 - cgroup.v2)[-1]


def test_a_kill_by_the_limit_of_its_parent_is_counted(salvage, folder, cgroup):
    """As a pod's: and its cgroup goes with the process."""
    inner = MemoryCgroup(64 * MB, cgroup)
    p = guard(salvage, folder, "--cgroup", inner.folder, "--when", "memory>=4G",
              entry=["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /dev/kmsg && exec "$@"', "sh"])
    time.sleep(0.5)
    inner.starve()
    inner.folder.rmdir()
    told = p.wait("oom-kill")
    assert p.end() == 0
    (_, record, _), = records(folder)
    assert told["why"] == record["why"] == "parent-limit" and record["memory"]["limit"] == 48 * MB


def test_many_that_end_together_are_all_counted(salvage, folder, cgroup):
    """Each is told of while the records of others are being started."""
    groups = [MemoryCgroup(24 * MB, cgroup) for _ in range(24)]
    p = guard(salvage, folder, *(arg for group in groups for arg in ("--cgroup", group.folder)), "--when", "memory>=4G",
              entry=["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /dev/kmsg && exec "$@"', "sh"])
    wait_for(lambda: len(p.named("guarding")) == len(groups))
    time.sleep(1)
    with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
        list(pool.map(lambda group: (group.starve(), group.folder.rmdir()), groups))
    assert p.end() == 0, p.log
    assert len(p.named("guard-left")) == len(groups)


def test_what_the_kernel_log_leaves_out_is_counted(salvage, folder, cgroup):
    """Beyond ten kills in five seconds it says one line of each; what it says nothing of would be counted."""
    p = guard(salvage, folder, "--cgroup", cgroup.folder, "--when", "memory>=4G")
    pids = {cgroup.starve() for _ in range(14)}
    wait_for(lambda: len([e for e in p.named("shipped") if "oom-kill" in e["key"]]) == 14, why=lambda: p.log)
    time.sleep(2)
    assert p.stop() == 0
    found = [record for _, record, _ in records(folder)]
    assert sorted(record["process"]["pid"] for record in found) == sorted(pids), p.log
    assert all(record["cgroup"] for record in found if "tasks" in record)
