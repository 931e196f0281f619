# SPDX-License-Identifier: Apache-2.0
"""watch and guard --metrics: what they count, and that it costs nothing at rest."""
import os
import time
import urllib.error
import urllib.request

import pytest

from helpers import openmetrics
from helpers.evidence import drop
from helpers.proc import wait_for


def get(address, path="/metrics"):
    with urllib.request.urlopen("http://%s%s" % (address, path), timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read()


def metrics(address):
    kind, body = get(address)
    assert kind == openmetrics.TYPE
    return openmetrics.parse(body)


def switches(pid):
    """Of all its threads: how often they were on a processor by their own will."""
    count = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task), encoding="ascii") as stream:
            count += sum(int(line.split()[1]) for line in stream if line.startswith("voluntary_ctxt_switches"))
    return count


def test_a_watch_counts_what_it_ships(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--metrics", "127.0.0.1:0", "--settle", "1s",
                          "--key", "shop/cart/{id}/{file}")
    address = watch.wait("metrics")["address"]
    assert metrics(address)["salvage_waiting_claims"] == {"": 0}
    drop(dumps)
    shipped = watch.wait("shipped")
    found = metrics(address)
    assert found["salvage_shipped_objects_total"] == {"shop": 1}
    assert found["salvage_shipped_bytes_total"] == {"shop": shipped["stored"]}
    assert abs(found["salvage_event_last_timestamp_seconds"]["shipped"] - time.time()) < 60
    assert found["salvage_events_total"]["shipped"] == 1 and found["salvage_events_total"]["failed"] == 0
    assert get(address, "/healthz")[1] == b"ok\n"
    with pytest.raises(urllib.error.HTTPError):
        get(address, "/shop/cart")
    assert watch.stop() == 0


def test_failures_and_the_queue_are_seen(salvage, dumps):
    watch = salvage.watch(dumps, "--to", "http://127.0.0.1:9/x", "--metrics", "127.0.0.1:0", "--settle", "1s")
    address = watch.wait("metrics")["address"]
    drop(dumps)
    watch.wait("failed")
    found = metrics(address)
    assert found["salvage_events_total"]["failed"] >= 1 and found["salvage_waiting_claims"] == {"": 1}


@pytest.mark.serial
def test_at_rest_it_costs_nothing(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--metrics", "127.0.0.1:0")
    address = watch.wait("metrics")["address"]
    threads = len(os.listdir("/proc/%d/task" % watch.pid))
    metrics(address)
    wait_for(lambda: len(os.listdir("/proc/%d/task" % watch.pid)) <= threads, 10, "the connection's thread stays")
    time.sleep(1.5)
    before = switches(watch.pid)
    time.sleep(2)
    assert switches(watch.pid) - before <= 1


def test_an_address_that_is_taken_gets_one_line(salvage, dumps, folder):
    first = salvage.watch(dumps, *folder.options(), "--metrics", "127.0.0.1:0")
    address = first.wait("metrics")["address"]
    for wrong in address, "nowhere", "127.0.0.1:99999":
        result = salvage.run("watch", dumps, *folder.options(), "--metrics", wrong, "--once")
        assert result.code != 0 and "--metrics " + wrong in result.err and result.err.count("\n") == 1


def test_a_guard_counts_what_its_cases_ship(salvage, groups, folder):
    """By namespace, though each case is a process of its own."""
    guard = salvage.start("guard", "--pid", os.getpid(), "--when", "memory>=1M", "--do", "stats", "--cooldown", "1h",
                          *folder.options(), "--metrics", "127.0.0.1:0", "--log", "json",
                          env={"POD_NAMESPACE": "shop", "POD_NAME": "cart-1", "NODE_NAME": "n"})
    address = guard.wait("metrics")["address"]
    guard.wait("guard-made")
    shipped = guard.named("shipped")
    found = metrics(address)
    assert found["salvage_events_total"]["shipped"] == len(shipped) >= 1
    namespace = shipped[0]["key"].partition("/")[0]
    assert found["salvage_shipped_objects_total"] == {namespace: len(shipped)}
    assert found["salvage_shipped_bytes_total"] == {namespace: sum(e["stored"] for e in shipped)}


def test_a_guard_counts_its_targets(salvage, groups, folder):
    group = groups(64 << 20)
    guard = salvage.start("guard", "--cgroup", group.folder, *folder.options(), "--metrics", "127.0.0.1:0", "--log", "json")
    address = guard.wait("metrics")["address"]
    wait_for(lambda: metrics(address).get("salvage_guarded_targets") == {"": 1}, 10, "no target")
    assert metrics(address)["salvage_events_total"]["guarding"] == 1
