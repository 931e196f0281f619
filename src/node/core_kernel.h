/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's settings for cores: core_pattern and core_pipe_limit (core(5)), which the whole machine shares.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "node/core_config.h"

struct core_kernel {
    char pattern[CORE_BEFORE_MAX];
    uint64_t pipe_limit;
};

/* Where the two files are: "/host/proc" if they are mounted there, which lets a container write to them and to no other
 * setting; else "/proc". */
const char *core_kernel_root(void);

/* root: core_kernel_root() but in tests. -EACCES and the like, with what to do. */
int core_kernel_read(const char *root, struct core_kernel *ret, struct err *e);

/* The limit first: with 0 the kernel does not wait for the handler, and the process would be gone. */
int core_kernel_write(const char *root, const struct core_kernel *k, struct err *e);

/* The pattern first: a core must not come to us with another limit. */
int core_kernel_restore(const char *root, const struct core_kernel *k, struct err *e);
