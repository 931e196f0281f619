# SPDX-License-Identifier: Apache-2.0
"""Fixtures. Each test has a folder, an environment and a place in each store of its own; what it starts is stopped."""
import collections
import contextlib
import glob
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

import boto3
import pytest
from botocore.config import Config

from helpers import hprof, jvm
from helpers.browser import Browser
from helpers.eaters import Eater
from helpers.nginx import ALL_METHODS, PUT_ONLY, Nginx
from helpers.proc import require_root
from helpers.program import BIN, Salvage
from helpers.proxy import Proxy
from helpers.serve import Serve
from helpers.stores import S3, Folder, Http, Served
from helpers.supervised import MemoryCgroup

NEEDED = ("SALVAGE_TEST_S3_ENDPOINT", "SALVAGE_TEST_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


LEFT_OUT = []  # of each test that can't run on this machine, the reason
UNSTEADY_MAX = 3  # tests of one suite that may need their second try (--reruns): more is no accident
AGAIN = os.environ.get("SALVAGE_TEST_AGAIN")  # a file with the names of those of the suite's earlier runs


def pytest_configure(config):
    config.addinivalue_line("markers", "jdk_25: needs a JDK 25, which Debian 12 does not have; without one it is left out")
    config.addinivalue_line("markers", "only_where(condition, reason): left out on machines that lack what no package brings")
    config.addinivalue_line("markers", "serial: measures times, or sees or changes what all share: has the machine to itself")
    # Behind "nohup", or "&" in a script, these are ignored, and would be in all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        raise pytest.UsageError("set %s: these tests need an S3 server" % ", ".join(missing))
    if not os.access(BIN, os.X_OK):
        raise pytest.UsageError("there is no program at %s: build it, or set SALVAGE_BIN" % BIN)


def why_left_out(item):
    if item.get_closest_marker("jdk_25") and not jvm.JDKS_25:
        return "there is no JDK 25 in /usr/lib/jvm"
    return next((mark.args[1] for mark in item.iter_markers("only_where") if not mark.args[0]), None)


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if why_left_out(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    LEFT_OUT.extend(map(why_left_out, left_out))


# --- what is said at the end; with workers (pytest-xdist) by the process that has started them ---------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Each worker collects the same."""
    LEFT_OUT[:] = getattr(node, "workeroutput", {}).get("left_out", LEFT_OUT)


def unsteady(config):
    """Reports of what failed and was tried again; a worker has none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("rerun", []) if reporter else []


def unsteady_in_suite(config):
    names = [report.nodeid for report in unsteady(config)]
    with contextlib.suppress(TypeError, FileNotFoundError):
        names += pathlib.Path(AGAIN).read_text(encoding="utf-8").splitlines()
    return names


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = LEFT_OUT
    if exitstatus == 0 and len(unsteady_in_suite(session.config)) > UNSTEADY_MAX:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "workerinput"):
        return
    for report in unsteady(config):
        terminalreporter.write_sep("_", "at the first try: %s" % report.nodeid)
        terminalreporter.write_line(str(report.longrepr))
        for title, text in report.sections:
            terminalreporter.write_line("%s:\n%s" % (title, text))
    names = unsteady_in_suite(config)
    if len(names) > UNSTEADY_MAX:
        terminalreporter.write_line("%d tests needed a second try: %d is too many" % (len(names), UNSTEADY_MAX + 1))
    if AGAIN:
        pathlib.Path(AGAIN).write_text("".join(name + "\n" for name in names), encoding="utf-8")
    for reason, count in collections.Counter(LEFT_OUT).items():
        terminalreporter.write_line("%s: %d tests are left out" % (reason, count))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the program said goes into the report of a failed test."""
    report = (yield).get_result()
    program = getattr(item, "funcargs", {}).get("salvage")
    if report.when == "call" and report.failed and program:
        for watch in program.watches:
            report.sections.append(("stderr of %s" % " ".join(watch.process.args[1:4]), watch.log[-8000:]))


@pytest.fixture(autouse=True)
def no_sockets_of_the_dead():
    """A JVM that is killed leaves its attach socket. Process ids come again: another user's JVM that gets the same one can
    neither use that socket nor replace it."""
    for path in glob.glob("/tmp/.java_pid*"):
        if not os.path.exists("/proc/" + path.rpartition("pid")[2]):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture(scope="session")
def session_folder():
    """Open to other users, unlike pytest's own: some tests become one."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="salvage-e2e-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def work(session_folder):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="t-", dir=session_folder))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def dumps(work):
    """The folder that is watched."""
    folder = work / "dumps"
    folder.mkdir()
    return folder


@pytest.fixture
def mount_tmpfs(work):
    """Mounts small file systems: mount_tmpfs(path, "4m")."""
    mounted = []

    def mount(path, size, mode="755"):
        require_root("mounts a file system")
        path.mkdir(parents=True, exist_ok=True)
        options = "size=%s,mode=%s" % (size, mode)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "salvage-e2e", str(path)], check=True)
        mounted.append(path)
        return path

    yield mount
    for path in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(path)], check=False)


# --- the program ------------------------------------------------------------------------------------------------------


@pytest.fixture
def salvage(work):
    home = work / "home"
    home.mkdir()
    home.chmod(0o777)
    program = Salvage(home)
    yield program
    program.close()


@pytest.fixture
def serve(salvage, work):
    """Starts servers: serve("--anonymous-read", …) gives a running one (helpers/serve.py); each with a root of its own."""
    count = itertools.count()

    def start(*args, **more):
        folder = work / ("serve-%d" % next(count))
        folder.mkdir(mode=0o755)
        return Serve(salvage, folder, *args, **more)

    return start


# --- stores -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def s3_endpoint():
    return os.environ["SALVAGE_TEST_S3_ENDPOINT"]


@pytest.fixture(scope="session")
def s3_client(s3_endpoint):
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 5}, read_timeout=60)
    return boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1", config=config,
                        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture
def s3(s3_client, s3_endpoint):
    credentials = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    store = S3(s3_client, os.environ["SALVAGE_TEST_S3_BUCKET"], s3_endpoint, {**credentials, "AWS_REGION": "us-east-1"})
    yield store
    store.clear()


@pytest.fixture
def folder(work):
    return Folder(work / "store")


@pytest.fixture
def nginx(work):
    """Starts file servers: nginx(dav=…, more=…) gives a running one."""
    running = []

    def start(**settings):
        server = Nginx(work / ("nginx-%d" % len(running)), **settings)
        running.append(server)
        return server

    yield start
    for server in running:
        server.close()


@pytest.fixture
def http(nginx):
    """A stock nginx that knows PUT and nothing else."""
    server = nginx(dav=PUT_ONLY)
    store = Http(server.folder, server.url)
    store.server = server
    return store


@pytest.fixture
def http_move(nginx):
    """One that can MOVE too."""
    server = nginx(dav=ALL_METHODS)
    store = Http(server.folder, server.url)
    store.server = server
    return store


@pytest.fixture
def served(salvage, work):
    """Our own server, with resumable uploads."""
    token, tokens = "token-of-a-test-store", work / "tokens-of-the-store"
    tokens.write_text("store %s admin *\n" % token)
    tokens.chmod(0o600)
    server = Serve(salvage, work, "--tokens", tokens, root=work / "served")
    return Served(server.root, server.url, env={"SALVAGE_HTTP_TOKEN": token})


@pytest.fixture(params=["folder", "http", "http_move", "s3", "served"])
def store(request):
    """Every sort of store, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def proxy_to():
    """Starts proxies: proxy_to("host:port", rate=…)."""
    running = []

    def start(upstream, **settings):
        proxy = Proxy(upstream, **settings)
        running.append(proxy)
        return proxy

    yield start
    for proxy in running:
        proxy.close()


@pytest.fixture
def s3_host(s3_endpoint):
    return urllib.parse.urlsplit(s3_endpoint).netloc


@pytest.fixture
def proxy(proxy_to, s3_host):
    """A proxy before the S3 server; s3.through(proxy) is the store seen through it."""
    return proxy_to(s3_host)


# --- evidence ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def java_classes(session_folder):
    return jvm.compile_programs(session_folder / "classes")


@pytest.fixture(params=jvm.JDKS, ids=jvm.name)
def any_jvm(request, java_classes):
    return jvm.Jvm(java_classes, request.param)


@pytest.fixture
def jvm_17(java_classes):
    return jvm.Jvm(java_classes)


@pytest.fixture(scope="session")
def real_dump(session_folder, java_classes):
    """A real JVM's dump, made once. Copy it: it is read by many."""
    path = session_folder / "real.hprof"
    jvm.Jvm(java_classes).die(path)
    assert hprof.problem(path.read_bytes()) is None
    return path


@pytest.fixture(scope="session")
def little_dump(session_folder, java_classes):
    """The same of a small heap, for what copies, compresses or sends it. Of some blocks of a seek table, all the same."""
    path = session_folder / "little.hprof"
    jvm.Jvm(java_classes, heap="8m").die(path)
    assert hprof.problem(path.read_bytes()) is None and path.stat().st_size > 4 << 20
    return path


@pytest.fixture(scope="session")
def grown(session_folder, java_classes):
    """Dumps of one JVM at two moments (java/Grows.java): a map that grew, and a list that shrank."""
    folder = session_folder / "grown"
    folder.mkdir()
    dumps = folder / "before.hprof", folder / "after.hprof"
    subprocess.run([jvm.JDK_17 + "/bin/java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", str(java_classes), "Grows",
                    *map(str, dumps)], check=True)
    return dumps


@pytest.fixture
def groups():
    require_root("makes cgroups")
    made = []

    def make(limit, parent=None):
        made.append(MemoryCgroup(limit, parent))
        return made[-1]

    yield make
    for group in reversed(made):
        if group.folder.exists():
            group.close()


@pytest.fixture
def eat():
    running = []

    def start(*before):
        running.append(Eater(*before))
        return running[-1]

    yield start
    for eater in running:
        eater.close()
