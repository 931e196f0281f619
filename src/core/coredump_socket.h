/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The kernel's protocol on the socket of a core_pattern "@@/path" (Linux 6.17): it connects, sends a
 * request, takes an answer, sends a mark, and then the core; with "@/path" (6.16) it sends the core at once. Format:
 * the kernel's include/uapi/linux/coredump.h, fs/coredump.c; written here, as Debian 12's headers have none of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the answer exactly one of the first three. */
#define COREDUMP_BY_KERNEL 1ULL    /* the kernel writes the core to the socket */
#define COREDUMP_BY_USERSPACE 2ULL /* the server reads the process itself */
#define COREDUMP_NONE 4ULL         /* there will be no core */
#define COREDUMP_WAITS 8ULL        /* the process stands still until the server closes its end */

enum { COREDUMP_REQUEST_MIN = 16, COREDUMP_REQUEST_MAX = 4096, COREDUMP_ANSWER_SIZE = 16, COREDUMP_MARK_SIZE = 4 };

struct coredump_request {
    uint32_t size;        /* bytes of it, the rest after COREDUMP_REQUEST_MIN is unknown to us and to be skipped */
    uint32_t answer_size; /* the most that the kernel takes */
    uint64_t mask;        /* what the kernel can do */
};

/* The first COREDUMP_REQUEST_MIN bytes. 0 or -EBADMSG. */
int coredump_request_parse(const void *data, size_t size, struct coredump_request *ret);

/* Makes the answer. -EOPNOTSUPP: the kernel can't do it. */
int coredump_answer_make(const struct coredump_request *request, bool take, unsigned char ret[COREDUMP_ANSWER_SIZE]);

/* What the kernel says to the answer: NULL: it is accepted; else why not. Static. */
const char *coredump_mark_problem(const unsigned char mark[COREDUMP_MARK_SIZE]);
