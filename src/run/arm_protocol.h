/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: `run` to the process that arms its application's JVMs (`salvage run-arm`), as its command line. When the
 * channel (LAUNCH_CHANNEL) ends, the application has ended. Both ends are in this header.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "base/strv.h"

struct run_arm_request {
    const char *dir; /* the folder where JVMs dump */
    bool armed;      /* JVMs are armed by their environment */
    enum log_format log;
    pid_t group; /* the application's process group; known only after its start */
};

enum { RUN_ARM_GROUP_MAX = 16 };

/* "salvage", "run-arm", and everything but the group. 0 or -ENOMEM. */
int run_arm_encode(const struct run_arm_request *r, struct strv *ret);

/* Writes the last argument, the group, into out; returns out. */
const char *run_arm_encode_group(pid_t group, char out[RUN_ARM_GROUP_MAX]);

/* argv[0] is "run-arm". 0 or -FAULT_USAGE. */
int run_arm_decode(int argc, char **argv, struct run_arm_request *ret, struct err *e);
