/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment of a component: our own, without variables of options (SALVAGE_…), which would change what the
 * configuration says. A destination with credentials gets those and none of ours:
 *
 *   a folder   each file is a variable, as a Secret is mounted: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …
 *   a file     of AWS's form (AWS_SHARED_CREDENTIALS_FILE); for http(s):// it is --credentials-file
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "node/components.h"

/* -FAULT_CREDENTIALS, -ENOMEM. */
int component_env_make(const struct component_spec *s, struct strv *ret, struct err *e);

/* In a component: its end of the channel to the agent, which counts its events and levels (base/counters.h). -1: this
 * process is none. What it starts is none either. */
int component_env_channel(void);

/* Changes when a file of the credentials, or which files there are, changes. NULL: 0. */
uint64_t component_env_stamp(const char *credentials);
