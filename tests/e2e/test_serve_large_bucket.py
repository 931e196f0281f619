# SPDX-License-Identifier: Apache-2.0
"""`serve --from` a large bucket: after the first listing, what is new is found by few requests, and what is gone, too."""
import datetime
import json
import os

import pytest

from helpers import case_store
from helpers.large_bucket import LargeBucket
from helpers.proc import wait_for
from helpers.serve import Serve

CASES = int(os.environ.get("SALVAGE_TEST_BUCKET_CASES", "2000"))
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}


def case(namespace, pod, at, number):
    """The objects of one case."""
    folder = "%s/%s/%s-java-oom-%016x" % (namespace, pod, at.strftime("%Y%m%dT%H%M%SZ"), number)
    key = folder + "/heap.hprof.zst"
    return {key: b"0123456789",
            key + ".json": lambda: json.dumps(case_store.manifest(key, namespace, pod, at, number=number)).encode()}


@pytest.fixture
def bucket():
    made = LargeBucket()
    objects = {}
    for i in range(CASES):  # of many pods long ago, but for one that crashes again and again
        at = NOW - datetime.timedelta(days=10, seconds=60 * i) if i % 10 else NOW - datetime.timedelta(seconds=60 * i)
        pod = "cart-7f9c8d6b54-%05d" % (i // 20) if i % 10 else "loop-0"
        objects.update(case(case_store.NAMESPACES[i % 2], pod, at, i + 1))
    made.change(objects)
    yield made
    made.close()


def shown(serve, query):
    return json.loads(serve.get("/-/api/cases?limit=10&loops=apart&" + query).body)["cases"]


def test_what_is_new_and_what_is_gone_is_found_by_few_requests(salvage, work, bucket):
    serve = Serve(salvage, work, "--from", "s3://bucket", "--endpoint", bucket.url, "--anonymous-read", "--refresh", "2s", env=KEYS)
    wait_for(lambda: serve.get("/readyz").status == 200, 120, "it is not ready", 0.1)
    whole = len(bucket.lists)
    assert whole >= 2 * CASES // 1000
    removed = [key for key in bucket.objects if key.startswith("bank/cart-7f9c8d6b54-00003/")]
    newest = min(key for key in bucket.objects if "/loop-0/" + NOW.strftime("%Y%m%dT%H%M%SZ") in key)
    assert removed and shown(serve, "namespace=bank&pod=cart-7f9c8d6b54-00003") and shown(serve, "pod=loop-0")
    added = {**case("shop", "new-7f9c8d6b54-00000", NOW, CASES + 1), **case("team", "first-0", NOW, CASES + 2),
             **case("shop", "loop-0", NOW + datetime.timedelta(hours=1), CASES + 3)}
    before = len(bucket.lists)
    bucket.change(added, [*removed, newest, newest + ".json"])
    for pod, count in (("new-7f9c8d6b54-00000", 1), ("first-0", 1), ("cart-7f9c8d6b54-00003&namespace=bank", 0)):
        wait_for(lambda: len(shown(serve, "pod=" + pod)) == count, 30, pod, 0.1)
    wait_for(lambda: shown(serve, "pod=loop-0")[0]["id"].endswith("%016x" % (CASES + 3)), 30, "the loop's newest is not known", 0.1)
    assert newest.rpartition("/")[0] not in [one["id"] for one in shown(serve, "pod=loop-0")]
    late = "cart-7f9c8d6b54-00000&namespace=" + case_store.NAMESPACES[1]  # of the pods without news the one that had a case last
    had = len(shown(serve, "pod=" + late))
    bucket.change(case(case_store.NAMESPACES[1], late.partition("&")[0], NOW, CASES + 4), [])
    wait_for(lambda: shown(serve, "pod=" + late)[0]["id"].endswith("%016x" % (CASES + 4)), 30, "a late case is not known", 0.1)
    assert len(shown(serve, "pod=" + late)) == had + 1 or had == 10
    print("listings: all of it %d, news %d" % (whole, len(bucket.lists) - before))
    assert ("", None) not in bucket.lists[before:], "all of it was listed again"
