# SPDX-License-Identifier: Apache-2.0
"""kernel.core_pattern, which the whole machine shares: locked, and put back whatever happens."""
import contextlib
import fcntl
import pathlib

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
LIMIT = pathlib.Path("/proc/sys/kernel/core_pipe_limit")


@contextlib.contextmanager
def kept_core_pattern():
    """The lock is on the setting itself, so that runs of different folders meet."""
    with PATTERN.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pattern, limit = PATTERN.read_text(), LIMIT.read_text()
        try:
            yield PATTERN
        finally:
            PATTERN.write_text(pattern)
            LIMIT.write_text(limit)
