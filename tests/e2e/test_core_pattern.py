# SPDX-License-Identifier: Apache-2.0
"""salvage core install: the kernel's cores go straight into the store; the machine's core_pattern is put back."""
import contextlib
import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import subprocess
import time

import pytest

from helpers.core_pattern import LIMIT, PATTERN, kept_core_pattern
from helpers.proc import require_root, wait_for

pytestmark = pytest.mark.serial
NATIVE = pathlib.Path(__file__).resolve().parent / "native"
NAME = "salvagecrash"  # no other process of this machine is called so
SECRET = "a-value-that-no-record-has"


@pytest.fixture(scope="module")
def program(session_folder):
    require_root("changes kernel.core_pattern")
    target = session_folder / NAME
    subprocess.run(["cc", "-g", "-O1", "-o", str(target), str(NATIVE / "crash.c")], check=True)
    return target


class Installed:
    """A handler that takes cores of our program only."""

    def __init__(self, salvage, home):
        self.salvage, self.home = salvage, home

    def install(self, store, *more, only="program=" + NAME, env=None):
        return self.salvage.ok("core", "install", "--dir", self.home, *store.options(), "--only", only,
                               *more, env={**store.env, **(env or {})})

    def log(self):
        return (self.home / "log").read_text() if (self.home / "log").exists() else ""

    def status(self):
        return json.loads(self.salvage.run("core", "status", "--dir", self.home, "--json").out)

    def wait(self, what, count=1):
        wait_for(lambda: self.status()["counts"][what] >= count, timeout=30)

    def idle(self):
        """No handler runs: all slots are free."""
        return not subprocess.run(["fuser", "-s", self.home / "salvage"], check=False).returncode == 0


@pytest.fixture
def cores(salvage, work):
    require_root("changes kernel.core_pattern")
    with kept_core_pattern():
        yield Installed(salvage, work / "core-home")


def crash(program, mib=1, limit=-1, env=None, **more):
    """Runs the program until it has crashed, and its core has been read. Its process id."""
    process = subprocess.Popen([str(program), str(mib)], env={"PATH": "/bin", "TOKEN": SECRET, **(env or {})},
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (limit, -1)), **more)
    assert process.wait(30) == -signal.SIGSEGV
    return process.pid


def kinds(store):
    return {m["kind"]: (key, m) for key, m in store.manifests()}


def test_a_crash_is_in_the_store_and_gdb_reads_it(cores, program, s3, work):
    before = PATTERN.read_text()
    cores.install(s3)
    assert PATTERN.read_text().startswith("|%s/salvage core-handler " % cores.home) and int(LIMIT.read_text()) >= 4
    pid = crash(program, 3)
    wait_for(lambda: {"core", "crash"} <= kinds(s3).keys(), timeout=30)
    found = kinds(s3)
    key, m = found["core"]
    assert (m["cause"], m["process"]["pid"], m["origin"]["detail"]) == ("signal", pid, "SIGSEGV (11)")
    assert m["process"]["command"] == "%s 3" % program and "sensitive" not in m and "partial" not in m
    assert "SIGSEGV" in m["summary"]
    (work / "c").write_bytes(s3.check(key, m))
    seen = subprocess.run(["gdb", "-nx", "-batch", "-ex", "bt", str(program), str(work / "c")], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True).stdout
    assert "#0  main (" in seen, seen
    record_key, record = found["crash"]
    assert record_key.rpartition("/")[0] == key.rpartition("/")[0]
    text = s3.check(record_key, record).decode()
    said = json.loads(text)
    assert said["schema"] == "salvage.crash/1" and said["signal_name"] == "SIGSEGV" and said["node_pid"] == pid
    assert said["environment_names"] == ["PATH", "TOKEN"] and SECRET not in text
    assert said["command"] == [str(program), "3"] and NAME in said["maps"] and "0" in said["open_files"]
    assert not said["sensitive"] and said["exe"] == str(program)

    status = cores.status()
    assert status["ours"] and not status["problems"] and status["last"][0]["what"] == key
    for path in cores.home.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    cores.salvage.ok("core", "uninstall", "--dir", cores.home)
    assert PATTERN.read_text() == before and not (cores.home / "salvage").exists()


def test_the_keys_of_the_store_are_kept_for_the_handler_and_shown_to_nobody(cores, program, s3):
    cores.install(s3)
    assert s3.env["AWS_SECRET_ACCESS_KEY"] not in json.dumps(cores.status()) + PATTERN.read_text() + cores.log()
    assert (cores.home / "config.json").stat().st_mode & 0o777 == 0o600


def test_an_upgrade_keeps_what_was_there_before_us_and_never_meets_a_busy_file(cores, program, folder):
    PATTERN.write_text("core.before-us\n")
    LIMIT.write_text("3\n")
    cores.install(folder)
    busy = subprocess.Popen([str(cores.home / "salvage"), "sleep", "30"])
    cores.install(folder, "--chain")
    busy.kill()
    busy.wait()
    assert cores.status()["before"] == "core.before-us"
    cores.salvage.ok("core", "uninstall", "--dir", cores.home)
    assert (PATTERN.read_text(), LIMIT.read_text()) == ("core.before-us\n", "3\n")


def test_what_another_has_set_meanwhile_is_left_alone(cores, folder):
    cores.install(folder)
    PATTERN.write_text("theirs\n")
    assert not cores.status()["ours"]
    assert cores.salvage.run("core", "status", "--dir", cores.home).code != 0
    assert "left as it is" in cores.salvage.ok("core", "uninstall", "--dir", cores.home).err
    assert PATTERN.read_text() == "theirs\n"


def test_rules_and_rlimit_decide_before_a_byte_is_read(cores, program, folder):
    cores.install(folder)
    crash(program, limit=0)
    cores.wait("refused")
    cores.install(folder, only="uid=54321")
    crash(program)
    cores.wait("refused", 2)
    cores.install(folder, "--any-limit", "--core-max", "2m")
    crash(program, 8, limit=0)
    cores.wait("stored")
    [m] = [m for _, m in folder.manifests() if m["kind"] == "core"]
    assert m["size"] == 2 << 20 and "--core-max" in m["partial"]
    assert "RLIMIT_CORE is 0" in cores.log() and "--only does not name it" in cores.log()


def write_other(work, result):
    """A handler before us, as the kernel starts one."""
    other = work / "other"
    other.write_text("#!/bin/sh\necho \"$@\" >%s.args\ncat >%s.part && mv %s.part %s\n" % ((result,) * 4))
    other.chmod(0o755)
    return "|%s %%P %%s %%e %%E" % other


def test_the_handler_before_us_gets_what_we_leave_and_with_chain_all(cores, program, folder, work):
    result = work / "theirs"
    PATTERN.write_text(write_other(work, result) + "\n")
    LIMIT.write_text("16\n")
    cores.install(folder, only="uid=54321")
    pid = crash(program, 3)
    wait_for(result.exists)
    assert result.read_bytes()[:4] == b"\x7fELF" and result.stat().st_size > 3 << 20
    assert pathlib.Path(str(result) + ".args").read_text().split() == [
        str(pid), "11", NAME, str(program).replace("/", "!")]
    result.unlink()
    cores.install(folder, "--chain")
    crash(program, 3)
    wait_for(result.exists)
    cores.wait("stored")
    [(key, m)] = [(key, m) for key, m in folder.manifests() if m["kind"] == "core"]
    assert folder.check(key, m) == result.read_bytes()


def test_while_the_store_is_away_the_core_waits_on_the_disk_and_a_watch_ships_it(cores, program, folder, work):
    spool = work / "spool"
    cores.salvage.ok("core", "install", "--dir", cores.home, "--to", "https://127.0.0.1:9/x", "--spool", spool,
                     "--only", "program=" + NAME)
    pid = crash(program, 3)
    cores.wait("spooled")
    [core] = spool.glob("core.*")
    assert core.name.startswith("core.%d-" % pid) and core.stat().st_mode & 0o777 == 0o600
    assert cores.salvage.watch(spool, *folder.options(), "--layout", "namespace/pod", "--core-spool", "--once").end() == 0
    found = kinds(folder)
    assert sorted(found) == ["core", "crash"] and not list(spool.glob("c*"))
    key, m = found["core"]
    assert m["cause"] == "signal" and "partial" not in m
    # One case, as it would have been without the spool.
    record_key, record = found["crash"]
    assert key.rpartition("/")[0] == record_key.rpartition("/")[0] and m["id"] == record["id"]
    assert (m["name"], m["process"]["pid"], m["origin"]["detail"]) == ("core.%d" % pid, pid, "SIGSEGV (11)")
    folder.check(key, m)
    (spool / ".core.7-1.part").write_bytes(b"of a handler that was killed")
    (work / "file").write_text("")  # no folder, which shows at once
    away = ("--to", "file://%s/file/x" % work, "--spool", spool)
    cores.salvage.ok("core", "install", "--dir", cores.home, *away,
                     "--spool-max", "1m", "--only", "program=" + NAME)
    crash(program, 3)
    cores.wait("spooled", 2)
    assert (spool / "core.7-1").read_bytes() == b"of a handler that was killed"
    (spool / "core.7-1").unlink()
    [core] = spool.glob("core.*")
    assert 900_000 < core.stat().st_size <= 1 << 20 and "partial=" in cores.log()
    cores.salvage.ok("core", "install", "--dir", cores.home, *away, "--spool-max", "1", "--only", "program=" + NAME)
    crash(program, 3)
    cores.wait("lost")
    assert "the spool" in cores.status()["problems"][0]


def test_a_crash_loop_has_a_ceiling_and_holds_nothing(cores, program, folder):
    cores.install(folder, "--rate", "2/hour")
    began = time.monotonic()
    for _ in range(12):
        crash(program)
    cores.wait("limited", 10)
    cores.wait("stored", 2)
    assert cores.status()["counts"]["stored"] == 2 and cores.log().count("event=core-limited") < 8
    assert time.monotonic() - began < 60


def test_a_core_is_filed_under_the_pod_that_its_process_names_also_in_the_spool(cores, program, folder, work):
    pod = {"POD_NAMESPACE": "shop", "POD_NAME": "cart-7f9c8d6b5-x2x7q"}
    cores.install(folder)
    crash(program, env=pod)
    cores.wait("stored")
    assert cores.status()["last"][0]["place"] == "shop/cart-7f9c8d6b5-x2x7q"
    key, m = kinds(folder)["core"]
    assert key.startswith("shop/cart-7f9c8d6b5-x2x7q/") and m["where"]["pod"] == pod["POD_NAME"]
    (work / "file").write_text("")
    cores.salvage.ok("core", "install", "--dir", cores.home, "--to", "file://%s/file/x" % work, "--spool",
                     work / "spool", "--only", "program=" + NAME)
    crash(program, env=pod)
    cores.wait("spooled")
    crash(program, env={"POD_NAMESPACE": "..", "POD_NAME": "../../x"})
    cores.wait("spooled", 2)
    assert len(list((work / "spool/shop/cart-7f9c8d6b5-x2x7q").glob("core.*"))) == 1
    assert len(list((work / "spool").glob("core.*"))) == 1 and sorted(p.name for p in (work / "spool").iterdir()
                                                                      if p.is_dir()) == ["shop"]


def test_a_set_user_id_program_is_marked(cores, program, folder, work):
    setting = pathlib.Path("/proc/sys/fs/suid_dumpable")
    before = setting.read_text()
    copy = work / NAME
    shutil.copy(program, copy)
    os.chown(copy, 65534, 65534)
    copy.chmod(0o6755)
    cores.install(folder)
    try:
        setting.write_text("2")
        crash(copy)
    finally:
        setting.write_text(before)
    cores.wait("stored")
    [m] = [m for _, m in folder.manifests() if m["kind"] == "core"]
    assert "set-user-id" in m["sensitive"] and cores.status()["last"][0]["sensitive"]


@pytest.mark.parametrize("named", [True, False], ids=["ErrorFile", "working-folder"])
def test_a_jvms_core_carries_its_crash_log(cores, jvm_17, folder, work, named):
    link = work / NAME
    link.symlink_to(jvm_17.jdk + "/bin/java")
    cores.install(folder)
    command = [str(link), "-Xmx16m", "-XX:+CrashOnOutOfMemoryError", *["-XX:ErrorFile=%s/why-%%p.log" % work] * named,
               "-cp", str(jvm_17.classes), "Oom"]
    process = subprocess.run(command, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
    assert process.returncode == -signal.SIGABRT
    wait_for(lambda: "hs-err" in kinds(folder), timeout=30)
    found = kinds(folder)
    assert len({key.rpartition("/")[0] for key, _ in found.values()}) == 1
    key, m = found["hs-err"]
    assert folder.check(key, m) == next(work.glob("why-*.log" if named else "hs_err_pid*.log")).read_bytes()
    assert {m["cause"] for _, m in found.values()} == {"java-oom"} and "SIGABRT" not in m["origin"]["detail"]
    assert found["core"][1]["origin"]["detail"] == "SIGABRT (6)" and "partial" not in found["core"][1]


# --- by a socket ------------------------------------------------------------------------------------------------------

KERNEL = tuple(int(n) for n in platform.release().split("-")[0].split(".")[:2])
needs_sockets = pytest.mark.only_where(KERNEL >= (6, 16), "core_pattern knows sockets since Linux 6.16")


@needs_sockets
def test_a_socket_takes_cores_while_its_server_runs_and_the_handler_before_and_after(cores, program, folder, work):
    cores.install(folder, "--log", "json")
    pipe = PATTERN.read_text()
    server = cores.salvage.start("core", "serve", "--dir", cores.home)
    server.wait("core-serving")
    assert PATTERN.read_text().startswith("@") and cores.status()["ours"]
    pid = crash(program, 3)
    server.wait("core-found", signal=11, pid=pid)
    cores.wait("stored")
    key, m = kinds(folder)["core"]
    assert (m["process"]["pid"], m["origin"]["detail"], "partial" in m) == (pid, "SIGSEGV (11)", False)
    (work / "c").write_bytes(folder.check(key, m))
    assert "#0  main (" in subprocess.run(["gdb", "-nx", "-batch", "-ex", "bt", str(program), str(work / "c")],
                                          text=True, stdout=subprocess.PIPE, check=True).stdout
    crash(program, limit=0)
    cores.wait("refused")
    server.process.kill()
    wait_for(lambda: PATTERN.read_text() == pipe)
    crash(program)
    cores.wait("stored", 2)
    assert '"event":"core-found"' in cores.log()


@needs_sockets
def test_the_socket_server_ends_in_order_and_leaves_what_another_has_set(cores, program, folder):
    cores.install(folder, "--log", "json")
    server = cores.salvage.start("core", "serve", "--dir", cores.home)
    server.wait("core-serving")
    PATTERN.write_text("theirs\n")
    assert server.stop() == 0
    assert PATTERN.read_text() == "theirs\n"
    assert "run core install first" in cores.salvage.run("core", "serve", "--dir", cores.home.parent).message


@needs_sockets
def test_a_socket_is_not_for_those_who_share_with_the_handler_before_us(cores, folder):
    PATTERN.write_text("|/bin/true %P\n")
    cores.install(folder)
    result = cores.salvage.run("core", "serve", "--dir", cores.home)
    assert result.code == 2 and "needs the pipe" in result.message


def handlers(home):
    """Processes of the installed copy."""
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(proc / "exe") == str(home / "salvage"):
                yield int(proc.name)


def test_a_handler_that_is_killed_in_mid_core_releases_the_process_and_is_seen(cores, program, s3, proxy_to, s3_host):
    slow = s3.through(proxy_to(s3_host, rate=1_000_000))
    cores.install(slow, env=s3.env)
    process = subprocess.Popen([str(program), "64"],
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
    wait_for(lambda: cores.status()["counts"]["taking"] == 1)
    assert process.poll() is None and not cores.status()["problems"]
    for pid in handlers(cores.home):
        os.kill(pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGSEGV
    wait_for(lambda: any("was killed" in p for p in cores.status()["problems"]))
    cores.install(s3)
    crash(program)
    cores.wait("stored")


@pytest.mark.parametrize("args, said", [
    (("--only", "name=x"), "--only: 'name=x': write cgroup=GLOB"),
    (("--spool", "here"), "must be an absolute path"),
    (("--dir", "relative"), "must be an absolute path"),
    (("--dir", "/" + "x" * 100), "too long"),
    (("--at-once", "0"), "--at-once: 1 to"),
    (("--rate", "many"), "--rate"),
    (("more",), "there are only options"),
])
def test_wrong_options_change_nothing(salvage, folder, args, said):
    before = PATTERN.read_text()
    result = salvage.run("core", "install", *folder.options(), *args)
    assert result.code == 2 and said in result.message and PATTERN.read_text() == before
