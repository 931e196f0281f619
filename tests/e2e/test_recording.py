# SPDX-License-Identifier: Apache-2.0
"""Flight recordings of real JVMs: the numbers are those of the JDK's own tool."""
import collections
import json
import subprocess

import pytest

USAGE = 2


def events(jdk, recording):
    names = ["jdk.GarbageCollection", "jdk.OldObjectSample", "jdk.JVMInformation"]
    out = subprocess.run([jdk + "/bin/jfr", "print", "--json", "--events", ",".join(names), recording], check=True, stdout=subprocess.PIPE, timeout=120).stdout
    found = json.loads(out)["recording"]["events"]
    return ([event["values"] for event in found if event["type"] == name] for name in names)


def inspect(salvage, recording):
    return json.loads(salvage.ok("inspect", recording, "--json", "--top", "1000").out)


def record(jvm, path):
    subprocess.run([jvm.jdk + "/bin/java", "-Xmx128m", f"-XX:StartFlightRecording=filename={path},settings=profile", "-cp", jvm.classes, "Recorded"],
                   check=True, stdout=subprocess.DEVNULL, timeout=120)
    return path


def seconds(iso):
    assert iso.startswith("PT") and iso.endswith("S")
    return float(iso[2:-1])


def test_a_recording_has_the_numbers_of_the_jdk(salvage, work, any_jvm, folder):
    recording = record(any_jvm, work / "app.jfr")
    found = inspect(salvage, recording)
    collected, old, jvms = events(any_jvm.jdk, recording)
    assert found["cut"] is None and found["schema"] == "salvage.recording/1"
    assert found["collections"]["count"] == len(collected) > 0
    assert found["collections"]["pause_seconds"] == pytest.approx(sum(seconds(e["sumOfPauses"]) for e in collected), abs=1e-4)
    assert found["collections"]["longest_seconds"] == pytest.approx(max(seconds(e["longestPause"]) for e in collected), abs=1e-4)
    assert {row["cause"]: row["count"] for row in found["collections"]["causes"]} == collections.Counter(e["cause"] for e in collected)
    samples = collections.Counter(e["object"]["type"]["name"].replace("/", ".") for e in old)
    assert sum(row["count"] for row in found["old_objects"]) == sum(samples.values())
    assert samples["Recorded$Order"] > 0
    for row in found["old_objects"]:
        if not row["class"].endswith("[]"):
            assert row["count"] == samples[row["class"]], row
    assert (found["jvm"], found["version"], found["pid"]) == tuple(jvms[0][name] for name in ("jvmName", "jvmVersion", "pid"))
    assert found["command"] == "Recorded" and "-XX:StartFlightRecording" in found["options"]
    assert {"class": "java.lang.InternalError", "count": 1} in found["errors"]
    text = salvage.ok("inspect", recording).out
    assert f"GC         {len(collected)} collections" in text and "1 × java.lang.InternalError" in text and "\033" not in text
    # What is shipped has the sentence.
    manifest = json.loads(salvage.ok("ship", recording, *folder.options(), "--keep", "--json", env=folder.env).out)
    assert manifest["summary"].startswith("flight recording of ") and " GC pauses, " in manifest["summary"]
    assert "old objects sampled: " in manifest["summary"]


def test_several_chunks_and_a_cut_one(salvage, work, jvm_17):
    recording = record(jvm_17, work / "app.jfr")
    whole, once = recording.read_bytes(), inspect(salvage, recording)
    twice = work / "twice.jfr"
    twice.write_bytes(whole + whole)
    found = inspect(salvage, twice)
    assert found["chunks"] == 2 * once["chunks"] and found["cut"] is None
    assert found["collections"]["count"] == 2 * once["collections"]["count"]
    cut = work / "cut.jfr"
    cut.write_bytes(whole + whole[:len(whole) // 2])
    found = inspect(salvage, cut)
    assert found["cut"] and found["collections"]["count"] >= once["collections"]["count"]
    assert "The recording is not whole" in salvage.ok("inspect", cut).out
    cut.write_bytes(whole[:40])
    assert "it is no flight recording" in salvage.run("inspect", cut).err
    refused = salvage.run("inspect", recording, "--html", work / "x.html")
    assert refused.code == USAGE and "a flight recording" in refused.err
