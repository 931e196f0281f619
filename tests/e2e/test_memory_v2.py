# SPDX-License-Identifier: Apache-2.0
"""guard and guard --dry-run on a kernel with only cgroup v2: the sections of helpers/v2.sh run in parallel, each in a virtual
machine of its own, and each test reads one section's output. The machines may be emulated: no test compares times."""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parent / "helpers" / "v2.sh"
UNSHARE = pathlib.Path(__file__).parent / "native" / "unshare_cgroup.c"
MIB = 1 << 20


TIMER_WAS_LATE = "IO-APIC + timer doesn't work"  # how an emulated machine ends at its start where others have the CPU


def in_a_machine(script, unshare):
    for _ in range(3):
        ran = subprocess.run([*shlex.split(os.environ["SALVAGE_TEST_VM"]), os.environ["SALVAGE_STATIC_BIN"] + ":/salvage",
                              "%s:/unshare_cgroup" % unshare, "--", str(script)],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        if TIMER_WAS_LATE not in ran.stdout:
            break
    return ran


@pytest.fixture(scope="module")
def parts(session_folder):
    """The lines of JSON of each part, and other text in the key "text"."""
    unshare = session_folder / "unshare_cgroup"
    subprocess.run(["cc", "-O1", "-static", "-Wall", "-Werror", "-o", str(unshare), str(UNSHARE)], check=True)
    head, *sections = re.split(r"(?m)^# --- .*$", SCRIPT.read_text(encoding="utf-8"))
    scripts = [session_folder / ("v2-%d.sh" % n) for n in range(len(sections))]
    for script, section in zip(scripts, sections):
        script.write_text(head + section + "\npart end\nexit 0\n", encoding="utf-8")
    with concurrent.futures.ThreadPoolExecutor(len(scripts)) as pool:
        machines = list(pool.map(in_a_machine, scripts, [unshare] * len(scripts)))
    found, lines = {}, []
    for ran in machines:
        assert ran.returncode == 0 and "== end" in ran.stdout, ran.stdout[-4000:]
        for line in ran.stdout.splitlines():
            if line.startswith("== "):
                lines = found.setdefault(line[3:].strip(), [])
            elif line.startswith("{"):
                lines.append({"event": "object", **json.loads(line)})
            else:
                lines.append({"event": "text", "text": line})
    return found


def of(lines, event, **pairs):
    return [line for line in lines if line["event"] == event and
            all(line[key] == value for key, value in pairs.items())]


def samples(lines):
    return [line for line in lines if line.get("schema") == "salvage.guard-dry-run/1" and not line["gone"]]


def notices(lines):
    return {name for line in samples(lines) for name in line["notices"]}


def test_a_threshold_is_seen_by_polling(parts):
    first, *_ = lines = samples(parts["threshold"])
    assert (first["cgroup"], first["levels"], first["whole"], first["memory"]["limit"]) == (2, 2, True, 64 * MIB)
    assert first["kernel_notices"] == "v2.events psi"
    holds = [line["conditions"][0]["holds"] for line in lines]
    # near the threshold it changes more than once: each dd that writes the file has memory itself while it runs
    assert holds == [line["memory"]["own"] >= 20 * MIB for line in lines]
    assert True in holds and not holds[0] and not holds[-1]
    over = next(line for line in lines if line["conditions"][0]["holds"])
    assert over["memory"]["own"] >= 20 * MIB and over["answer"] == "trigger"
    assert any(line["memory"]["growth"] > MIB and line["memory"]["oom_in_ms"] for line in lines)


def test_a_limit_that_is_raised_is_shown(parts):
    limits = [line["memory"]["limit"] for line in samples(parts["threshold"])]
    assert sorted(set(limits)) == [64 * MIB, 128 * MIB] and limits == sorted(limits)


def test_a_kill_and_the_end_are_shown(parts):
    lines = parts["kill"]
    assert "v2.events" in notices(lines)
    assert {"max", "oom", "oom-kill"} <= {name for line in samples(lines) for name in line["events"]}
    assert sum("oom-kill" in line["events"] for line in samples(lines)) == 1
    assert [line["gone"] for line in lines if line.get("gone")] == [True]


def test_the_pods_limit_counts_where_it_is_nearer(parts):
    first, *_ = lines = samples(parts["nested"])
    assert first["levels"] == 2 and first["memory"]["limit"] == 12 * MIB
    for memory in (line["memory"] for line in lines):
        assert memory["level"] == 1 and memory["used"] >= 8 * MIB and memory["room"] <= 4 * MIB


def test_no_limit_is_none(parts):
    first, *_ = lines = samples(parts["unlimited"])
    assert first["whole"] is True
    for memory in (line["memory"] for line in lines):
        assert memory["limit"] is memory["room"] is memory["oom_in_ms"] is None


def test_the_root_is_none(parts):
    line, = parts["root"]
    assert "not a memory cgroup" in line["text"]


def test_memory_is_counted_where_the_controller_is(parts):
    first, *_ = samples(parts["without-controller"])
    assert first["cgroup"] == 2 and first["levels"] == 2


def test_stalls_are_noticed(parts):
    assert {"psi", "v2.events"} <= notices(parts["stalls"])
    lines = samples(parts["stalls"])
    assert any(line["conditions"][0]["holds"] for line in lines) and any("high" in line["events"] for line in lines)


def test_guard_takes_evidence_before_the_limit(parts):
    lines = parts["guard"]
    guarding, = of(lines, "guarding")
    assert guarding["cgroup"] == 2 and guarding["limit"] == "48.0 MiB"
    case, = of(lines, "guard-case")
    assert case["why"].startswith("memory>=50%: memory 5")
    assert of(lines, "guard-made")[0]["whole"] and of(lines, "shipped")
    assert any(line["text"].endswith("/stats.json.zst") for line in of(lines, "text"))


def test_guard_records_a_kill(parts):
    lines = parts["witness"]
    told, = of(lines, "oom-kill")
    record, = of(lines, "object")
    assert told["source"] == record["source"] == "kernel-log" and told["limit"] == "24.0 MiB"
    assert record["cgroup"]["limit"] == "/pod/w" and record["memory"]["limit"] == 24 * MIB
    assert record["process"]["name"] == "hog" and record["stat"]["anon"] > 20 * MIB


def test_guard_counts_a_kill_that_it_cannot_read_of(parts):
    lines = parts["counted"]
    told, = of(lines, "oom-kill")
    assert of(lines, "oom-unread") and told["source"] == "counters"
    assert told["why"] == "limit" and told["limit"] == "24.0 MiB" and of(lines, "shipped")


def test_guard_lends(parts):
    lines = parts["lend"]
    assert of(lines, "guard-limit-changed")[0]["raised"] == "64.0 MiB" and not of(lines, "guard-limit-not-changed")
    about, = [line for line in of(lines, "object") if line["schema"] == "salvage.guard-case/1"]
    assert [(s["cgroup"], s["file"], s["before"], s["after"]) for s in about["lend"]["settings"]] == [
        ("/sys/fs/cgroup/pod", "memory.max", str(60 * MIB), str(124 * MIB)),
        ("/sys/fs/cgroup/pod/y", "memory.high", str(46 * MIB), str(112 * MIB)),
        ("/sys/fs/cgroup/pod/y", "memory.max", str(48 * MIB), str(112 * MIB))]
    assert len(of(lines, "guard-restored")) == 3
    assert [line["text"] for line in of(lines, "text")][-3:] == [str(n * MIB) for n in (60, 46, 48)]


def test_guard_holds_until_the_deadline_and_then_the_kernel_kills(parts):
    lines = parts["hold"]
    held, after = [line["text"].split() for line in of(lines, "text") if line["text"][:5] in ("held:", "after")]
    assert 24 * MIB <= int(held[1]) < 48 * MIB and held[2:] == ["oom_kill", "0"]
    assert after[1:] == ["max", "oom_kill", "1"]
    assert of(lines, "guard-limit-changed")[0]["held_s"] == 6
    assert of(lines, "guard-restored")[0]["file"] == "memory.high" and not of(lines, "guard-made")


def cases(lines):
    """Which cgroups had one."""
    return [line["target"].rsplit("/", 1)[1] for line in of(lines, "guard-case")]


def test_guard_has_no_time_to_a_limit_that_is_none(parts):
    lines = parts["guard-unlimited"]
    assert of(lines, "guarding")[0]["limit"] == "none"
    case, = of(lines, "guard-case")
    assert case["why"].startswith("memory>=12M: ")


def test_guard_follows_limits_that_move(parts):
    assert cases(parts["guard-limits"]) == ["i"]


def test_guard_meets_the_pods_limit_in_time(parts):
    lines = parts["guard-nested"]
    assert of(lines, "guarding")[0]["limit"] == "32.0 MiB"
    assert cases(lines) == ["one"]
    assert "oom_kill 0" in [line["text"] for line in of(lines, "text")]


def test_guard_lets_go_of_what_vanishes(parts):
    lines = parts["guard-gone"]
    left, = of(lines, "guard-left")
    assert left["target"].endswith("/l") and cases(lines) == ["m"]


def test_guard_finds_a_limit_that_comes_later(parts):
    assert "77.0 MiB" in [line["limit"] for line in of(parts["guard-all"], "guarding")]


def test_guard_is_told_of_stalls(parts):
    assert [case["why"].split(":")[0] for case in of(parts["guard-stalls"], "guard-case")] == ["psi.some>=0.2%/500ms"]
    assert "signals" in of(parts["guard-stalls"], "guarding")[0]

def test_guard_in_a_cgroup_namespace_of_its_own_sees_the_other_containers(parts):
    """As on any Kubernetes of today: the paths of all others begin with /.. there."""
    lines = parts["guard-private"]
    guarding = [line for line in of(lines, "guarding") if line["limit"] == "24.0 MiB"]
    assert guarding and guarding[0]["container"] == "%064d" % 7, lines
    case, = of(lines, "guard-case")
    assert case["target"] == "shop/cart-1/000000000000" and case["why"].startswith("memory>=50%: ")
    assert of(lines, "guard-made")[0]["whole"] and of(lines, "shipped")


def test_so_does_one_that_is_given_a_process(parts):
    guarding, = of(parts["guard-private-pid"], "guarding")
    assert guarding["limit"] == "24.0 MiB" and guarding["cgroup"] == 2


def test_one_that_can_see_none_says_so_and_ends(parts):
    lines = [line["text"] for line in of(parts["guard-private-blind"], "text")]
    assert any("can be seen from here" in line and "/sys/fs/cgroup mounted" in line for line in lines), lines
    assert lines[-1].startswith("exit: ") and lines[-1] != "exit: 0"
