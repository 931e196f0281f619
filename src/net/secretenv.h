/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of an environment that hold credentials of a store: an application or a user's command that salvage starts
 * gets an environment without them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

enum secretenv {
    SECRETENV_OWN, /* that are salvage's alone: SALVAGE_HTTP_…, SALVAGE_CREDENTIALS_FILE, SALVAGE_HEADER, and any
                      SALVAGE_ variable with a user or password in a URL */
    SECRETENV_ALL  /* also keys, tokens and files of credentials by AWS_, OBS_ and AZURE_ names, endpoints and proxies
                      with a  user or password: an application may well have those for itself */
};

/* variable: "NAME=value". */
bool secretenv_is(const char *variable, enum secretenv which);

/* The environment without them, but with those whose name fits a pattern of pass (fnmatch(3)). 0 or -ENOMEM. */
int secretenv_without(char *const *environment, enum secretenv which, const char *const *pass, size_t pass_count,
                      struct strv *ret);
