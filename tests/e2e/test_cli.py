# SPDX-License-Identifier: Apache-2.0
"""Help, version, and the two formats of the log."""
import json
import re

import pytest

from helpers.evidence import drop

COMMANDS = ["watch", "ship", "ls", "get", "install"]


@pytest.mark.parametrize("args", [[], ["help"], ["--help"], ["-h"]], ids=" ".join)
def test_help_lists_the_commands(salvage, args):
    done = salvage.ok(*args)
    for command in COMMANDS:
        assert re.search(r"(?m)^\s+%s\s" % command, done.out), command
    assert done.err == "" and "worker" not in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(salvage, command):
    outs = {salvage.ok(*args).out for args in (["help", command], [command, "--help"])}
    assert len(outs) == 1, "two ways, one text"
    (text,) = outs
    assert text.startswith(("usage: ", "Usage: ", "salvage ")) and len(text.splitlines()) > 5
    assert max(len(line) for line in text.splitlines()) <= 120


def test_help_of_what_is_no_command(salvage):
    result = salvage.run("help", "frobnicate")
    assert result.code == 2 and "frobnicate" in result.message


@pytest.mark.parametrize("args, near", [
    (["wacth"], "did you mean 'watch'?"), (["shp"], "did you mean 'ship'?"), (["jvm", "thread"], "did you mean 'jvm threads'?"),
    (["help", "exitcodes"], "did you mean 'exit-codes'?"), (["ship", "--memroy"], "did you mean --memory?"),
    (["workr"], "see 'salvage help'"), (["frobnicate"], "see 'salvage help'"), (["jvm", "frobnicate"], "see 'salvage jvm")])
def test_a_slip_of_the_keyboard_is_met_with_the_nearest(salvage, args, near):
    result = salvage.run(*args)
    assert result.code == 2 and near in result.message
    assert "worker" not in result.message, "what is hidden is not proposed"


@pytest.mark.parametrize("command", [["watch", "."], ["ship", "x"], ["ls"], ["get", "0123"]], ids=" ".join)
def test_a_region_that_is_none_is_met_at_the_start(salvage, command):
    """Not when the first dump is to be shipped."""
    result = salvage.run(*command, "--to", "s3://evidence/prod", "--region", "eu west")
    assert result.code == 2 and "--region" in result.message


def test_version(salvage):
    assert re.fullmatch(r"salvage \d+\.\d+\.\d+\n", salvage.ok("--version").out)


def test_version_as_json_names_the_libraries(salvage):
    """Of the program with system libraries: the ones it was built against, and the shell, which is always linked in."""
    told = json.loads(salvage.ok("--version", "--json").out)
    assert told["name"] == "salvage" and told["version"] == salvage.ok("--version").out.split()[1]
    components = {c["name"]: c for c in told["components"]}
    assert components["dash"]["linked"] == "static"
    needed = {c["name"] for c in told["components"] if c["linked"] == "shared"}
    assert {"curl", "openssl", "libuv1", "libzstd", "zlib", "jansson", "expat", "xxhash"} <= needed
    for c in told["components"]:
        assert c["source"].startswith("pkg:") and c["version"][0].isdigit() and c["version"] in c["source"], c


def test_version_takes_no_argument(salvage):
    result = salvage.run("--version", "curl")
    assert result.code == 2 and "curl" in result.message


def test_text_and_json_logs_say_the_same(salvage, work, folder):
    events = {}
    for form in ("text", "json"):
        dumps = work / form
        dumps.mkdir()
        drop(dumps, "app.hprof", 5000, seed=61)
        watch = salvage.start("watch", dumps, *folder.options(), "--once", "--log", form)
        assert watch.end() == 0
        lines = watch.log.splitlines()
        if form == "json":
            events[form] = [json.loads(line) for line in lines]
        else:
            pair = re.compile(r'([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^ "]+)')
            events[form] = [dict(pair.findall(line)) for line in lines]
            assert all(re.match(r"time=\S+ level=\S+ event=\S+", line) for line in lines), lines
    assert [e["event"] for e in events["text"]] == [e["event"] for e in events["json"]]
    assert [sorted(e) for e in events["text"]] == [sorted(e) for e in events["json"]]


def test_only_events_of_the_table_are_logged(salvage, dumps, folder):
    table = set(re.findall(r"(?m)^\| `([a-z-]+)` \|", salvage.ok("docs", "events").out))
    assert "shipped" in table
    drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, *folder.options(), "--once")
    assert watch.end() == 0
    assert {e["event"] for e in watch.events} <= table
