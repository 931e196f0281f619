# SPDX-License-Identifier: Apache-2.0
"""Parts over TLS are sent with UNSIGNED-PAYLOAD only if the store verifies a checksum instead."""
import base64
import re

import pytest

from helpers.evidence import drop
from helpers.proxy import s3_error
from helpers.tls import Authority

SIZE = 12 << 20  # two parts


@pytest.fixture
def proxy(work, proxy_to, s3_host):
    authority = Authority(work, "good")
    proxy = proxy_to(s3_host, certificate=authority.server("DNS:localhost"))
    proxy.options = ["--ca-file", authority.certificate, "--compress", "none"]
    return proxy


def crc32c(data):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return base64.b64encode((crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


class Compares:
    """A store that compares the checksums of parts, and says so when an upload is begun. damage: of so many bodies it
    gets a flipped bit. mute: it does not say so of the parts."""

    def __init__(self, damage=0, mute=False):
        self.damage, self.mute = damage, mute
        self.sums = {}

    def __call__(self, link, request):
        more = {}
        if request.is_create and "x-amz-checksum-algorithm" in request.headers:
            more["x-amz-checksum-algorithm"] = request.headers["x-amz-checksum-algorithm"]
        if request.is_part and not self.mute:
            data = link.take(request)
            if self.damage:
                self.damage -= 1
                data = data[:99] + bytes([data[99] ^ 1]) + data[100:]
            more["x-amz-checksum-crc32c"] = self.sums[int(request.query["partNumber"])] = crc32c(data)
            if more["x-amz-checksum-crc32c"] != request.headers["x-amz-checksum-crc32c"]:
                return s3_error(400, "BadDigest")(link, request)
        if request.is_complete and not self.mute:
            parts = re.findall(rb"<PartNumber>(\d+)</PartNumber>.*?<ChecksumCRC32C>([^<]*)<", link.take(request))
            assert {int(number): value.decode() for number, value in parts} == self.sums
        if request.method == "HEAD" and "x-amz-checksum-mode" in request.headers and self.sums:
            whole = b"".join(base64.b64decode(self.sums[number]) for number in sorted(self.sums))
            more["x-amz-checksum-crc32c"] = "%s-%d" % (crc32c(whole), len(self.sums))
        reply = link.ask(request)
        lines = "".join("%s: %s\r\n" % pair for pair in more.items())
        reply.head = reply.head[:-2] + lines.encode() + b"\r\n"
        return link.answer(request, reply)


def ship(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SIZE)
    done = salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), *proxy.options, env=s3.env)
    s3.check_one(total)
    return done, proxy.seen(lambda r: r.is_part)


def is_unsigned(part):
    return part.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"


def test_a_store_that_compares_checksums_gets_one_and_an_unsigned_body(salvage, dumps, s3, proxy):
    proxy.harm(Compares(), times=1000)
    _, parts = ship(salvage, dumps, s3, proxy)
    assert len(parts) == 2 and all(is_unsigned(part) for part in parts)
    assert [r for r in proxy.seen() if r.method == "HEAD" and "x-amz-checksum-mode" in r.headers], "the whole is compared"


def test_a_body_that_was_damaged_is_sent_again(salvage, dumps, s3, proxy):
    proxy.harm(Compares(damage=1), times=1000)
    _, parts = ship(salvage, dumps, s3, proxy)
    assert sorted(part.status for part in parts) == [200, 200, 400]


def test_a_whole_with_another_checksum_is_not_believed(salvage, dumps, s3, proxy):
    store = Compares()
    proxy.harm(lambda link, request: (store.sums.update({1: "AAAAAA=="}), store(link, request))[1],
               lambda r: r.method == "HEAD" and "x-amz-checksum-mode" in r.headers)
    proxy.harm(store, times=1000)
    drop(dumps, "app.hprof", SIZE)
    done = salvage.run("ship", dumps / "app.hprof", *s3.through(proxy).options(), *proxy.options, "--give-up", "1s",
                       env=s3.env)
    assert "checksum" in done.err and "has to be sent again" in done.err, done


def test_a_store_that_knows_no_checksums_gets_signed_bodies(salvage, dumps, s3, proxy):
    _, parts = ship(salvage, dumps, s3, proxy)
    assert len(parts) == 2 and not any(is_unsigned(part) for part in parts)


def test_a_policy_that_demands_signed_bodies(salvage, dumps, s3, proxy):
    proxy.harm(s3_error(403, "AccessDenied"), lambda r: r.is_part and is_unsigned(r), times=1000)
    proxy.harm(Compares(mute=True), times=1000)
    done, parts = ship(salvage, dumps, s3, proxy)
    assert "going on without" in done.err
    assert sum(is_unsigned(part) for part in parts if part.status == 200) == 0


def test_a_part_that_the_store_did_not_compare_is_sent_again_signed(salvage, dumps, s3, proxy):
    proxy.harm(Compares(mute=True), times=1000)
    _, parts = ship(salvage, dumps, s3, proxy)
    assert {int(part.query["partNumber"]) for part in parts if not is_unsigned(part)} == {1, 2}


def test_a_profile_that_demands_signed_bodies(salvage, work, dumps, s3, proxy):
    (work / "config").write_text("[default]\ns3 =\n  payload_signing_enabled = true\n", encoding="ascii")
    proxy.harm(Compares(), times=1000)
    s3.env["AWS_CONFIG_FILE"] = str(work / "config")
    _, parts = ship(salvage, dumps, s3, proxy)
    assert len(parts) == 2 and not any(is_unsigned(part) for part in parts)
