# SPDX-License-Identifier: Apache-2.0
"""A program that has a JVM in it, and no class that it was started for.

usage: embedder.py JDK [OPTION...]
"""
import ctypes
import sys


class Option(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char_p), ("extra", ctypes.c_void_p)]


class Arguments(ctypes.Structure):
    """JavaVMInitArgs (jni.h)."""
    _fields_ = [("version", ctypes.c_int32), ("count", ctypes.c_int32), ("options", ctypes.POINTER(Option)),
                ("ignore_unknown", ctypes.c_uint8)]


def main():
    words = sys.argv[2:]
    options = (Option * len(words))(*[Option(word.encode(), None) for word in words])
    arguments = Arguments(0x00010008, len(words), options, 0)
    machine, env = ctypes.c_void_p(), ctypes.c_void_p()
    library = ctypes.CDLL(sys.argv[1] + "/lib/server/libjvm.so")
    if library.JNI_CreateJavaVM(ctypes.byref(machine), ctypes.byref(env), ctypes.byref(arguments)) != 0:
        sys.exit("no JVM")
    print("ready", flush=True)
    while sys.stdin.read(1):
        pass


if __name__ == "__main__":
    main()
