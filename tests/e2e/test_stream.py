# SPDX-License-Identifier: Apache-2.0
"""salvage ship -: evidence from stdin, which is never on a disk and can't be read twice."""
import contextlib
import fcntl
import gzip
import hashlib
import json
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest

from helpers import hprof
from helpers.evidence import drop, put
from helpers.proc import Sampler, wait_for
from helpers.program import BIN, environment
from helpers.proxy import ResetInBody, s3_error
from helpers.stores import Folder, sha256

MIB = 1 << 20
SEVERAL_PARTS = random.Random(7).randbytes(30 * MIB)


class Pipe:
    """A run with a pipe for stdin, which a test writes into; a context, at whose end nothing is left running."""

    def __init__(self, salvage, *args, env=None, name="app.hprof", err=subprocess.PIPE, **more):
        argv = [BIN, "ship", "-", *(["--name", name] if name else []), *map(str, args)]
        self.process = subprocess.Popen(argv, env=environment(salvage.home, env), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=err, cwd=salvage.home, bufsize=0, **more)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def write(self, data):
        """All of it; BrokenPipeError once nobody reads any more."""
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view):]

    def write_in_background(self, pieces):
        """Returns the thread, and a list that will hold the error it ended with, or None."""
        ending = []

        def run():
            try:
                for piece in pieces:
                    self.write(piece)
                self.process.stdin.close()
                ending.append(None)
            except OSError as error:
                ending.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread, ending

    def end(self, timeout=60):
        """Closes the pipe; exit code, stdout and stderr."""
        self.process.stdin.close()
        self.process.stdin = None  # communicate would flush it
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out.decode(), (err or b"").decode()


def ship(salvage, store, data, *args, **more):
    """Pipes data through; the manifest that is printed."""
    with Pipe(salvage, *store.options(), "--json", *args, env=store.env, **more) as pipe:
        pipe.write(data)
        code, out, err = pipe.end()
    assert code == 0, err
    return json.loads(out)


def nothing_is_left(store):
    return store.keys() == [] and store.unfinished() == []


# --- what is stored ---------------------------------------------------------------------------------------------------


def test_a_real_dump_by_pipe(salvage, store, real_dump):
    data = real_dump.read_bytes()
    with Pipe(salvage, *store.options(), env=store.env) as pipe:
        pipe.write(data)
        code, out, err = pipe.end()
    assert code == 0 and err == "", err
    manifest = store.check_one(sha256(data))
    assert out == store.url_of(manifest["key"]) + "\n"
    assert manifest["kind"] == "heap-dump" and manifest["name"] == "app.hprof" and not manifest.get("partial")
    assert manifest["key"].endswith("/heap.hprof.zst")
    assert os.listdir(salvage.home) == [], "it was to touch no disk"


def test_several_parts_by_pipe(salvage, store):
    """More than a small object, with each store's way to take parts."""
    manifest = ship(salvage, store, SEVERAL_PARTS, name="notes.bin")
    assert store.check_one(sha256(SEVERAL_PARTS)) == manifest
    assert manifest["kind"] == "file" and manifest["key"].endswith("/notes.bin.zst")


def test_what_is_no_heap_dump_says_nothing_of_speed(salvage, folder):
    """The process that looks into the stream ends at its first bytes, while more are on their way to it."""
    with Pipe(salvage, *folder.options(), "--compress", "none") as p:
        out, err = p.process.communicate(SEVERAL_PARTS, timeout=60)
    assert p.process.returncode == 0 and b"keep up" not in err, err


def test_an_empty_stream(salvage, store):
    manifest = ship(salvage, store, b"")
    assert store.check_one(sha256(b"")) == manifest
    assert manifest["size"] == 0 and "empty" in manifest["partial"]


@pytest.mark.parametrize("size", [1, 31, 33, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 2 * 1024 * 1024])
def test_sizes_around_the_blocks(salvage, folder, size):
    data = SEVERAL_PARTS[:size]
    assert ship(salvage, folder, data, name="x.bin")["size"] == size
    folder.check_one(sha256(data))


def test_a_writer_that_dribbles(salvage, folder, real_dump):
    """Odd pieces, none of them a block."""
    data = real_dump.read_bytes()[: 3 * MIB]
    rng = random.Random(3)
    with Pipe(salvage, *folder.options()) as pipe:
        at = 0
        while at < len(data):
            some = rng.randrange(1, 40_000)
            pipe.write(data[at: at + some])
            at += some
            if rng.random() < 0.1:
                time.sleep(0.01)
        code, _, err = pipe.end()
    assert code == 0, err
    folder.check_one(sha256(data))


def test_what_is_compressed_already_is_left_as_it_is(salvage, folder):
    data = gzip.compress(b"CREATE TABLE t (i int);\n" * 10_000)
    manifest = ship(salvage, folder, data, name="app.sql.gz")
    assert manifest["codec"] == "none" and manifest["key"].endswith("/app.sql.gz")
    assert folder.read(manifest["key"]) == data


def test_the_same_bytes_twice_are_two_pieces_of_evidence(salvage, folder):
    sums = [ship(salvage, folder, b"again", name="x")["sha256"] for _ in range(2)]
    assert len({m["id"] for _, m in folder.manifests()}) == 2
    folder_keys = [key for key in folder.keys() if not key.endswith(".json")]
    assert len(folder_keys) == 2 and sums[0] == sums[1]


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999999], ids=["nearly-nothing", "half", "nearly-all"])
def test_a_writer_that_dies_leaves_a_partial_dump(salvage, folder, real_dump, share):
    data = real_dump.read_bytes()[: int(real_dump.stat().st_size * share)]
    with Pipe(salvage, *folder.options()) as pipe:
        writer = subprocess.Popen([sys.executable, "-c", "import os, sys, signal\n"
                                   "sys.stdout.buffer.write(sys.stdin.buffer.read())\n"
                                   "sys.stdout.flush()\nos.kill(os.getpid(), signal.SIGKILL)"],
                                  stdin=subprocess.PIPE, stdout=pipe.process.stdin)
        writer.communicate(data)
        assert writer.returncode == -signal.SIGKILL
        code, _, err = pipe.end()
    assert code == 0 and "not whole" in err, err
    assert folder.check_one(sha256(data))["partial"]


def test_a_file_as_stdin_from_where_it_stands(salvage, dumps, folder):
    put(dumps, "x", b"read before" + b"the rest")
    with open(dumps / "x", "rb") as stream:
        os.lseek(stream.fileno(), len(b"read before"), os.SEEK_SET)
        salvage.ok("ship", "-", "--name", "x", *folder.options(), stdin=stream)
    folder.check_one(sha256(b"the rest"))
    assert os.listdir(dumps) == ["x"], "a file behind stdin is nobody's to remove"


def test_dev_null_as_stdin(salvage, folder):
    salvage.ok("ship", "-", "--name", "x", *folder.options())
    folder.check_one(sha256(b""))


def test_stdin_among_files(salvage, dumps, folder):
    sums = [drop(dumps, "a.hprof"), sha256(b"between"), drop(dumps, "b.hprof")]
    with Pipe(salvage, *folder.options(), name=None) as refused:
        assert refused.end()[0] == 2
    p = subprocess.run([BIN, "ship", dumps / "a.hprof", "-", dumps / "b.hprof", "--name", "c", *folder.options()],
                       env=environment(salvage.home), input=b"between", stdout=subprocess.PIPE, check=True)
    found = folder.check_all(sums)
    assert p.stdout.decode().splitlines() == [folder.url_of(found[total]["key"]) for total in sums]


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec, memory", [("zstd:1", 64), ("none", 64), ("zstd:1", 32)])
def test_a_large_stream_keeps_within_its_memory(salvage, s3, proxy, codec, memory):
    """Much larger than that, to a store that is slower than its writer."""
    proxy.rate = (100 if codec == "none" else 60) * MIB
    digest = hashlib.sha256()

    def pieces():
        for piece in hprof.pieces(300 * MIB, 61):
            digest.update(piece)
            yield piece

    with Pipe(salvage, *s3.through(proxy).options(), "--compress", codec, "--memory", "%dM" % memory, "--no-digest",
              env=s3.env) as pipe:
        sampler = Sampler(pipe.process.pid)
        thread, ending = pipe.write_in_background(pieces())
        thread.join(90)
        code, _, err = pipe.end()
        sampler.stop()
    assert code == 0 and err == "" and ending == [None], err
    peak = sum(sampler.peak.values())
    assert peak <= (memory + 4) * MIB, "%.1f MiB" % (peak / MIB)
    s3.check_one(digest.hexdigest())


def test_a_slow_writer_is_not_a_slow_store(salvage, store):
    """Silent for longer than --timeout, in the middle of a connection."""
    with Pipe(salvage, *store.options(), "--timeout", "1s", "--compress", "none", env=store.env) as pipe:
        pipe.write(SEVERAL_PARTS[: 20 * MIB + 17])
        time.sleep(1.8)
        pipe.write(SEVERAL_PARTS[20 * MIB + 17:])
        code, _, err = pipe.end()
    assert code == 0, err
    store.check_one(sha256(SEVERAL_PARTS))


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_passing_trouble_with_parts_is_nothing(salvage, s3, proxy):
    rules = [proxy.harm(ResetInBody(50_000), lambda r: r.is_part and r.query["partNumber"] == "2"),
             proxy.harm(s3_error(503, "SlowDown"), lambda r: r.is_part and r.query["partNumber"] == "3"),
             proxy.harm(s3_error(500, "InternalError"), lambda r: r.is_create)]
    manifest = ship(salvage, s3.through(proxy), SEVERAL_PARTS, "--compress", "none", name="x.bin")
    assert [rule.done for rule in rules] == [1, 1, 1]
    assert s3.check_one(sha256(SEVERAL_PARTS)) == manifest


def test_a_store_that_dies_midway(salvage, s3, proxy):
    """The writer is let go, and nothing is left."""
    proxy.harm(s3_error(500, "InternalError"), lambda r: r.is_part and r.query["partNumber"] != "1", times=1000)
    with Pipe(salvage, *s3.through(proxy).options(), "--compress", "none", env=s3.env) as pipe:
        thread, ending = pipe.write_in_background(SEVERAL_PARTS for _ in range(100))
        code, out, err = pipe.process.wait(60), pipe.process.stdout.read(), pipe.process.stderr.read().decode()
        thread.join(10)
    assert code == 44 and out == b"", err
    assert isinstance(ending[0], BrokenPipeError)
    last = err.splitlines()[-1]
    assert "InternalError" in last and "cannot be read twice" in last and "app.hprof" in last, err
    assert nothing_is_left(s3)


def test_a_store_that_refuses_is_told_at_once(salvage, s3):
    env = {**s3.env, "AWS_SECRET_ACCESS_KEY": "wrong"}
    with Pipe(salvage, *s3.options(), "--compress", "none", env=env) as pipe:
        thread, ending = pipe.write_in_background(SEVERAL_PARTS for _ in range(100))
        code, err = pipe.process.wait(20), pipe.process.stderr.read().decode()
        thread.join(10)
    assert code == 30 and err.count("\n") == 1, err
    assert isinstance(ending[0], BrokenPipeError)
    assert nothing_is_left(s3)


def test_a_file_server_that_dies_midway(salvage, http):
    with Pipe(salvage, *http.options(), "--compress", "none", "--timeout", "2s", env=http.env) as pipe:
        pipe.write(SEVERAL_PARTS[: 20 * MIB])
        http.server.process.kill()
        http.server.process.wait()
        thread, ending = pipe.write_in_background(SEVERAL_PARTS for _ in range(100))
        code, err = pipe.process.wait(60), pipe.process.stderr.read().decode()
        thread.join(10)
    assert code == 40 and "cannot be read twice" in err, err
    assert isinstance(ending[0], BrokenPipeError)
    assert http.keys() == []


def test_a_folder_that_is_full(salvage, work, mount_tmpfs):
    folder = Folder(mount_tmpfs(work / "small", "12m"))
    with Pipe(salvage, *folder.options(), "--compress", "none") as pipe:
        thread, _ = pipe.write_in_background(SEVERAL_PARTS for _ in range(100))
        code, err = pipe.process.wait(20), pipe.process.stderr.read().decode()
        thread.join(10)
    assert code == 43 and err.count("\n") == 1, err
    assert folder.keys() == [], "it takes room that nothing can use"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_takes_back_what_was_sent(salvage, store, number):
    with Pipe(salvage, *store.options(), "--compress", "none", env=store.env) as pipe:
        pipe.write(SEVERAL_PARTS)
        if isinstance(store, Folder):
            wait_for(store.keys, 10, "nothing is on its way")
        time.sleep(0.3)
        pipe.process.send_signal(number)
        code, out, err = pipe.process.wait(10), pipe.process.stdout.read(), pipe.process.stderr.read().decode()
        with pytest.raises(BrokenPipeError):
            pipe.write(SEVERAL_PARTS)
    assert code == -number and out == b"" and err.count("\n") == 1 and number.name in err, (code, err)
    wait_for(lambda: nothing_is_left(store), 5, store.keys)


def test_a_signal_meets_a_silent_writer(salvage, folder):
    with Pipe(salvage, *folder.options()) as pipe:
        time.sleep(0.3)
        pipe.process.send_signal(signal.SIGTERM)
        assert pipe.process.wait(5) == -signal.SIGTERM
    assert folder.keys() == []


def test_a_second_signal_does_not_wait_for_the_store(salvage, s3, proxy):
    """The store takes its time, so that the first one is not noticed."""
    proxy.rate = 1
    with Pipe(salvage, *s3.through(proxy).options(), "--compress", "none", env=s3.env) as pipe:
        thread, _ = pipe.write_in_background(SEVERAL_PARTS for _ in range(10))
        wait_for(lambda: proxy.seen(lambda r: r.is_part), 10, "no part is on its way")
        pipe.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        pipe.process.send_signal(signal.SIGTERM)
        assert pipe.process.wait(5) == -signal.SIGTERM
        thread.join(10)


def test_an_ignored_hangup_stays_ignored(salvage, folder):
    """As nohup has it."""
    with Pipe(salvage, *folder.options(),
              preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as pipe:
        pipe.write(b"first ")
        time.sleep(0.3)
        pipe.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        pipe.write(b"second")
        assert pipe.end()[0] == 0
    folder.check_one(sha256(b"first second"))


@pytest.mark.parametrize("said", [b"", b"J", SEVERAL_PARTS], ids=["nothing", "a-byte", "several-parts"])
def test_a_silent_writer_is_given_up(salvage, store, said):
    with Pipe(salvage, *store.options(), "--give-up", "1s", env=store.env) as pipe:
        pipe.write(said)
        begun = time.monotonic()
        code, err = pipe.process.wait(10), pipe.process.stderr.read().decode()
        assert time.monotonic() - begun >= 0.5
    assert code == 1 and err.count("\n") == 1 and "app.hprof" in err, err
    wait_for(lambda: nothing_is_left(store), 5, store.keys)


def test_a_writer_that_is_slow_is_not_given_up(salvage, folder):
    with Pipe(salvage, *folder.options(), "--give-up", "1s") as pipe:
        for _ in range(6):
            pipe.write(b"tick\n")
            time.sleep(0.4)
        assert pipe.end()[0] == 0
    folder.check_one(sha256(b"tick\n" * 6))


# --- usage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args, word", [
    (["-"], "--name"), (["-", "--name", ""], "--name"), (["-", "-", "--name", "x"], "once"),
    (["/etc/hostname", "--name", "x"], "--name"), (["-", "--name", "a/b"], "path"), (["-", "--name", ".."], "path"),
], ids=["nameless", "empty-name", "twice", "name-of-a-file", "path", "dots"])
def test_what_makes_no_sense_is_refused(salvage, folder, args, word):
    result = salvage.run("ship", *args, *folder.options())
    assert result.code == 2 and word in result.message
    assert folder.keys() == []


def test_a_closed_stdin_is_refused(salvage, folder):
    p = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", BIN, "ship", "-", "--name", "x", *folder.options()],
                       env=environment(salvage.home), stderr=subprocess.PIPE, check=False)
    assert p.returncode == 2 and b"closed" in p.stderr
    assert folder.keys() == []


def test_a_folder_as_stdin_cannot_be_read(salvage, folder, work):
    fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    result = salvage.run("ship", "-", "--name", "x", *folder.options(), stdin=fd)
    os.close(fd)
    assert result.code == 1 and "x" in result.message
    assert folder.keys() == []


def on_a_terminal(argv, env, stdin=None, data=None):
    """Runs with a terminal as stderr, and as stdin unless that is given: exit code, and what it showed."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, b"\x18\x00\x78\x00\0\0\0\0")  # 24 x 120
    p = subprocess.Popen(argv, env=env, stdin=stdin or follower, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    if data is not None:
        threading.Thread(target=lambda: (p.stdin.write(data), p.stdin.close()), daemon=True).start()
    seen = b""
    with contextlib.suppress(OSError):
        while some := os.read(leader, 4096):
            seen += some
    os.close(leader)
    p.stdout.read()
    return p.wait(), seen.decode()


def test_a_terminal_as_stdin_is_refused(salvage, folder):
    code, seen = on_a_terminal([BIN, "ship", "-", "--name", "x", *folder.options()], environment(salvage.home))
    assert code == 2 and "terminal" in seen
    assert folder.keys() == []


def test_a_terminal_sees_bytes_and_rate(salvage, s3, proxy):
    """The total is unknown until the end: no bar, no percents, no time left."""
    proxy.rate = 12 * MIB
    code, seen = on_a_terminal([BIN, "ship", "-", "--name", "app.hprof", *s3.through(proxy).options(), "--compress",
                                "none"], environment(salvage.home, s3.env), subprocess.PIPE, SEVERAL_PARTS)
    assert code == 0, seen
    states = [state for state in seen.split("\r\033[K") if state.strip()]
    assert len(states) >= 3, seen
    for state in states[:-1]:
        assert "app.hprof" in state and "MiB/s" in state and "%" not in state and "left" not in state, state
    assert "100%" in states[-1] and "30.0 MiB" in states[-1], states[-1]
