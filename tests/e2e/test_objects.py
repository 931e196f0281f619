# SPDX-License-Identifier: Apache-2.0
"""The objects in the store are plain: zstd, gzip and JSON tools read them."""
import json
import os
import re
import subprocess

import pytest

from helpers import zstd_seekable
from helpers.evidence import drop, put
from helpers.stores import sha256, sha256_file

CODECS = {"zstd": (r"zstd:1", ".zst"), "zstd:9": (r"zstd:9", ".zst"), "gzip": (r"gzip:\d", ".gz"),
          "gzip:1": (r"gzip:1", ".gz"), "none": (r"none", "")}


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_is_read_by_its_own_tool(salvage, dumps, store, codec):
    total = drop(dumps, "app.hprof", 3_000_000)
    salvage.ok("ship", dumps / "app.hprof", *store.options(), "--compress", codec, env=store.env)
    manifest = store.check_one(total)  # by zstd -dc, gunzip
    said, suffix = CODECS[codec]
    assert re.fullmatch(said, manifest["codec"])
    assert manifest["key"].endswith("/heap.hprof" + suffix)


def test_without_a_word_compressed_evidence_is_left_as_it_is(salvage, work, dumps, folder):
    data = b"evidence " * 10_000
    made = {"a.hprof.gz": ["gzip", "-c"], "b.dmp": ["zstd", "-c"], "c.phd": ["xz", "-c"]}
    sums = {}
    for name, tool in made.items():
        sums[name] = put(dumps, name, subprocess.run(tool, input=data, stdout=subprocess.PIPE, check=True).stdout)
    for name in made:
        salvage.ok("ship", dumps / name, *folder.options())
    found = {m["name"]: m for _, m in folder.manifests()}
    for name, total in sums.items():
        manifest = found[name]
        assert manifest["codec"] == "none"
        assert manifest["sha256"] == manifest["stored_sha256"] == total == sha256(folder.read(manifest["key"]))
    assert sorted(os.path.basename(m["key"]) for m in found.values()) == ["core.dmp", "heap.hprof.gz", "heap.phd"]


def test_an_explicit_codec_is_obeyed(salvage, dumps, folder):
    data = subprocess.run(["gzip", "-c"], input=b"evidence " * 1000, stdout=subprocess.PIPE, check=True).stdout
    total = put(dumps, "a.hprof.gz", data)
    salvage.ok("ship", dumps / "a.hprof.gz", *folder.options(), "--compress", "zstd:3")
    manifest = folder.check_one(total)
    assert manifest["codec"] == "zstd:3" and manifest["key"].endswith("/heap.hprof.gz.zst")


@pytest.mark.parametrize("size", [200, 511 * 1024, 512 * 1024, 512 * 1024 + 1, 1024 * 1024, 4_321_987])
def test_sizes_around_a_block(salvage, dumps, folder, size):
    total = drop(dumps, "app.hprof", size)
    salvage.ok("ship", dumps / "app.hprof", *folder.options())
    assert folder.check_one(total)["size"] == size


def test_the_seek_table_gives_any_part_without_the_whole(salvage, dumps, s3):
    """Only the object's end and one frame in the middle are fetched; the frame is a zstd file of its own."""
    total = drop(dumps, "app.hprof", 40 << 20, seed=11)
    original = (dumps / "app.hprof").read_bytes()
    salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env)
    manifest = s3.check_one(total)
    key, size = manifest["key"], manifest["stored_size"]
    assert s3.head(key)["ContentLength"] == size

    frames = zstd_seekable.read_table(lambda first, last: s3.read(key, (first, last)), size)
    assert sum(raw for _, _, raw in frames) == len(original)
    assert all(raw == manifest["block_size"] for _, _, raw in frames[:-1])
    middle = len(frames) // 2
    offset, stored, raw = frames[middle]
    frame = subprocess.run(["zstd", "-dc"], input=s3.read(key, (offset, offset + stored - 1)), stdout=subprocess.PIPE,
                           check=True).stdout
    start = middle * manifest["block_size"]
    assert frame == original[start:start + raw]


def test_the_seek_table_of_an_empty_and_of_a_tiny_file(salvage, dumps, folder):
    for name, data in (("core.0", b""), ("core.1", b"x")):
        total = put(dumps, name, data)
        out = json.loads(salvage.ok("ship", dumps / name, *folder.options(), "--json").out)
        stored = folder.read(out["key"])
        frames = zstd_seekable.read_table(lambda first, last, s=stored: s[first:last + 1], len(stored))
        assert [raw for _, _, raw in frames] == [len(data)]  # of an empty file: one frame with nothing in it
        assert out["sha256"] == total


def test_a_large_object_is_multipart_with_several_parts_in_flight(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", 64 << 20, seed=12)
    proxy.rate = 40 << 20
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    manifest = s3.check_one(total)
    assert re.search(r"-\d+$", s3.head(manifest["key"])["ETag"].strip('"')), "not a multipart object"
    parts = proxy.seen(lambda r: r.is_part)
    assert sorted(int(p.query["partNumber"]) for p in parts) == list(range(1, len(parts) + 1)) and len(parts) > 3
    assert all(p.received >= 5 << 20 for p in parts if int(p.query["partNumber"]) < len(parts))
    edges = sorted([(p.began, 1) for p in parts] + [(p.ended, -1) for p in parts])
    at_once = peak = 0
    for _, change in edges:
        at_once += change
        peak = max(peak, at_once)
    assert peak >= 2, "one part after the other"
    assert all(p.headers["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD" for p in parts), "without TLS the body is signed"


def test_a_small_object_is_one_put_that_overwrites_nothing(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", 100_000)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env)
    s3.check_one(total)
    (request,) = proxy.seen(lambda r: r.is_data)
    assert not request.is_part and request.headers.get("if-none-match") == "*"


def test_aws_cli_and_boto3_read_what_we_wrote(salvage, work, dumps, s3, s3_endpoint):
    total = drop(dumps, "app.hprof", 30 << 20)
    out = salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env).out.strip()
    manifest = s3.check_one(total)  # boto3
    assert out == s3.url_of(manifest["key"])
    for name, url in (("object", out), ("manifest", out + ".json")):
        subprocess.run(["/usr/bin/aws", "--endpoint-url", s3_endpoint, "s3", "cp", "--only-show-errors", url,
                        str(work / name)], check=True,
                       env={**s3.env, "PATH": "/usr/bin:/bin", "HOME": str(work), "PYTHONNOUSERSITE": "1"})
    assert sha256_file(work / "object") == manifest["stored_sha256"]
    assert json.loads((work / "manifest").read_text(encoding="utf-8")) == manifest


def test_files_in_a_folder_store_are_private(salvage, dumps, folder):
    """Dumps hold customers' data."""
    drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *folder.options())
    for key in folder.keys():
        assert os.stat(folder.root / key).st_mode & 0o077 == 0, key


def test_the_key_template_is_obeyed(salvage, dumps, folder):
    total = drop(dumps, "app.hprof")
    env = {"POD_NAMESPACE": "shop", "POD_NAME": "cart-7f", "NODE_NAME": "node-1", "CONTAINER_NAME": "cart",
           "POD_UID": "0b1c", "CONTAINER_IMAGE": "registry/cart:7"}
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--key", "{date}/{node}/{place}/{kind}-{id}-{file}",
               env=env)
    manifest = folder.check_one(total)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d/node-1/shop/cart-7f/heap-dump-[0-9a-f]{16}-heap\.hprof\.zst", manifest["key"])
    where = manifest["where"]
    assert (where["namespace"], where["pod"], where["node"], where["container"], where["pod_uid"], where["image"]) == \
        ("shop", "cart-7f", "node-1", "cart", "0b1c", "registry/cart:7")


def test_a_pods_case_lies_below_namespace_and_pod(salvage, dumps, folder):
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), env={"POD_NAMESPACE": "shop", "POD_NAME": "cart-7f"})
    key = folder.check_one(total)["key"]
    assert re.fullmatch(r"shop/cart-7f/\d{8}T\d{6}Z-manual-[0-9a-f]{16}/heap\.hprof\.zst", key)
