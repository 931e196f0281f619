/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes a read lease and gives it back. In between, a process may open the file for writing: its
 * open(2) waits for the microseconds until the lease is back (with O_NONBLOCK it fails with EWOULDBLOCK, fcntl(2)
 * "Leases"), and the kernel sends us a signal. By default that is SIGIO, which would end the process; we ask for
 * SIGURG, which is ignored by default: anew each time, as giving a lease back resets it (fs/locks.c,
 * lease_modify). A signal below SIGRTMIN also has no queue that could be full, where the kernel falls back on SIGIO.
 */
#include "linux/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

enum lease lease_probe(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) < 0)
        return LEASE_UNKNOWN; /* without that, not at all */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return errno == EAGAIN ? LEASE_WRITER : LEASE_UNKNOWN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return LEASE_NO_WRITER;
}
