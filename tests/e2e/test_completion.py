# SPDX-License-Identifier: Apache-2.0
"""salvage completion: the scripts work in bash, zsh and fish."""
import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time

import pytest

from helpers.program import BIN, environment

BASH = """eval "$("$1" completion bash)"
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_salvage
printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(home, *command):
    env = dict(environment(home), PATH=os.path.dirname(BIN) + ":/usr/bin:/bin")
    p = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, cwd=home)
    assert p.returncode == 0 and not p.stderr, p.stderr
    return p.stdout


def bash(home, *words):
    return run(home, "bash", "--norc", "-c", BASH, "bash", BIN, *words).split()


def fish(home, *words):
    lines = run(home, "fish", "--no-config", "-c", "salvage completion fish | source; complete -C '%s'" % " ".join(words))
    return [line.split("\t")[0] for line in lines.splitlines()]


ZSH = r"""PS1= ; autoload -U compinit; compinit -u -D; source <(salvage completion zsh)
compadd() {
    local -a hits
    if [[ ${@[1,(i)(-|--)]} != *-[OAD]\ * ]]; then builtin compadd -O hits "$@"; print -l -- $hits >>found; fi
    builtin compadd "$@"
}
"""


def zsh(home, *words):
    """It completes only for someone who types: what it finds is written down on its way to the terminal."""
    (home / ".zshrc").write_text(ZSH)
    (home / "found").write_text("")
    env = dict(environment(home), PATH=os.path.dirname(BIN) + ":/usr/bin:/bin", TERM="xterm", ZDOTDIR=str(home))
    leader, follower = pty.openpty()
    p = subprocess.Popen(["zsh", "-d", "-i"], env=env, cwd=home, stdin=follower, stdout=follower, stderr=follower,
                         start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(follower)
    said = b""

    def until(mark):
        nonlocal said
        deadline = time.monotonic() + 20
        while mark not in said:
            assert select.select([leader], [], [], max(0, deadline - time.monotonic()))[0], said
            said += os.read(leader, 65536)
        said = said.split(mark, 1)[1]

    until(b"\x1b[?2004h")  # the line editor reads
    os.write(leader, " ".join(words).encode() + b"\t\x15print fin''ished\r")
    until(b"finished\r\n")
    p.kill()
    p.wait()
    os.close(leader)
    return [word.split("=")[0] for word in (home / "found").read_text().split()]


SHELLS = pytest.mark.parametrize("complete", [bash, zsh, fish])


@SHELLS
def test_a_command_with_parts_may_have_options_of_its_own(salvage, complete):
    assert "--at-most" in complete(salvage.home, "salvage", "core", "--a")
    assert "--at-most" in complete(salvage.home, "salvage", "core", "1", "--a")
    assert complete(salvage.home, "salvage", "core", "ins") == ["install"]
    assert "--at-most" not in complete(salvage.home, "salvage", "core", "status", "--")


@SHELLS
def test_commands_and_their_parts(salvage, complete):
    assert {"watch", "ship", "jvm", "guard"} <= set(complete(salvage.home, "salvage", ""))
    assert "worker" not in complete(salvage.home, "salvage", "")
    assert "guard" in complete(salvage.home, "salvage", "gu")
    assert {"ps", "threads", "dump"} <= set(complete(salvage.home, "salvage", "jvm", ""))


@SHELLS
def test_every_option_of_a_command(salvage, complete):
    for command in (("ship",), ("jvm", "dump")):
        listed = set(re.findall(r"^  (?:-\w, |    )(--[\w-]+)", salvage.ok(*command, "--help").out, re.M))
        found = set(complete(salvage.home, "salvage", *command, "--"))
        assert len(listed) > 5 and listed <= found, listed - found
        assert not found - listed - {"--help", "--"}


@SHELLS
def test_values(salvage, complete):
    assert {"text", "json"} <= set(complete(salvage.home, "salvage", "watch", "--log", ""))
    (salvage.home / "roots.pem").write_text("")
    assert "roots.pem" in " ".join(complete(salvage.home, "salvage", "watch", "--ca-file", "roo"))


def test_a_shell_that_is_none_of_these(salvage):
    for words in ((), ("tcsh",), ("bash", "zsh")):
        r = salvage.run("completion", *words)
        assert r.code == 2 and r.out == "" and r.err.count("\n") == 1
