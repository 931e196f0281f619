#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long a server's pages take for many cases: made without salvage, read by it, and shown after a restart.

usage: catalogue.py [CASES...]    default: 100 10000 100000; prints a line of JSON for each
"""
import http.client
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from helpers.case_store import make
from helpers.program import BIN

PAGES = {"list": "/-/cases", "namespace": "/-/cases?namespace=shop", "text": "/-/cases?q=OutOfMemoryError",
         "apart": "/-/cases?loops=apart", "json": "/-/api/cases", "usage": "/-/usage"}
TIMES = 15


def start(root):
    begun = time.monotonic()
    p = subprocess.Popen([BIN, "serve", "--root", str(root), "--anonymous-read", "--listen", "127.0.0.1:0", "--log", "json"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in p.stderr:
        event = json.loads(line)
        if event["event"] == "serving":
            return p, http.client.HTTPConnection(event["address"]), begun
    raise SystemExit("serve did not start")


def get(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def median_ms(connection, path):
    took = []
    for _ in range(TIMES):
        begun = time.monotonic()
        status, _ = get(connection, path)
        assert status == 200, (path, status)
        took.append(time.monotonic() - begun)
    return round(statistics.median(took) * 1000, 1)


def rss_mib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("VmRSS")) >> 10


def measure(root, count):
    make(root, count)
    p, connection, begun = start(root)
    while get(connection, "/readyz")[0] != 200:
        time.sleep(0.05)
    row = {"cases": count, "cold_s": round(time.monotonic() - begun, 1), "rss_cold_mib": rss_mib(p.pid)}
    p.kill()
    p.wait()
    p, connection, begun = start(root)
    status, body = get(connection, "/-/api/cases?loops=apart")
    assert status == 200 and len(json.loads(body)["cases"]) == min(count, 100)
    row["warm_ms"] = round((time.monotonic() - begun) * 1000)
    time.sleep(1 + count / 20000)  # its first listing, which finds nothing new
    row.update({name + "_ms": median_ms(connection, path) for name, path in PAGES.items()})
    row["rss_mib"] = rss_mib(p.pid)
    p.kill()
    p.wait()
    return row


def main():
    for count in map(int, sys.argv[1:] or ["100", "10000", "100000"]):
        work = pathlib.Path(tempfile.mkdtemp(prefix="salvage-catalogue-", dir="/var/tmp"))
        try:
            print(json.dumps(measure(work, count)), flush=True)
        finally:
            shutil.rmtree(work)


main()
