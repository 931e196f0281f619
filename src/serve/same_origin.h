/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a request that changes something was made by our own page, or by no page at all: browsers add what they know
 * of the caller (a cookie, a password) to requests of any page.
 */
#pragma once

#include <stdbool.h>

/* Headers as they came; NULL: not there. */
struct same_origin {
    const char *fetch_site;    /* Sec-Fetch-Site */
    const char *origin, *host; /* Origin, Host */
    bool tls;                  /* by TLS, as far as we or a trusted proxy know */
};

bool same_origin_is(const struct same_origin *o);
