# SPDX-License-Identifier: Apache-2.0
"""The program under test: run to its end, or as a watch in the background whose log is read while it runs."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = os.environ.get("SALVAGE_BIN", str(ROOT / "build" / "release" / "salvage"))
NOBODY = 65534
GRACE = 30  # seconds a background program has for its end

# What a watch may say; anything else is a crash, a sanitizer, or a library that logs.
LEVELS = {"info", "warning", "error"}


def environment(home, extra=None):
    """A small, known environment: nothing of the caller's credentials, proxies or options gets in."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    env.update(extra or {})
    return {key: value for key, value in env.items() if value is not None}


def as_user(uid):
    """Arguments to subprocess for another user, without any group or capability of ours."""
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return "exit %d\nstdout: %s\nstderr: %s" % (self.code, self.out, self.err)

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def message(self):
        """The one line on stderr that a failure comes with."""
        assert self.err.endswith("\n") and self.err.count("\n") == 1, "not exactly one line on stderr: %r" % self.err
        assert self.err.startswith("salvage: "), self.err
        return self.err[len("salvage: "):-1]


class Salvage:
    """Runs commands with this test's environment."""

    def __init__(self, home):
        self.home = home
        self.watches = []

    def run(self, *args, env=None, timeout=60, uid=None, stdin=None, text=True, cwd=None):
        """To its end; a hang is a failure."""
        p = subprocess.run([BIN, *map(str, args)], env=environment(self.home, env), stdin=stdin or subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=cwd or self.home,
                           **as_user(uid))
        err = p.stderr.decode("utf-8", "strict")
        return Result(p.returncode, p.stdout.decode("utf-8", "strict") if text else p.stdout, err)

    def ok(self, *args, **more):
        """Runs what must succeed."""
        result = self.run(*args, **more)
        assert result.code == 0, result
        return result

    def start(self, *args, env=None, uid=None, entry=()):
        """In the background, with a log in JSON. entry: a command in front."""
        p = Background([*entry, BIN, *map(str, args)], environment(self.home, env), self.home, uid)
        self.watches.append(p)
        return p

    def watch(self, *args, **more):
        return self.start("watch", *args, "--log", "json", **more)

    def close(self):
        for p in self.watches:
            p.kill()


class Background:
    """A program that runs while the test goes on. Its stderr is read line by line: JSON events, or plain text."""

    def __init__(self, argv, env, cwd, uid):
        self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True, **as_user(uid))
        self.pid = self.process.pid
        self.lines = []
        self.out = b""
        self._news = threading.Condition()
        self._threads = [threading.Thread(target=self._read, daemon=True),
                         threading.Thread(target=self._read_out, daemon=True)]
        for thread in self._threads:
            thread.start()

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.decode("utf-8", "strict"))
                self._news.notify_all()

    def _read_out(self):
        for line in self.process.stdout:
            self.out += line

    @property
    def log(self):
        """All of stderr so far."""
        with self._news:
            return "".join(self.lines)

    @property
    def events(self):
        """The events so far; a line that is none fails the test."""
        with self._news:
            lines = [line for line in self.lines if line.endswith("\n")]
        events = [json.loads(line) for line in lines]
        for event in events:
            assert event["event"] and event["level"] in LEVELS and event["time"], event
        return events

    def named(self, name, **pairs):
        """The events of one name, with these pairs."""
        return [e for e in self.events if e["event"] == name and all(e.get(k) == v for k, v in pairs.items())]

    def wait(self, name, count=1, timeout=30, **pairs):
        """Waits until an event has come count times; returns the last one."""
        deadline = time.monotonic() + timeout
        while True:
            with self._news:
                found = self.named(name, **pairs)
                if len(found) >= count:
                    return found[-1]
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._news.wait(min(left, 0.2))
            if self.process.poll() is not None and len(self.named(name, **pairs)) < count:
                raise AssertionError("ended with %s before %d x %s\n%s" %
                                     (self.process.returncode, count, name, self.log))
        raise AssertionError("no %d x %s %s in %g s\n%s" % (count, name, pairs or "", timeout, self.log))

    def end(self, timeout=GRACE):
        """Waits for the end; returns the exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("still running after %g s\n%s" % (timeout, self.log)) from None
        for thread in self._threads:
            thread.join(GRACE)
        return code

    def stop(self, timeout=GRACE, how=signal.SIGTERM):
        """Asks it to stop; returns the exit code."""
        self.process.send_signal(how)
        return self.end(timeout)

    def kill(self, group=True):
        """kill -9 of it and its children, or of it alone. Says nothing if it is gone already."""
        if self.process.poll() is None or group:
            try:
                if group:
                    os.killpg(self.pid, signal.SIGKILL)
                else:
                    os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
