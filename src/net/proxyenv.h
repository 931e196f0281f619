/* SPDX-License-Identifier: Apache-2.0
 *
 * The proxy that the environment names, as libcurl reads it: http_proxy (in small letters only), https_proxy,
 * HTTPS_PROXY, all_proxy, ALL_PROXY, and no_proxy or NO_PROXY.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* The variable that counts for http:// or https://, and its value without what stands before an '@'; NULL without. */
const char *proxyenv_name(bool tls, const char **ret_place);

/* Whether that value is one: [SCHEME://][USER[:PASSWORD]@]HOST[:PORT]. 0, also where no_proxy may mean host;
 * -FAULT_USAGE. The message never shows a password. */
int proxyenv_check(bool tls, const char *host, struct err *e);
