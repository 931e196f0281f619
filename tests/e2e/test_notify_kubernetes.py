# SPDX-License-Identifier: Apache-2.0
"""Notices as Events of Kubernetes, where the API server refuses, is slow or is away; a real one is in
test_kubernetes_node.py."""
import os

import pytest
from helpers.kube_events import KubeEvents, refusal
from helpers.proc import wait_for

UID = "0f0e0d0c-1111-2222-3333-444455556666"


@pytest.fixture
def api():
    one = KubeEvents()
    yield one
    one.close()


def small_dump(path):
    part = path.with_suffix(".part")
    part.write_bytes(b"JAVA PROFILE 1.0.2\0\0\0\0\x08" + os.urandom(64))
    part.rename(path)


@pytest.fixture
def watch(salvage, work, dumps, api):
    """A sidecar's watch, or with --layout that of many pods."""
    (work / "store").mkdir()

    def start(*args, form="kubernetes", env=None):
        env = {"POD_NAMESPACE": "shop", "POD_NAME": "cart-0", "POD_UID": UID, "NODE_NAME": "node-7"} if env is None else env
        one = salvage.watch(dumps, "--to", "file://%s/store" % work, "--settle", "100ms", "--notify", "%s:%s" % (form, api.url),
                            *args, env=env)
        one.wait("started")
        return one

    return start


def test_an_event_is_made_and_counts_on(watch, api, dumps):
    one = watch("--notify-every", "1h")
    for n in range(1, 4):
        small_dump(dumps / "java_pid7.hprof")
        one.wait("notice-sent", n)
    event, = api.events.values()
    assert event["count"] == 3 and event["reason"] == "OutOfMemoryError" and event["type"] == "Warning"
    assert event["involvedObject"]["uid"] == UID and event["source"] == {"component": "salvage", "host": "node-7"}
    assert "Evidence: salvage get file://" in event["message"] and len(event["message"]) <= 1024
    assert one.stop() == 0


def test_without_the_right_to_patch_each_case_is_an_event(watch, api, dumps):
    api.answers["PATCH", "shop"] = refusal(403, "Forbidden")
    one = watch()
    for n in range(1, 3):
        small_dump(dumps / "java_pid7.hprof")
        one.wait("notice-sent", n)
    assert sorted(event["count"] for event in api.events.values()) == [1, 1]


def test_a_crash_loop_makes_five_requests_and_then_waits(watch, api, dumps):
    one = watch("--notify-every", "1h")
    for n in range(1, 9):
        small_dump(dumps / "java_pid7.hprof")
        one.wait("shipped", n)
        wait_for(lambda: len(one.named("notice-sent")) == min(n, 5), 10, "case %d" % n)
    assert one.stop() == 0
    assert [e["count"] for e in api.events.values()] == [8] # what waited came with the end
    assert len(api.asked) == 6


def test_a_missing_right_is_one_line_and_holds_up_no_other_namespace(watch, api, dumps):
    api.answers["POST", "shop"] = refusal(403, "Forbidden", message="events is forbidden")
    one = watch("-r", "--layout", "namespace/pod", env={})
    for place in "shop/cart-0", "shop/cart-1", "bank/till-0":
        (dumps / place).mkdir(parents=True)
        small_dump(dumps / place / "java_pid7.hprof")
    event = api.wait()
    assert event["metadata"]["namespace"] == "bank"
    assert "uid" not in event["involvedObject"]  # nor does the API server know this pod
    assert "the right to get pods" in one.wait("notice-sent")["note"]
    one.wait("shipped", 3)
    assert one.stop() == 0
    waits, = [e for e in one.events if e["event"] == "notice-waits"]
    assert waits["fault"] == "denied" and "the right to create events in shop" in waits["error"]


def test_the_uid_is_asked_for_where_it_is_not_known(watch, api, dumps):
    api.pods["cart-0"] = UID
    one = watch("-r", "--layout", "namespace/pod", env={})
    (dumps / "shop/cart-0").mkdir(parents=True)
    small_dump(dumps / "shop/cart-0/java_pid7.hprof")
    assert api.wait()["involvedObject"]["uid"] == UID
    assert "note" not in one.wait("notice-sent")


def test_a_namespace_that_goes_takes_its_notices_with_it(watch, api, dumps):
    api.answers["POST", "shop"] = refusal(403, "Forbidden", details={"causes": [{"reason": "NamespaceTerminating"}]})
    one = watch()
    small_dump(dumps / "java_pid7.hprof")
    assert "is being deleted" in one.wait("notice-dropped")["reason"]
    assert one.stop() == 0


def test_a_busy_api_server_holds_up_no_dump(watch, api, dumps):
    api.answers["POST", "shop"] = refusal(429, "TooManyRequests")
    one = watch()
    small_dump(dumps / "java_pid7.hprof")
    assert one.wait("notice-waits")["fault"] == "busy"
    small_dump(dumps / "java_pid8.hprof")
    one.wait("shipped", 2)
    del api.answers["POST", "shop"]
    assert api.wait()["reason"] == "OutOfMemoryError"
    one.wait("notice-sent")


def test_an_api_server_that_hangs_holds_up_no_dump(watch, api, dumps):
    api.delay_s = 60
    one = watch()
    for n in 1, 2:
        small_dump(dumps / "java_pid7.hprof")
        one.wait("shipped", n)
    wait_for(lambda: api.asked, 10, "no request came")
    api.delay_s = 0
    one.kill()


def test_the_last_case_is_an_annotation_if_asked_for(watch, api, dumps):
    one = watch(form="kubernetes-annotation")
    small_dump(dumps / "java_pid7.hprof")
    shipped = one.wait("shipped")
    one.wait("notice-sent")
    case = api.annotations["cart-0"]["salvage.dev/last-case"]
    assert case.startswith("shop/cart-0/") and case in shipped["key"]
    assert not api.events


def test_outside_of_kubernetes_it_is_one_line(salvage, work, dumps):
    (work / "store").mkdir()
    one = salvage.watch(dumps, "--to", "file://%s/store" % work, "--settle", "100ms", "--notify", "kubernetes",
                        env={"POD_NAMESPACE": "shop", "POD_NAME": "cart-0"})
    small_dump(dumps / "java_pid7.hprof")
    assert "this is no pod" in one.wait("notice-waits")["error"]
    assert one.stop() == 0
