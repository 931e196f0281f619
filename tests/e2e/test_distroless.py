# SPDX-License-Identifier: Apache-2.0
"""A real container on a root file system with a JRE and no shell: salvage is its /bin/sh, or its PID 1."""
import re
import shlex

import pytest

from helpers import containers
from helpers.metadata import Ecs

HOOK = "-XX:OnOutOfMemoryError=salvage ship --oom %p"
DUMP = ("-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/tmp")
JAVA = (containers.JAVA, "-Xmx24m", "-XX:TieredStopAtLevel=1")
SHIPPED = re.compile(r"^salvage: java-oom: heap-dump of process \d+ \([^)]*\) shipped to (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def roots(session_folder, java_classes):
    """As it is; with salvage as /bin/sh and nowhere else; as /salvage alone; as both."""
    return {name: containers.make_root(session_folder / ("root-" + name), java_classes, places)
            for name, places in (("bare", ()), ("shell", ["bin/sh"]), ("pid1", ["salvage"]),
                                 ("both", ["bin/sh", "salvage"]))}


@pytest.fixture
def container(roots, s3, s3_endpoint):
    def run(root, *command, env=None, options=()):
        variables = {"SALVAGE_TO": s3.url, "SALVAGE_ENDPOINT": s3_endpoint, **s3.env, **(env or {})}
        return containers.run(roots[root], *command, env=variables, options=["--host-net", *options])

    return run


@pytest.fixture
def ecs():
    server = Ecs(cluster="demo", family="cart")
    yield server
    server.close()


def check_dumps(s3, count):
    """So many whole dumps, byte for byte, each under its own key; returns their manifests."""
    manifests = s3.manifests()
    assert len(manifests) == count, [m["name"] for _, m in manifests]
    for key, manifest in manifests:
        assert s3.check(key, manifest).startswith(b"JAVA PROFILE 1.0.")
        assert manifest["cause"] == "java-oom" and "partial" not in manifest
    assert len({key for key, _ in manifests}) == count
    return manifests


# --- the hook ---------------------------------------------------------------------------------------------------------


def test_two_jvms_of_one_container_ship_both_dumps_under_the_name_of_the_task(container, s3, ecs):
    """The second has the pid, the folder and the options of the first."""
    java = " ".join(map(shlex.quote, (*JAVA, *DUMP, HOOK, "-cp", "/app", "Oom")))
    ended = container("shell", "/bin/sh", "-c", "(exec %s); (exec %s); echo status $?" % (java, java),
                      env=ecs.env)
    assert ended.code == 0 and ended.out.endswith("status 1\n"), ended
    manifests = check_dumps(s3, 2)
    for key, manifest in manifests:
        assert key.startswith("ecs/demo/cart/"), key
        assert (manifest["where"]["cluster"], manifest["where"]["family"]) == ("demo", "cart")
        assert manifest["where"]["container"] == "app"
    told = SHIPPED.findall(ended.out)
    assert sorted(told) == sorted(s3.url_of(key) for key, _ in manifests), ended
    assert ecs.complaints == []


@pytest.mark.parametrize("flag, code", [("-XX:+ExitOnOutOfMemoryError", {3}),
                                        ("-XX:+CrashOnOutOfMemoryError", {127, 134})])
def test_a_jvm_that_is_to_end_at_once_waits_for_the_hook(container, s3, flag, code):
    ended = container("shell", *JAVA, *DUMP, HOOK, flag, "-cp", "/app", "Oom")
    assert ended.code in code, ended
    assert len(SHIPPED.findall(ended.out)) == 1, ended
    check_dumps(s3, 1)


def test_it_is_no_other_for_a_user_without_any_right(container, s3):
    ended = container("shell", *JAVA, *DUMP, HOOK, "-cp", "/app", "Oom", options=["--uid", "65532"])
    (_, manifest), = check_dumps(s3, 1)
    assert manifest["process"]["uid"] == 65532 and manifest["process"]["pid"] == 1, ended


def test_without_a_shell_nothing_runs(container, s3):
    """The control: all the same, but for /bin/sh. HotSpot says that it runs the command, whether it does or not."""
    ended = container("bare", *JAVA, *DUMP, HOOK, "-cp", "/app", "Oom")
    assert "Executing /bin/sh -c" in ended.out + ended.err, ended
    assert "Heap dump file created" in ended.out + ended.err
    assert s3.keys() == [] and not SHIPPED.search(ended.out)


def test_a_missing_store_is_said_in_the_log(container, s3):
    ended = container("shell", *JAVA, *DUMP, HOOK, "-cp", "/app", "Oom", env={"SALVAGE_TO": ""})
    assert "SALVAGE_TO" in ended.err + ended.out and s3.keys() == []


@pytest.mark.parametrize("command, code", [
    ("test -f /tmp/ready || exit 1", 1),
    ("touch=1; : >/tmp/ready && test -f /tmp/ready", 0),
    ("exec /opt/java/bin/java -version 2>/dev/null", 0),
    ("salvage --version >/tmp/v && read name version </tmp/v && test \"$name\" = salvage", 0),
    ("for i in 1 2 3; do sleep 0.01 || exit 9; done; exit 4", 4),
])
def test_health_checks_run(container, command, code):
    assert container("shell", "/bin/sh", "-c", command).code == code


# --- PID 1 ------------------------------------------------------------------------------------------------------------


def test_run_ships_what_a_jvm_leaves_that_knows_nothing_of_it(container, s3, ecs):
    ended = container("pid1", "/salvage", "run", "--log", "json", "--", *JAVA, "-cp", "/app", "Oom",
                      env=ecs.env)
    assert ended.code == 1, ended
    (key, manifest), = check_dumps(s3, 1)
    assert key.startswith("ecs/demo/cart/")
    assert '"event":"ended"' in ended.err and '"shipped":1' in ended.err and s3.url_of(key) in ended.err
    assert manifest["size"] > 1 << 20


def test_run_says_that_it_was_the_kernel(container, s3):
    ended = container("pid1", "/salvage", "run", "--", "/hog", "300", options=["--memory", "96M"])
    assert ended.code == 137 and ended.oom_kills >= 1, ended
    summary, = [line for line in ended.err.splitlines() if " event=ended " in line]
    assert "why=oom-kill" in summary and "signal=SIGKILL" in summary, summary
    assert s3.keys() == []


def test_run_as_a_user_without_any_right_on_a_read_only_root(container, s3):
    ended = container("pid1", "/salvage", "run", "--", *JAVA, "-cp", "/app", "Oom", options=["--uid", "65532"])
    assert ended.code == 1, ended
    check_dumps(s3, 1)


def test_hook_and_run_together_ship_one_object(container, s3):
    ended = container("both", "/salvage", "run", "--", *JAVA, HOOK, "-XX:+ExitOnOutOfMemoryError", "-cp", "/app", "Oom")
    assert ended.code == 3, ended
    check_dumps(s3, 1)
    said = ended.out + ended.err
    assert "was not set at its start" in said or "a watch of its folder ships" in said or SHIPPED.search(said), ended
