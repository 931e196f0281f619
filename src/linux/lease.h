/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether any process, in any container, has a file open for writing: the kernel grants a read lease (fcntl(2),
 * F_SETLEASE) only if none has. The lease is returned at once. Meanwhile a SIGURG may arrive, which is ignored by
 * default.
 */
#pragma once

enum lease { LEASE_NO_WRITER, LEASE_WRITER, LEASE_UNKNOWN /* not the owner and no CAP_LEASE, or no leases here */ };

/* fd must be open for reading only. */
enum lease lease_probe(int fd);
