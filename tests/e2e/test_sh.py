# SPDX-License-Identifier: Apache-2.0
"""The shell: dash's features, busybox's applets, and salvage's additions."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from helpers.proc import children, require_root, status, wait_for
from helpers.program import BIN

STATIC = os.environ.get("SALVAGE_STATIC_BIN", BIN)

# What HotSpot, health checks, entry points and old scripts hand to a shell. Each line runs in all three shells.
COMMANDS = r"""
true
false
:
exit 7
exit
! true
! false
echo one two   three
echo 'single  quotes $HOME `x` "'
echo "double  quotes $WORD"
echo a\ b\'c\"d \$WORD
echo "a\"b\$c\\d"
echo -n no newline
echo $WORD ${WORD}s "${WORD:-x}" ${NONE:-default} "${NONE-unset}" ${EMPTY:-empty} "${EMPTY-set}"
echo ${NONE:=assigned}; echo $NONE
echo ${WORD:+alternate} ${NONE:+none}
echo ${NONE:?is missing}; echo not reached
echo ${#WORD} ${WORD%d} ${WORD#w} ${PATHLIKE##*/} ${PATHLIKE%%/*}
echo $((1 + 2 * 3)) $(( (7 % 4) << 2 )) $((WORDS = 5)) $WORDS
echo $?; false; echo $?
(exit 3); echo $?
test $$ -gt 1 && echo pid
echo $# "$@"
set -- a 'b c' d; echo $# "$2"; shift; echo $1
true && echo and
false && echo never
false || echo or
true || echo never
false && echo a || echo b
true; false; true
false; true; false
echo one; echo two
echo one &&
(echo sub; exit 4); echo $?
{ echo group; echo two; } | wc -l | tr -d ' '
echo piped | cat | cat
false | true
true | false
! true | false
printf 'b\na\n' | sort
printf '%s-%d\n' x 12 y 7
printf '%05.1f|%x|%c\n' 3.14159 255 z
echo out >f; cat f
echo more >>f; echo more >>f; cat f
cat <f
echo err 1>&2
echo err 2>&1 1>/dev/null
ls nosuch 2>/dev/null || echo missing
ls nosuch >/dev/null 2>&1; test $? -ne 0 && echo failed
exec 3>f; echo three >&3; exec 3>&-; cat f
echo x >/nosuch/dir/f; echo $?
cat </nosuch; echo $?
VAR=x sh -c 'echo $VAR'; echo "[$VAR]"
VAR=1; export VAR; sh -c 'echo $VAR'
VAR=a; VAR=${VAR}b; echo $VAR
unset WORD; echo "[$WORD]"
readonly R=1; echo $R
exec echo replaced; echo never
exec nosuchcommand; echo never
nosuchcommand
nosuchcommand 2>/dev/null; echo $?
/nosuch/file; echo $?
./f
: >f; chmod 644 f; ./f; echo $?
printf '#!/bin/sh\necho script $1\n' >f; chmod 755 f; ./f arg
printf 'echo no hashbang\n' >f; chmod 755 f; ./f
cd / && pwd
cd /nosuch; echo $?
mkdir d; cd d; cd ..; test -d d && echo back
pwd | grep -c /
test -e f; echo $?
test -f / ; echo $?
test -d / -a -r /; echo $?
[ a = a ] && echo same
[ a != b ] && echo different
[ 3 -lt 10 ] && [ 3 -ge 3 ] && [ 4 -ne 5 ] && echo numbers
[ -z "" ] && [ -n x ] && echo strings
[ ! -e nosuch ] && echo not
[ a = b -o c = c ]; echo $?
[ a = a
test 1 -eq x; test $? -ge 1 && echo not a number
if true; then echo yes; else echo no; fi
if false; then echo yes; elif true; then echo elif; fi
for i in 1 2 3; do echo $i; done
for f in nosuch*; do echo $f; done
touch x1 x2; echo x*
touch x1 x2; echo x? 'x*' "x*" x[1]
i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done
i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i
for i in 1 2 3; do [ $i = 2 ] && continue; [ $i = 3 ] && break; echo $i; done
case word in w*) echo w;; *) echo other;; esac
case x in a|x) echo either;; esac
f() { echo function $1; return 5; }; f arg; echo $?
f() { local x=1; echo $x; }; x=2; f; echo $x
echo $(echo substituted) `echo backquoted`
echo "$(printf 'a\n\n')b"
x=$(false); echo $?
echo a$(echo "b $(echo c)")d
cat <<END
eval 'echo evaluated; x=1'; echo $x
set -e; false; echo never
set -e; false || true; echo on
set -u; echo $NONE; echo never
set -x; : traced
set -f; echo *
sh -e -c 'false; echo never'; echo $?
sh -c 'echo $0 $1' name arg
trap 'echo trapped' EXIT; echo body
trap 'echo term; exit 9' TERM; kill -TERM $$; echo never
trap '' INT; kill -INT $$; echo ignored
kill -9 $$
kill -TERM $$
kill -0 $$ && echo alive
kill -0 1234567; echo $?
sh -c 'kill -PIPE $$'; echo $?
sleep 0 && echo slept
sleep 0.01; echo $?
sleep & wait $!; test $? -ne 0 && echo waited
(sleep 0.05; echo late) & wait; echo done
true & wait $!; echo $?
(exit 42) & wait $!; echo $?
yes | head -n 2
read a b <f; echo $?
printf 'x y z\n' | { read a b; echo "[$a][$b]"; }
printf 'a\\tb\n' | { read -r line; printf '%s\n' "$line"; }
IFS=:; set -- $PATHLIKE:b; echo $#
umask 022; umask
type true >/dev/null && echo builtin
command -v sh >/dev/null && echo found
command -v nosuch; echo $?
command echo plain
. ./nosuch; echo never
echo 'x=sourced' >f; . ./f; echo $x
getopts ab: o -b arg; echo $o $OPTARG
alias ll='echo alias'; echo $?
hash -r; echo $?
times >/dev/null; echo $?
ulimit -n >/dev/null; echo $?
echo "unterminated
echo )
if true
for i in
|| echo
echo a &&& echo b
echo a ;; echo b
${bad
echo ${WORD
echo #comment
echo a#b # comment
#only a comment

   echo   spaces   
	echo tab
echo a;echo b;
curl -f http://localhost/ 2>/dev/null || exit 1
exec 2>/dev/null; echo quiet; nosuchcommand
wget -q -O- http://127.0.0.1:9/health || exit 1
test "$(echo ok)" = ok || exit 1
pidof nosuch >/dev/null 2>&1 || (echo down; exit 1)
[ -f /nosuch/ready ] || exit 1
kill -3 $$ 2>/dev/null; echo $?
exec >f 2>&1; echo into file; nosuch
echo "$@" | sed 's/a/b/'
a=1 b=2; echo $a$b
test -n "$PPID" && echo parent
echo ~ | grep -c /
echo $LINENO
echo "$-" | grep -c c
cd - 2>/dev/null; echo $?
""
''
"true"
$EMPTY
$NONE true; echo $?
'true' && "echo" quoted names
echo \
continued
""".strip("\n").split("\n")


@pytest.fixture(scope="module")
def shells(session_folder):
    """The three, each as an `sh` in a folder of its own that is the only one in PATH to have one."""
    found = {}
    for name, program in (("ours", BIN), ("dash", "/bin/dash"), ("busybox", "/bin/busybox")):
        folder = session_folder / ("sh-" + name)
        folder.mkdir()
        assert os.access(program, os.X_OK), "install %s: scripts/deps --test" % name
        (folder / "sh").symlink_to(os.path.realpath(program))
        found[name] = folder
    return found


def run(folder, command, cwd, *args, env=None):
    shutil.rmtree(cwd, ignore_errors=True)
    cwd.mkdir()
    environment = {"PATH": "%s:/usr/bin:/bin" % folder, "HOME": "/root", "WORD": "word", "EMPTY": "", "LC_ALL": "C",
                   "PATHLIKE": "usr/share/doc", **(env or {})}
    # SIGPIPE as a program finds it that Python has not started.
    p = subprocess.run([str(folder / "sh"), "-c", command, *args], cwd=cwd, env=environment, timeout=20,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=True)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_it_does_what_dash_does(shells, work, command):
    args = ("name", "first", "second arg")
    ours = run(shells["ours"], command, work / "here", *args)
    dash = run(shells["dash"], command, work / "here", *args)
    assert ours[:2] == dash[:2], (ours, dash)
    assert bool(ours[2]) == bool(dash[2]), (ours, dash)


# Where dash, and so we, differ from busybox.
BUSYBOX_DIFFERS = {
    "cat <f": "a redirection that fails: status 2, busybox 1",
    "cat </nosuch; echo $?": "the same",
    "read a b <f; echo $?": "the same",
    "echo x >/nosuch/dir/f; echo $?": "the same",
    "kill -3 $$ 2>/dev/null; echo $?": "SIGQUIT ends a shell that is not interactive; busybox ignores it",
    "echo $LINENO": "empty, as in Debian's dash; busybox says 0",
    'echo "$-" | grep -c c': "-c is not among the options in $-",
}


def test_it_does_what_busybox_does_but_for_what_is_told(shells, work):
    """Status and output."""
    differ = set()
    for command in COMMANDS:
        ours = run(shells["ours"], command, work / "here", "name", "first")
        theirs = run(shells["busybox"], command, work / "here", "name", "first")
        if ours[:2] != theirs[:2]:
            differ.add(command)
    assert differ == set(BUSYBOX_DIFFERS)
    assert len(COMMANDS) - len(differ) >= 100


# --- ours -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sh(salvage, work):
    """Runs the shell by its name, with an empty PATH and whatever environment is given."""
    folder = work / "bin"
    folder.mkdir()
    shutil.copy2(BIN, folder / "sh")

    def start(command, env=None, check=True):
        p = subprocess.run([str(folder / "sh"), "-c", command], cwd=work, env={"PATH": "/nosuch", **(env or {})},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        assert not check or p.returncode == 0, p
        return p if not check else p.stdout.decode()

    return start


def test_our_commands_are_found_without_being_anywhere(sh):
    assert re.fullmatch(r"salvage \d.*\n", sh("salvage --version"))
    assert sh("command -v salvage sleep sh >/dev/null && echo found") == "found\n"
    assert re.fullmatch(r"salvage \d.*\n", sh("exec salvage --version"))
    assert sh("salvage --version | { read a b; echo $a; }; sleep 0; sh -c 'echo inner'") == "salvage\ninner\n"
    assert re.fullmatch(r"salvage \d.*\n", sh("unset PATH; salvage --version"))


def test_where_they_are_said_to_be_they_can_be_run(sh):
    assert re.fullmatch(r"salvage \d.*\n", sh("$(command -v salvage) --version"))
    assert sh("PATH=/none:/nosuch/bin:/other; exec $(command -v sh) -c 'echo inner'") == "inner\n"
    assert sh("PATH=/nosuch; /nosuch/bin/salvage --version", check=False).returncode == 127


def test_a_path_that_is_written_out_means_that_file(sh):
    assert sh("./salvage --version", check=False).returncode == 127
    assert sh("/opt/salvage --version", check=False).returncode == 127
    assert sh("exec /opt/salvage --version", check=False).returncode == 127
    assert sh("test -e /nosuch/salvage", check=False).returncode == 1


def test_a_failure_of_our_commands_is_their_own(sh):
    p = sh("salvage ship /nosuch/file --to file:///tmp/x || echo status $?; salvage nosuch", check=False)
    assert p.returncode == 2 and re.match(rb"status \d+\n", p.stdout) and b"no command 'nosuch'" in p.stderr


OOM = "-Xmx64m -XX:OnOutOfMemoryError=\"salvage ship --oom %p; printenv\" -XX:+HeapDumpOnOutOfMemoryError " \
      "-XX:HeapDumpPath=/dumps -XX:+ExitOnOutOfMemoryError -Da=b"
SHOW = "echo \"$JAVA_TOOL_OPTIONS|$JDK_JAVA_OPTIONS\""


@pytest.mark.parametrize("variable", ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"])
def test_a_hook_does_not_hand_on_what_would_start_it_again(sh, variable):
    hook = "-XX:OnOutOfMemoryError='%s # %%p' -XX:+HeapDumpOnOutOfMemoryError -XX:+CrashOnOutOfMemoryError -Xmx64m"
    show = "echo ${JAVA_TOOL_OPTIONS}${JDK_JAVA_OPTIONS}${_JAVA_OPTIONS}"
    out = sh(show + " # 4711", env={variable: hook % show})
    assert out.strip() == "-Xmx64m"


@pytest.mark.parametrize("name", ["@{}", "-XX:VMOptionsFile={}"])
def test_a_hook_that_a_file_of_options_names_is_not_handed_on(sh, work, name):
    show = "echo $JDK_JAVA_OPTIONS"
    (work / "options").write_text("-Xmx64m \"-XX:OnOutOfMemoryError=%s\" -XX:+HeapDumpOnOutOfMemoryError" % show)
    assert sh(show, env={"JDK_JAVA_OPTIONS": name.format(work / "options") + " -Da=b"}).strip() == "-Xmx64m -Da=b"


@pytest.mark.parametrize("options", [["-c"], ["-ec"], ["-e", "-c"], ["-o", "errexit", "-c"], ["-c", "--"],
                                     ["+e", "-c", "-"]])
def test_a_hook_is_told_however_the_shell_is_called(salvage, options):
    env = {**os.environ, "JAVA_TOOL_OPTIONS": " -XX:OnOutOfMemoryError='printenv JAVA_TOOL_OPTIONS || echo none %p' "}
    p = subprocess.run([BIN, "sh", *options, "printenv JAVA_TOOL_OPTIONS || echo none 12"], env=env, timeout=30,
                       stdout=subprocess.PIPE, check=True)
    # Not even an empty variable is left, which a JVM would mention.
    assert p.stdout == b"none 12\n"


def test_one_of_several_commands_is_a_hook_too(sh):
    out = sh(SHOW, env={"JAVA_TOOL_OPTIONS": "-XX:OnOutOfMemoryError='salvage ship --oom %p;" + SHOW + "' -Da=b",
                        "JDK_JAVA_OPTIONS": "-XX:+HeapDumpOnOutOfMemoryError -Dc=d"})
    assert [part.split() for part in out.split("|")] == [["-Da=b"], ["-Dc=d"]]


@pytest.mark.parametrize("command", ["exec java -jar app.jar", SHOW, "salvage ship --oom x"])
def test_what_starts_the_application_hands_on_everything(sh, command):
    out = sh(command.replace("exec java -jar app.jar", SHOW).replace("salvage ship --oom x", SHOW + " #--oom x"),
             env={"JAVA_TOOL_OPTIONS": OOM})
    assert out.strip().rstrip("|") == OOM


def test_children_get_the_signals_that_the_shell_was_given(sh):
    assert sh("sh -c 'kill -PIPE $$'; echo $?") == "141\n"
    ignored = subprocess.run([BIN, "sh", "-c", "/usr/bin/grep SigIgn /proc/self/status"], stdout=subprocess.PIPE,
                             preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN), restore_signals=False)
    assert int(ignored.stdout.split()[1], 16) & (1 << (signal.SIGPIPE - 1))


def test_help_is_ours_only_by_the_name_of_salvage(salvage, sh):
    assert "a shell, for images that have none" in salvage.ok("sh", "--help").out
    assert sh("echo --help") == "--help\n"
    assert salvage.ok("sh", "-c", "echo $1", "x", "--help").out == "--help\n"
    assert salvage.run("sh", "--nosuch").code == 2


def test_a_script_and_standard_input(salvage, work):
    (work / "script").write_text("echo script $1\nsalvage --version >/dev/null && exit 5\n")
    result = salvage.run("sh", work / "script", "arg")
    assert result.code == 5 and result.out == "script arg\n"
    with open(work / "script", "rb") as script:
        assert salvage.run("sh", stdin=script).code == 5
    with open(work / "script", "rb") as script:
        assert salvage.run("sh", "-s", "x", stdin=script).out == "script x\n"


def test_an_unset_path_is_empty_whatever_lay_there(sh, work):
    (work / "here").write_text("#!/bin/sh\necho here\n")
    (work / "here").chmod(0o755)
    assert sh("unset PATH; here", env={"MALLOC_PERTURB_": "85"}) == "here\n"


def test_a_person_can_use_it(work):
    """Prompt, interrupt, stop, jobs: dash's own, on a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(BIN, ["sh", "-i"], {"PS1": "> ", "PATH": "/usr/bin:/bin"})

    seen = b""

    def until(text):
        """What comes behind it is left to be read."""
        nonlocal seen
        while text not in seen:
            assert select.select([terminal], [], [], 10)[0], (text, seen)
            seen += os.read(terminal, 4096)
        seen = seen.split(text, 1)[1]

    try:
        until(b"> ")
        for line, answer in ((b"salvage --version\n", b"salvage 0"), (b"echo $((40 + 2))\n", b"42")):
            os.write(terminal, line)
            until(answer)
            until(b"> ")
        # The terminal's keys, once the shell is seen to run a command and to take its turn again.
        for key in (b"\x03", b"\x1a"):
            os.write(terminal, b"sleep 1000\n")
            wait_for(lambda: any(os.tcgetpgrp(terminal) == child for child in children(pid)), why="no foreground job")
            os.write(terminal, key)
            until(b"> ")
        # It warns once of the job that is stopped.
        os.write(terminal, b"exit 3\n")
        until(b"stopped jobs")
        os.write(terminal, b"kill -9 %1; exit 7\n")
        wait_for(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), why="it goes on")
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        pid = 0
        assert code == 7
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(terminal)


def test_it_needs_less_than_two_mebibytes(work):
    """Beyond the file itself, which is mapped: what is private to the process while it waits for a child."""
    folder = work / "bin"
    folder.mkdir()
    shutil.copy2(STATIC, folder / "sh")
    p = subprocess.Popen([str(folder / "sh"), "-c", "X=$(echo 1); /bin/sleep 30; true"])
    try:
        wait_for(lambda: children(p.pid), why="no child")
        rows = status(p.pid)
        assert rows["RssAnon"] <= 2 << 20, rows
    finally:
        subprocess.run(["pkill", "-P", str(p.pid)], check=False)
        p.kill()
        p.wait()


def test_it_is_all_that_an_empty_root_needs(work):
    require_root("changes the root")
    root = work / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], root / "bin" / "sh")
    (root / "proc").mkdir()

    def inside(command):
        return subprocess.run(["/bin/sh", "-c", command], env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              preexec_fn=lambda: os.chroot(root), cwd="/", timeout=20)

    p = inside("cd /; for i in 1 2; do echo $i; done | while read x; do echo got $x; done; echo *; echo ~nobody")
    assert (p.returncode, p.stdout) == (0, b"got 1\ngot 2\nbin proc\n~nobody\n"), p
    # Without /proc our own commands are found by the name that the shell was started by.
    p = inside("salvage --version && sleep 0 && sh -c 'exit 6'")
    assert p.returncode == 6 and p.stdout.startswith(b"salvage "), p
    # In a script that is not the script itself.
    (root / "script").write_text("#!/bin/sh\n[ $# = 0 ] || exit 9\nsleep 0 || exit\nsalvage --version\n")
    (root / "script").chmod(0o755)
    p = inside("/script")
    assert p.returncode == 0 and p.stdout.startswith(b"salvage "), p


@pytest.mark.serial
@pytest.mark.parametrize("time_given, least", [("0.2", 0.2), ("0.1s", 0.1), ("0", 0), ("0.05 0.05", 0.1)])
def test_sleep_sleeps(salvage, time_given, least):
    begun = time.monotonic()
    assert salvage.run("sleep", *time_given.split()).code == 0
    assert least <= time.monotonic() - begun < least + 2


@pytest.mark.parametrize("time_given", ["", "x", "-1", "1y", "0x10", "1e3", "1 x"])
def test_sleep_refuses_what_is_no_time(salvage, time_given):
    result = salvage.run("sleep", *time_given.split(" "))
    assert result.code == 2 and "sleep" in result.message
