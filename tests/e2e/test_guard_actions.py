# SPDX-License-Identifier: Apache-2.0
"""guard's actions on other programs: an HTTP request in the network of the process, a shell command, a signal. Real
processes in real containers; servers that answer and servers that misbehave."""
import errno
import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import time
import uuid

import pytest

from helpers.hook import Hook
from helpers.proc import cmdline, family, free_port, require_root, wait_for
from helpers.program import BIN, GRACE, Background, environment

NATIVE = pathlib.Path(__file__).parent / "native"
PORT = 6060
AT = "http://127.0.0.1:%d" % PORT
CASE = ["--when", "memory>=4M", "--cooldown", "1h"]


@pytest.fixture(scope="module")
def root(session_folder):
    require_root("makes containers")
    folder = session_folder / "answers-root"
    folder.mkdir()
    subprocess.run(["cc", "-O1", "-static", "-Wall", "-Werror", "-o", str(folder / "answers"),
                    str(NATIVE / "answers.c")], check=True)
    return folder


class Server:
    """answers.c in a container of its own, or beside us."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = self.process.stdout.readline()
        assert first == b"ready\n", (first, self.process.communicate(timeout=GRACE))
        self.pid = next(pid for pid in family(self.process.pid)
                        if pathlib.Path("/proc/%d/comm" % pid).read_text() == "answers\n")

    def close(self):
        self.process.communicate(timeout=GRACE)


@pytest.fixture(scope="module")
def server(root):
    """On 127.0.0.1:6060 of a network that only the container sees."""
    s = Server([*shlex.split(os.environ["SALVAGE_TEST_CONTAINER"]), "--name", "salvage-" + uuid.uuid4().hex[:8],
                "--rootfs", str(root), "--memory", "64M", "--", "/answers", str(PORT)])
    yield s
    s.close()


@pytest.fixture
def take(salvage, folder, server):
    """Runs one case with these actions; the guard, when the case is made."""

    def take(*actions, pid=None, env=None):
        p = salvage.start("guard", "--pid", pid or server.pid, "--to", folder.url, *CASE, "--log", "json",
                          *[word for action in actions for word in ("--do", action)], env=env)
        p.made = p.wait("guard-made")
        return p

    return take


@pytest.fixture(scope="module")
def short_lived(session_folder):
    require_root("makes containers")
    folder = session_folder / "shortlived-root"
    folder.mkdir()
    subprocess.run(["cc", "-O1", "-static", "-Wall", "-Werror", "-o", str(folder / "shortlived"),
                    str(NATIVE / "shortlived.c")], check=True)
    return folder


@pytest.mark.parametrize("actions", ["stats", "stats,threads,histogram,heap-dump,core"])
def test_what_a_container_says_is_kept_though_its_process_has_just_ended(salvage, folder, work, short_lived, actions):
    """The one that was chosen lives for some milliseconds; what the cgroup counts does not end with it."""
    argv = [*shlex.split(os.environ["SALVAGE_TEST_CONTAINER"]), "--name", "salvage-" + uuid.uuid4().hex[:8], "--rootfs",
            str(short_lived), "--memory", "64M", "--", "/shortlived", "50"]
    p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert p.stdout.readline() == b"ready\n"
        pid = next(one for one in family(p.pid)
                   if pathlib.Path("/proc/%d/comm" % one).read_text() == "shortlived\n")
        path = next(line.split(":")[2] for line in pathlib.Path("/proc/%d/cgroup" % pid).read_text().splitlines()
                    if "memory" in line.split(":")[1].split(","))
        g = salvage.start("guard", "--cgroup", "/sys/fs/cgroup/memory" + path, "--when", "memory>=60%", "--do", actions,
                          "--to", folder.url, "--state", work / "state", "--log", "json")
        g.wait("guarding")
        p.stdin.write(b"\n")
        p.stdin.flush()
        g.wait("guard-made")
        assert p.stdout.readline() == b"full\n"
    finally:
        p.communicate(b"\n", timeout=GRACE)
    assert g.end() == 0
    manifest, body = pieces(folder)["stats.json"]
    group = json.loads(body)["cgroup"]
    assert group["limit"] == 64 << 20 and group["usage"] >= 30 << 20 and group["stat"]["shmem"] >= 20 << 20, group
    assert manifest["cause"] == "pressure"


def pieces(store):
    """By name: what lies in the store, checked; but what the guard says of the case itself."""
    return {m["name"]: (m, store.check(key, m)) for key, m in store.manifests() if m["name"] != "guard.json"}


def missed(p, piece):
    """The one line that tells why there is no such piece."""
    event, = p.named("guard-missed")
    assert event["piece"] == piece, event
    assert not p.made["whole"]
    return event


def test_get_asks_in_the_network_of_the_process(take, folder):
    """And by no proxy of ours."""
    with socket.socket() as ours:
        assert ours.connect_ex(("127.0.0.1", PORT)) == errno.ECONNREFUSED
    p = take("stats,get:%s/debug/pprof/heap" % AT, env={"http_proxy": "http://127.0.0.1:1"})
    assert p.made["whole"], p.log
    found = pieces(folder)
    assert set(found) == {"stats.json", "heap.pprof"}
    manifest, body = found["heap.pprof"]
    assert body == b"\x1f\x8b\x08\0\0\0\0\0the heap"
    assert manifest["cause"] == "pressure" and manifest["process"]["pid"] == 1
    assert p.stop() == 0


def test_answers_are_named_by_their_url(take, folder):
    p = take("get:%s/metrics?x=1" % AT, "get:%s/metrics" % AT, "get:%s/metrics/" % AT)
    assert p.made["whole"], p.log
    assert set(pieces(folder)) == {"metrics.txt", "metrics-2.txt", "metrics-3.txt"}
    assert pieces(folder)["metrics-2.txt"][1] == b"heap_bytes 8388608\n"


def test_small_pieces_and_a_large_one_are_on_their_way_at_once(take, folder):
    """A case's pieces have one id, and lie in one folder."""
    for count in range(1, 5):
        p = take("stats,exec:echo 1,exec:echo 2,exec:echo 3,core", *["stats"] * 5)
        assert p.made["whole"], p.log
        assert len(folder.manifests()) == 11 * count, p.log
        assert p.stop() == 0
    assert {name.split(".")[0] for name in pieces(folder)} == {
        "stats", "stats-2", "stats-3", "stats-4", "stats-5", "stats-6", "exec", "exec-2", "exec-3", "core"}


def test_a_case_gives_one_notice_of_its_most_telling_piece(take, folder):
    hook = Hook()
    try:
        p = take("stats,exec:echo 1,core", env={"SALVAGE_NOTIFY": "json:" + hook.url})
        assert p.made["whole"], p.log
        case = hook.wait()["data"]
        assert case["kind"] == "core" and case["cause"] == "pressure" and case["object"].startswith("file://")
        assert os.path.dirname(folder.manifests()[0][0]) == case["id"]
        assert p.stop() == 0
        assert len(hook.got) == 1
    finally:
        hook.close()


def test_get_in_our_own_network(take, folder, root):
    port = free_port()
    beside = Server([str(root / "answers"), str(port)])
    try:
        p = take("get:http://127.0.0.1:%d/metrics" % port, pid=beside.pid)
    finally:
        beside.close()
    assert p.made["whole"], p.log
    assert set(pieces(folder)) == {"metrics.txt"}


@pytest.mark.parametrize("path, fault, said", [
    (":1/x", "unreachable", "127.0.0.1:1"),
    ("/500", "refused", "answered 500"),
    ("/redirect", "refused", "answered 302: a redirect, to /metrics, is not followed"),
    ("/empty", "format", "nothing else"),
    ("/short", "unreachable", "127.0.0.1:%d" % PORT),
    ("/garbage", "format", "127.0.0.1:%d" % PORT),
    ("/drip", "timed-out|format", "within 0.6 s|drop by drop"),  # whichever limit comes first
    ("/hang?token=hush", "timed-out", "within 0.6 s"),
], ids=["dead port", "500", "redirect", "empty", "short", "garbage", "drip", "hang"])
def test_a_bad_answer_is_one_line_and_the_case_goes_on(take, folder, path, fault, said):
    url = "http://127.0.0.1" + path if path[0] == ":" else AT + path
    began = time.monotonic()
    p = take("get@600ms:%s" % url, "stats")
    assert time.monotonic() - began < 10
    event = missed(p, "get")
    assert re.search(said, event["error"]) and re.fullmatch(fault, event["fault"]), event
    assert "hush" not in event["error"]
    assert set(pieces(folder)) == {"stats.json"}


@pytest.fixture
def small_room():
    """A memory cgroup of 48 MiB."""
    group = pathlib.Path("/sys/fs/cgroup/memory/salvage-" + uuid.uuid4().hex[:8])
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text("48M")
    yield group
    wait_for(lambda: not (group / "cgroup.procs").read_text(), 30)
    group.rmdir()


@pytest.fixture
def within(salvage, folder, server):
    """Runs one case of a guard that is started by other words; all that it said."""
    running = []

    def within(argv, *args):
        p = Background([*argv, BIN, *map(str, ("guard", "--pid", server.pid, "--to", folder.url, *CASE, "--log", "json",
                                               *args))], environment(salvage.home), salvage.home, None)
        running.append(p)
        wait_for(lambda: '"guard-made"' in p.log, why=lambda: p.log)
        assert p.stop() == 0
        return p.log

    yield within
    for p in running:
        p.kill()


def test_an_answer_without_end_is_not_the_end_of_the_guard(within, folder, small_room):
    said = within(["/bin/sh", "-c", 'echo $$ >%s/cgroup.procs; exec "$@"' % small_room, "sh"], "--do",
                  "get:%s/endless,stats" % AT)
    assert "too much to be kept in memory" in said
    assert set(pieces(folder)) == {"stats.json"}
    assert "oom_kill 0" in (small_room / "memory.oom_control").read_text()


def test_another_network_takes_a_capability(within, folder):
    said = within(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"], "--do", "get:%s/metrics" % AT)
    assert "CAP_SYS_ADMIN is needed" in said
    assert pieces(folder) == {}


def test_without_a_shell_our_own_is_one(within, folder):
    script = 'mount -t tmpfs none "$(readlink -f /bin)" && exec "$@"'
    within(["unshare", "--mount", "/bin/sh", "-c", script, "sh"], "--do",
           "exec:test ! -e /bin/sh && echo $SALVAGE_PID")
    assert pieces(folder)["exec.txt"][1].strip().isdigit()


def test_the_output_of_a_command_is_a_piece(take, folder, server):
    p = take('exec:echo "$SALVAGE_PID $SALVAGE_WHY"; echo "$SALVAGE_TARGET $SALVAGE_CASE"; cat; trap',
             "exec:printf second")
    assert p.made["whole"], p.log
    found = pieces(folder)
    assert set(found) == {"exec.txt", "exec-2.txt"}
    manifest, body = found["exec.txt"]
    case, = p.named("guard-case")
    assert body.decode() == "%d %s\n%s %s\n" % (server.pid, case["why"], case["target"], manifest["id"])
    assert found["exec-2.txt"][1] == b"second"


SECRETS = {"AWS_ACCESS_KEY_ID": "AK-word", "AWS_SECRET_ACCESS_KEY": "secret-word", "AWS_SESSION_TOKEN": "secret-word",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-word", "SALVAGE_HTTP_PASSWORD": "secret-word",
           "SALVAGE_HTTP_USER": "u", "OBS_SECRET_ACCESS_KEY": "secret-word", "OBS_ACCESS_KEY_ID": "secret-word",
           "https_proxy": "http://u:secret-word@127.0.0.1:1"}


def test_a_command_gets_none_of_the_stores_secrets_and_no_descriptor(take, folder):
    """Nor does it find them in the command lines of what it descends from."""
    p = take("exec:env; cd /proc/self/fd && echo *; cat /proc/$PPID/cmdline /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '",
             env={**SECRETS, "AWS_REGION": "eu-west-1", "OF_THE_USER": "stays"})
    assert p.made["whole"], p.log
    said = pieces(folder)["exec.txt"][1].decode("utf-8", "replace")
    assert "secret-word" not in said and "AK-word" not in said, said
    assert "OF_THE_USER=stays" in said and "AWS_REGION=eu-west-1" in said and "SALVAGE_CASE=" in said
    # echo is the shell's own: the last is its view of the folder
    assert re.search(r"^0 1 2( \d+)?$", said, re.M), said


def test_a_command_gets_what_is_passed_on(salvage, folder, server):
    p = salvage.start("guard", "--pid", server.pid, "--to", folder.url, *CASE, "--log", "json", "--do", "exec:env",
                      "--pass-env", "AWS_*", "--pass-env", "https_proxy", env=SECRETS)
    assert p.wait("guard-made")["whole"], p.log
    said = pieces(folder)["exec.txt"][1].decode()
    assert "AWS_SECRET_ACCESS_KEY=secret-word" in said and "https_proxy=" in said
    assert "SALVAGE_HTTP_PASSWORD" not in said and "OBS_" not in said


def test_signals_are_to_a_command_what_they_are_to_others(take, folder):
    p = take("exec:grep -E 'Sig(Blk|Ign)' /proc/self/status")
    assert p.made["whole"], p.log
    assert pieces(folder)["exec.txt"][1] == b"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"


def test_a_command_that_fails_leaves_what_it_wrote(within, folder):
    said = within([], "--do", "exec:echo some; echo loud >&2; exit 3", "--do", "stats").splitlines()
    assert "loud" in said
    assert "status 3" in [line for line in said if "guard-missed" in line][0]
    assert pieces(folder)["exec.txt"][1] == b"some\n" and "stats.json" in pieces(folder)


@pytest.mark.parametrize("command, said", [("true", None), ("exit 7", "status 7"), ("nowhere 2>&-", "not found"),
                                           ("kill -9 $$", "SIGKILL")])
def test_a_command_without_output_leaves_no_piece(take, folder, command, said):
    p = take("exec:" + command, "stats")
    assert set(pieces(folder)) == {"stats.json"}
    if said:
        assert said in missed(p, "exec.txt")["error"]
    else:
        assert p.made["whole"]


def sleepers(mark):
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if cmdline(pid) == b"sleep\0%s\0" % mark]


def test_a_command_that_hangs_is_ended_with_all_of_its_group(take, folder):
    """Its grandchild does not hear SIGTERM; the shell has a last word."""
    mark = "31%d" % os.getpid()
    p = take("exec@500ms:trap 'echo last word; exit' TERM; (trap '' TERM; sleep %s; sleep %s) & echo begun; wait"
             % (mark, mark), "stats")
    assert "within 0.5 s" in missed(p, "exec.txt")["error"]
    assert pieces(folder)["exec.txt"][1] == b"begun\nlast word\n" and "stats.json" in pieces(folder)
    assert p.made["seconds"] < 8
    wait_for(lambda: not sleepers(mark.encode()), 5)


def test_what_a_command_leaves_behind_may_live_if_it_lets_go(take, folder):
    mark = "32%d" % os.getpid()
    p = take("exec:echo done; sleep %s >/dev/null 2>&1 &" % mark)
    assert p.made["whole"] and p.made["seconds"] < 5
    pid, = sleepers(mark.encode())
    os.kill(pid, 9)
    assert pieces(folder)["exec.txt"][1] == b"done\n"


def test_a_signal_makes_a_process_write_and_a_watch_ships_that(take, salvage, folder, work, root):
    """As Node does with --heapsnapshot-signal."""
    target = work / "snapshots"
    target.mkdir()
    beside = Server([str(root / "answers"), str(free_port()), str(target)])
    watch = salvage.watch(target, "--to", folder.url)
    try:
        p = take("signal:USR2", pid=beside.pid)
        assert p.made["whole"], p.log
        watch.wait("shipped")
    finally:
        beside.close()
    manifest, body = pieces(folder)["Heap.heapsnapshot"]
    assert body.startswith(b'{"snapshot":{"meta":') and "partial" not in manifest and manifest["kind"] == "heap-snapshot"
    assert watch.stop() == 0
