/* SPDX-License-Identifier: Apache-2.0
 *
 * The one redirect that is followed: a server before a bucket (salvage serve --from) answers a download with 307 and
 * the presigned URL of the object in the bucket. Our credentials and the user's headers are for the server alone.
 */
#pragma once

#include "store/http/http_store.h"

/* Whether a request to `to` may follow from an answer of `from`: not from https to http. */
bool http_redirect_may_go(const char *from, const char *to);

/* Whether the answer to r sends us elsewhere, and we go there: 307 with an absolute http(s) URL, but never from https
 * to http. True with the request to be sent instead: r's method, Range and body's reader, nothing else; *ret_url, which
 * it borrows, is malloc'ed. */
bool http_redirect_follow(const struct http_request *r, const struct http_answer *a, struct http_request *ret,
                          char **ret_url);

/* r's URL with the query that asks a server not to redirect; malloc'ed, NULL without memory. */
char *http_redirect_through(const char *url);
