/* SPDX-License-Identifier: Apache-2.0
 *
 * Arms JVMs as they start (agent/arm.h): looks at /proc every few seconds, as no kernel tells a process without
 * privileges of the start of another. A program that was dealt with is not looked at again; one that is no JVM yet, or
 * could not be armed, is, each time after twice as long. Logs what it does. Blocks: for a process of its own.
 */
#pragma once

#include "agent/arm.h"

struct armfollow_config {
    struct arm_request request; /* wait and history are set here */
    uint64_t every_ms, timeout_ms;
    int stop_fd; /* readable, or hung up: stop */
};

/* Until it is stopped: 0; or why it can't look. */
int armfollow_run(const struct armfollow_config *c, struct err *e);
