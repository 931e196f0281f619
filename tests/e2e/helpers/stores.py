# SPDX-License-Identifier: Apache-2.0
"""The three sorts of store, each seen from two sides: as the program's options, and directly (a folder's files, the
file server's root, boto3), which is what the tests believe."""
import hashlib
import json
import os
import pathlib
import subprocess
import uuid

DECODERS = {"zstd": ["zstd", "-dc"], "gzip": ["gunzip", "-c"], "none": None}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_file(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def decode(codec, data):
    """The evidence's bytes, by the tools everybody has. codec: as in a manifest, "zstd:1"."""
    decoder = DECODERS[codec.partition(":")[0]]
    if not decoder:
        return data
    done = subprocess.run(decoder, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, "%s: %s" % (decoder[0], done.stderr)
    return done.stdout


class Store:
    """url and args are what the user gives, env what the program needs in its environment."""

    url = None
    args = ()
    env = {}

    def options(self):
        return ["--to", self.url, *self.args]

    def keys(self):
        """Everything that is there, half-done things too."""
        raise NotImplementedError

    def read(self, key):
        raise NotImplementedError

    def overwrite(self, key, data):
        raise NotImplementedError

    def url_of(self, key):
        return self.url + "/" + key

    def unfinished(self):
        """What a broken-off upload has left, if the store keeps that where keys() does not see it."""
        return []

    def manifests(self):
        """Every manifest, as (key of its object, parsed)."""
        found = []
        for key in self.keys():
            if key.endswith(".json") and not key.endswith("/digest.json"):
                found.append((key[: -len(".json")], json.loads(self.read(key))))
        return found

    def check(self, key, manifest):
        """One object against its manifest, down to the last byte."""
        assert manifest["schema"] == "salvage.manifest/1"
        assert manifest["key"] == key
        stored = self.read(key)
        assert len(stored) == manifest["stored_size"], key
        assert sha256(stored) == manifest["stored_sha256"], key
        evidence = decode(manifest["codec"], stored)
        assert len(evidence) == manifest["size"], key
        assert sha256(evidence) == manifest["sha256"], key
        return evidence

    def check_all(self, sums):
        """Exactly these pieces of evidence (by SHA-256 of what lay on the disk), each once, byte for byte, each with
        its manifest, and nothing else. Returns the manifests by SHA-256."""
        manifests = self.manifests()
        assert sorted(m["sha256"] for _, m in manifests) == sorted(sums), [m["name"] for _, m in manifests]
        for key, manifest in manifests:
            self.check(key, manifest)
        expected = sorted(name for key, _ in manifests for name in (key, key + ".json"))
        digests = {os.path.dirname(key) + "/digest.json" for key, _ in manifests}
        assert sorted(set(self.keys()) - digests) == expected, "something else lies in the store"
        assert self.unfinished() == [], "uploads were left behind"
        return {m["sha256"]: m for _, m in manifests}

    def check_one(self, expected_sum):
        return self.check_all([expected_sum])[expected_sum]


class Files(Store):
    """What lies in a folder, ours or a file server's."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def keys(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if not p.is_dir())

    def read(self, key):
        return (self.root / key).read_bytes()

    def overwrite(self, key, data):
        (self.root / key).parent.mkdir(parents=True, exist_ok=True)
        (self.root / key).write_bytes(data)


class Folder(Files):
    def __init__(self, root):
        super().__init__(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.url = "file://" + str(root)


class Http(Files):
    """A file server; root is what it serves below url."""

    def __init__(self, root, url, args=(), env=None):
        super().__init__(root)
        self.url, self.args, self.env = url, list(args), dict(env or {})


class Served(Http):
    """salvage serve, which has files of its own in the root."""

    def keys(self):
        return [key for key in super().keys() if not key.startswith(".salvage/")]


class S3(Store):
    """A prefix of its own in the test bucket. Endpoint: the server itself, or a proxy before it."""

    def __init__(self, client, bucket, endpoint, credentials, prefix=None):
        self.client, self.bucket = client, bucket
        self.prefix = prefix or "e2e-" + uuid.uuid4().hex[:12]
        self.url = "s3://%s/%s" % (bucket, self.prefix)
        self.args = ["--endpoint", endpoint]
        self.env = dict(credentials)

    def through(self, proxy):
        """The same place by way of a proxy."""
        return S3(self.client, self.bucket, proxy.url, self.env, self.prefix)

    def objects(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + "/")
        return [entry for page in pages for entry in page.get("Contents", [])]

    def keys(self):
        return sorted(entry["Key"][len(self.prefix) + 1:] for entry in self.objects())

    def full(self, key):
        return self.prefix + "/" + key

    def head(self, key):
        return self.client.head_object(Bucket=self.bucket, Key=self.full(key))

    def read(self, key, byte_range=None):
        more = {"Range": "bytes=%d-%d" % byte_range} if byte_range else {}
        return self.client.get_object(Bucket=self.bucket, Key=self.full(key), **more)["Body"].read()

    def overwrite(self, key, data):
        self.client.put_object(Bucket=self.bucket, Key=self.full(key), Body=data)

    def unfinished(self):
        answer = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix + "/")
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def clear(self):
        keys = [{"Key": entry["Key"]} for entry in self.objects()]
        for at in range(0, len(keys), 1000):
            self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys[at:at + 1000], "Quiet": True})
        self.clear_uploads()

    def clear_uploads(self):
        answer = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix + "/")
        for upload in answer.get("Uploads", []):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
