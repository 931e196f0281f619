# SPDX-License-Identifier: Apache-2.0
"""A portable heap dump as OpenJ9 writes it (version 5, words of 64 bits), with long records alone."""
import struct


class Writer:
    def __init__(self):
        self.out = bytearray()
        self.last = 0
        self.text(b"portable heap dump")
        self.out += struct.pack(">IIB", 5, 1, 1) + b"\x04"
        self.text(b"JRE 17 Linux amd64-64 (build 17.0.15+6)")
        self.out += b"\x02\x02"

    def text(self, text):
        self.out += struct.pack(">H", len(text)) + text

    def at(self, address):
        self.out += struct.pack(">i", (address - self.last) // 4)
        self.last = address

    def references(self, to):
        self.out += struct.pack(">I", len(to)) + b"".join(struct.pack(">i", (t - self.last) // 4) for t in to)

    def klass(self, address, name, size, statics=()):
        self.out += b"\x06\xa0"
        self.at(address)
        self.out += struct.pack(">IQ", size, 0)
        self.text(name.encode())
        self.references(statics)

    def object(self, address, klass, to=()):
        self.out += b"\x04\xa0"
        self.at(address)
        self.out += struct.pack(">Q", klass)
        self.references(to)

    def array(self, address, klass, to):
        self.out += b"\x08\xa0"
        self.at(address)
        self.out += struct.pack(">Q", klass)
        self.references(to)
        self.out += struct.pack(">I", len(to))

    def bytes(self, address, length):
        self.out += b"\x32"  # byte[], distance and length of 4 bytes
        self.at(address)
        self.out += struct.pack(">I", length)

    def done(self):
        return bytes(self.out) + b"\x03"


def cache_of_orders(count):
    """A static of com.shop.Cart holds an array of orders, each with a byte[] of 1000."""
    w = Writer()
    cart, order, java, first = 0x1000, 0x1100, 0x1200, 0x10000
    orders = [first + 16 + 8 * count + 1048 * i for i in range(count)]
    w.klass(cart, "com/shop/Cart", 16, [first])
    w.klass(order, "com/shop/Order", 28)
    w.klass(java, "java/lang/Class", 32)
    w.array(first, order, orders)
    for at in orders:
        w.object(at, order, [at + 32])
        w.bytes(at + 32, 1000)
    return w.done()
