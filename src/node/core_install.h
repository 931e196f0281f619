/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts the handler into the kernel's settings, and takes it out again. What was there before is kept in the handler's
 * configuration (node/core_config.h), also over a second install, which is an upgrade.
 */
#pragma once

#include "node/core_config.h"
#include "node/core_kernel.h"

struct core_installation {
    const char *proc; /* core_kernel_root() but in tests */
    const char *dir;  /* absolute: the same path for us and on the host */
};

/* options: what the handler gets (struct core_config: sets, by_node; the rest is set here). Copies the
 * program, writes the configuration, then the kernel's settings. */
int core_install(const struct core_installation *i, struct core_config *options, struct err *e);

enum core_uninstalled { CORE_PUT_BACK, CORE_NOT_OURS, CORE_NOT_INSTALLED };

/* Puts back what was there before, if core_pattern is still ours. CORE_NOT_OURS: it was left alone. The copy, its
 * configuration and its copies of files are removed; its log and the ledger of cores stay. Where core_pattern names the
 * handler and its configuration is gone, the kernel's default is set. */
int core_uninstall(const struct core_installation *i, struct err *e);

/* Adds the variables of our environment that the handler needs to reach the store: it starts with none. */
int core_install_environment(char *const *environment, struct core_set *to);
