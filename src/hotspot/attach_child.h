/* SPDX-License-Identifier: Apache-2.0
 *
 * Connects to a JVM in a child process that takes the JVM's identity, and passes the connection to this process, whose
 * identity never changes. For hotspot/attach_socket.c only.
 */
#pragma once

#include "hotspot/attach_socket.h"

struct attach_child {
    const struct jvm *j;
    const struct attach_wait *wait; /* of the caller: its stop ends the child */
    /* Called in the child: returns a connection, or an error as of attach_socket. wait ends when the parent does. */
    int (*connect)(void *ctx, const struct attach_wait *wait, struct err *e);
    void *ctx;
};

/* The connection, or an error as of attach_socket; -EMFILE. Without the right to take the JVM's identity the child
 * connects with ours. */
int attach_child_connect(const struct attach_child *c, struct err *e);
