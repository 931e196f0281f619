#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Uploads through `salvage serve --from s3://…`: straight to the bucket, and passed through the server. SHIPPERS at once,
each a file of SIZE MiB; seconds, the server's memory (PSS, at its highest) and its CPU seconds. Wants an S3 server as
scripts/bench does.

usage: tests/bench/gateway.py RUNS SHIPPERS SIZE    prints one JSON object
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
# pylint: disable=wrong-import-position
from helpers.proc import cpu_seconds  # noqa: E402
from helpers.program import BIN, Salvage  # noqa: E402
from helpers.serve import Serve  # noqa: E402

TOKEN = "salvage_bench_token_0123456789"
AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


def pss(pid):
    return int(re.search(r"^Pss:\s+(\d+)", pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text("ascii"), re.M)[1]) / 1024


def ship(server, files, work):
    """Seconds until all are stored, and the server's highest memory meanwhile."""
    env = {"PATH": os.environ["PATH"], "HOME": str(work), "SALVAGE_HTTP_TOKEN": TOKEN, "POD_NAMESPACE": "shop",
           "POD_NAME": "cart-1"}
    began, peak = time.perf_counter(), 0
    running = [subprocess.Popen([BIN, "ship", file, "--to", server.url, "--compress", "none"], env=env,
                                stdout=subprocess.DEVNULL) for file in files]
    while any(p.poll() is None for p in running):
        peak = max(peak, pss(server.program.pid))
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    assert all(p.returncode == 0 for p in running), "an upload failed"
    return seconds, peak


def way(salvage, work, files, *more):
    bucket, endpoint = os.environ["SALVAGE_TEST_S3_BUCKET"], os.environ["SALVAGE_TEST_S3_ENDPOINT"]
    server = Serve(salvage, work, "--from", "s3://%s/bench/gateway" % bucket, "--endpoint", endpoint, "--tokens",
                   work / "tokens", *more, env={name: os.environ[name] for name in AWS if name in os.environ})
    rest, cpu = pss(server.program.pid), cpu_seconds(server.program.pid)
    seconds, peak = ship(server, files, work)
    cpu = cpu_seconds(server.program.pid) - cpu
    server.stop()
    return {"seconds": seconds, "rest_mib": rest, "peak_mib": peak, "cpu_s": cpu}


def main():
    runs, shippers, size = (int(a) for a in sys.argv[1:])
    work = pathlib.Path(tempfile.mkdtemp(prefix="salvage-gateway.", dir=os.environ.get("SALVAGE_BENCH_DIR", "/var/tmp")))
    salvage = Salvage(work)
    try:
        files = [work / ("app%d.bin" % i) for i in range(shippers)]
        (work / "tokens").write_text("bench %s read,list,write,delete *\n" % TOKEN)
        (work / "tokens").chmod(0o600)
        found = {"direct": [], "through": []}
        for _ in range(runs):
            for name, more in (("direct", ()), ("through", ("--pass-through",))):
                for file in files:  # each run's are other files: what is stored is not sent again
                    with open(file, "wb") as stream:
                        for _ in range(size):
                            stream.write(os.urandom(1 << 20))
                found[name].append(way(salvage, work, files, *more))
        print(json.dumps({name: {key: statistics.median(run[key] for run in all_) for key in all_[0]}
                          for name, all_ in found.items()}))
    finally:
        salvage.close()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
