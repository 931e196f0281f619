# SPDX-License-Identifier: Apache-2.0
"""A program that pretends to be a JVM: it maps a libjvm.so, and may answer at its socket, as a hostile one would.

usage: pretender.py [--map NAME]... [--quit] [--listen [--answer HOW]]
"""
import argparse
import mmap
import os
import signal
import socket
import sys
import tempfile
import threading
import time


def map_file(folder, name):
    """Keeps a file of that name mapped; the file's folder is gone afterwards, as after an update."""
    path = os.path.join(folder, name)
    with open(path, "wb") as stream:
        stream.write(b"\0" * 4096)
    with open(path, "rb") as stream:
        return mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)


def answer(connection, how):
    """One way to answer a question; by the first word of it, where the first question is for the version."""
    data = connection.recv(65536) if how != "close" else b""
    if how == "close":
        connection.close()
    elif how == "garbage":
        connection.sendall(b"\x1b]0;owned\x07 HTTP/1.1 200 OK\r\n\r\n")
    elif how == "half":
        connection.sendall(b"0")
    elif how == "nothing":
        time.sleep(3600)
    elif b"getversion" in data:
        connection.sendall(b"101\n")
    elif how == "endless":
        connection.sendall(b"0\n")
        while True:
            connection.sendall(b"x" * 65536)
    elif how == "drips":
        connection.sendall(b"0\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)
    elif how == "drips at once":
        while True:
            connection.sendall(b"0")
            time.sleep(0.1)
    elif how == "escapes":
        connection.sendall(b"1\n\x1b]0;owned\x07\x1b[2Jno\nsecond line")
    elif how == "speaks":
        connection.sendall("0\n\x1b]0;owned\x07 \x9b31m \u00fc\r\tthread\n".encode())
        # C1 as single bytes, and what turns the direction of a text, in two halves.
        connection.sendall(b"\x9b2J \x90q \xe2\x80\xaedesrever \xe2\x81")
        time.sleep(0.1)
        connection.sendall(b"\xa6 \xd8\x9c \xe6\x97\xa5\n")
    elif how == "dies":
        connection.sendall(b"0\npart of an answ")
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "huge":
        connection.sendall(b"99999999999999999999\nx")
    connection.close()


def talk(connection, how):
    try:
        answer(connection, how)
    except OSError:
        pass  # The other side has seen enough.


def serve(listener, how):
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0], how), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--map", action="append", default=[])
    parser.add_argument("--quit", action="store_true")
    parser.add_argument("--listen", action="store_true")
    parser.add_argument("--answer", default="nothing")
    told = parser.parse_args()
    quits = []
    if told.quit:
        signal.signal(signal.SIGQUIT, lambda *_: quits.append(1))
    else:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        held = [map_file(folder, name) for name in told.map or ["libjvm.so"]]
    if told.listen:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("/tmp/.java_pid%d" % os.getpid())
        listener.listen(8)
        threading.Thread(target=serve, args=(listener, told.answer), daemon=True).start()
    print("ready", flush=True)
    while sys.stdin.read(1):
        pass
    print(len(held), len(quits), flush=True)


if __name__ == "__main__":
    main()
