/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration that the agent has accepted, for its components: the agent keeps a copy of the text in RUN
 * (node/run_folder.h), so that a file with an error stops none of them.
 */
#pragma once

#include "node/config.h"

/* *ret: to be freed by config_free; untouched on failure. -FAULT_USAGE: the text has an error; -ENOMEM, -errno. */
int accepted_config_load(const char *path, struct config **ret, struct err *e);
