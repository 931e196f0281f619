# SPDX-License-Identifier: Apache-2.0
"""salvage guard that is killed and started again: with --state, cool-downs and caps go on. And the names of pods in its log."""
import time

import pytest

from helpers.eaters import MIB, Pod, of, told
from helpers.proc import wait_for

pytestmark = pytest.mark.serial


def guard(salvage, folder, work, *args, state="state"):
    return salvage.start("guard", *args, "--to", folder.url, "--do", "stats", "--state", work / state, "--log", "json")


def kill(p):
    """As a node's own OOM does."""
    p.process.kill()
    p.process.wait()


def cases(folder):
    return len([m for _, m in folder.manifests() if m["name"] == "stats.json"])


def test_kill_9_and_a_restart_make_no_second_case_within_the_rest(salvage, folder, groups, eat, work):
    first, other = groups(80 * MIB), groups(80 * MIB)
    full, beside = eat(*first.entry), eat(*other.entry)
    args = ["--cgroup", first.folder, "--cgroup", other.folder, "--when", "memory>=60%", "--cooldown", "8s"]
    p = guard(salvage, folder, work, *args)
    told(p, "guarding", other.folder)
    full.take(50)
    wait_for(lambda: of(p, "guard-made", first.folder), why=lambda: p.log)
    made = time.monotonic()
    kill(p)

    p = guard(salvage, folder, work, *args)
    assert "the cool-down after the last case" in told(p, "guard-waits", first.folder)["why"]
    beside.take(50)
    wait_for(lambda: of(p, "guard-made", other.folder), why=lambda: p.log)
    assert cases(folder) == 2 and not of(p, "guard-case", first.folder), "the other one has its own"
    wait_for(lambda: of(p, "guard-made", first.folder), timeout=20, why=lambda: p.log)
    assert time.monotonic() - made >= 7, "after its rest it may have another"
    assert p.stop() == 0


def test_one_that_is_killed_while_a_case_is_made_remembers_it(salvage, folder, groups, eat, work):
    group = groups(80 * MIB)
    full = eat(*group.entry)
    args = ["--cgroup", group.folder, "--when", "memory>=60%", "--cooldown", "1h", "--do", "exec:sleep 1"]
    p = guard(salvage, folder, work, *args)
    told(p, "guarding", group.folder)
    full.take(50)
    told(p, "guard-case", group.folder)
    kill(p)
    p = guard(salvage, folder, work, *args)
    told(p, "guard-waits", group.folder)
    assert not p.named("guard-case") and p.stop() == 0


def test_caps_go_on_too_and_of_a_process_as_long_as_it_is_the_same(salvage, folder, groups, eat, work):
    group = groups(80 * MIB)
    full = eat(*group.entry)
    args = ["--pid", full.process.pid, "--when", "memory>=60%", "--cooldown", "0", "--max-cases", "1/day"]
    p = guard(salvage, folder, work, *args)
    told(p, "guarding", "process %d" % full.process.pid)
    full.take(50)
    wait_for(lambda: p.named("guard-made"))
    kill(p)
    p = guard(salvage, folder, work, *args)
    assert "its cap of 1/day is reached" in told(p, "guard-waits", "process %d" % full.process.pid)["why"]
    kill(p)
    p = guard(salvage, folder, work, *args, state="another")
    wait_for(lambda: p.named("guard-made"))
    assert p.stop() == 0 and cases(folder) == 2


def test_where_nothing_can_be_written_down_that_is_said_and_cases_are_made(salvage, folder, groups, eat, work):
    group = groups(80 * MIB)
    full = eat(*group.entry)
    (work / "state" / "guard").mkdir(parents=True)
    (work / "state" / "guard").chmod(0o777)
    p = guard(salvage, folder, work, "--cgroup", group.folder, "--when", "memory>=60%")
    told(p, "guarding", group.folder)
    event, = p.named("guard-forgets")
    assert "others could write to it" in event["error"]
    full.take(50)
    wait_for(lambda: p.named("guard-made"))
    assert p.stop() == 0


# --- names ------------------------------------------------------------------------------------------------------------

NAMED = ["env", "-u", "CONTAINER_NAME", "POD_NAMESPACE=shop", "POD_NAME=cart-7f9c-x2x4v"]


def test_pods_are_called_by_their_names(salvage, folder, groups, eat, work):
    pod = Pod(groups(-1), work)
    p = guard(salvage, folder, work, "--all", "--rescan", "100ms", "--when", "memory>=60%")
    hexes, entry = pod.enter("app")
    eater = eat(*entry, *NAMED)
    name = "shop/cart-7f9c-x2x4v/app"
    named = wait_for(lambda: of(p, "guard-named", hexes), why=lambda: p.log)[0]
    assert named["name"] == name, "it was found before it was set up"
    assert of(p, "guarding", hexes)[0]["container"].startswith(hexes)
    eater.take(50)
    told(p, "guard-case", name)
    wait_for(lambda: of(p, "guard-made", name), why=lambda: p.log)
    # What is there before the guard has its name from the beginning; a pause process has its neighbour's pod.
    pause, _ = pod.enter("pause")
    quiet = eat("sh", "-c", 'echo $$ >"$0" && exec "$@"', str(pod.folder / pod.ids[1] / "cgroup.procs"))
    assert p.stop() == 0
    p = guard(salvage, folder, work, "--all", "--rescan", "100ms", "--when", "memory>=60%")
    told(p, "guarding", name)
    wait_for(lambda: [e for e in p.named("guarding") + p.named("guard-named")
                      if e.get("name", e["target"]) == "shop/cart-7f9c-x2x4v/" + pause], why=lambda: p.log)
    told(p, "guard-waits", name)
    assert p.stop() == 0
    eater.close()
    quiet.close()
    pod.remove()


def test_guards_of_one_agent_take_turns_and_the_killed_hold_nothing(salvage, folder, groups, eat, work):
    """By --share: one case of a tenant at a time, whichever guard makes it."""
    first, other = groups(80 * MIB), groups(80 * MIB)
    full, beside = eat(*first.entry), eat(*other.entry)
    args = ["--when", "memory>=60%", "--share", work / "shared", "--do", "exec:sleep 2"]
    one = guard(salvage, folder, work, "--cgroup", first.folder, *args, state="one")
    two = guard(salvage, folder, work, "--cgroup", other.folder, *args, state="two")
    told(one, "guarding", first.folder)
    told(two, "guarding", other.folder)
    full.take(50)
    told(one, "guard-case", first.folder)
    beside.take(50)
    assert "--at-once" in told(two, "guard-waits", other.folder)["why"]
    assert not two.named("guard-case")
    one.kill()  # with its case
    told(two, "guard-case", other.folder)
    wait_for(lambda: two.named("guard-made"), why=lambda: two.log)
    assert two.stop() == 0
