/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether anybody has a file open for writing, in any container: the kernel grants a read lease (fcntl(2),
 * F_SETLEASE) only if no process has. The lease is given back at once: it asks, it does not hold. While it asks, a
 * SIGURG may come, which by default is ignored.
 */
#pragma once

enum lease { LEASE_NO_WRITER, LEASE_WRITER, LEASE_UNKNOWN /* not the owner and no CAP_LEASE, or no leases here */ };

/* fd must be open for reading only. */
enum lease lease_probe(int fd);
