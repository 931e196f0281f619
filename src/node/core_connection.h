/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection of the kernel to our socket: the process behind it, and the answer to its request.
 */
#pragma once

#include "core/coredump_socket.h"
#include "node/handler_protocol.h"

struct core_connection {
    int fd;        /* borrowed */
    bool requests; /* "@@": the kernel asks first */
    struct coredump_request request;
    struct crash crash;
};

/* Reads the request, and the facts of the process behind the socket (SO_PEERPIDFD). crash.pidfd is open then; the
 * caller closes it. -EACCES: the peer is no process that dumps core; -ETIMEDOUT; -EBADMSG. */
int core_connection_open(struct core_connection *c, struct err *e);

/* Answers the kernel. After taking, the signal is known (crash.signal): of the beginning of the core, where the kernel
 * does not say it otherwise; nothing of the core is consumed. */
int core_connection_answer(struct core_connection *c, bool take, struct err *e);
