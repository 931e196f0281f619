/* SPDX-License-Identifier: Apache-2.0
 *
 * From an answer to the next request.
 */
#include "store/http/http_redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "net/url.h"

enum { LOCATION_MAX = 8192 };

bool http_redirect_may_go(const char *from, const char *to)
{
    struct url_parts ours, theirs;

    return url_split(from, &ours) == 0 && url_split(to, &theirs) == 0 && (theirs.https || !ours.https);
}

bool http_redirect_follow(const struct http_request *r, const struct http_answer *a, struct http_request *ret,
                          char **ret_url)
{
    CLEANUP_FREE char *location = NULL;

    if (a->status != 307 || !(location = malloc(LOCATION_MAX)) || !http_header(a, "Location", location, LOCATION_MAX) ||
        !http_redirect_may_go(r->url, location))
        return false;
    *ret = (struct http_request){.method = r->method, .url = location, .write = r->write, .ctx = r->ctx};
    for (unsigned i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, "Range") == 0)
            ret->headers[ret->header_count++] = r->headers[i];
    *ret_url = TAKE_PTR(location);
    return true;
}

char *http_redirect_through(const char *url)
{
    char *text;

    return asprintf(&text, "%s?through", url) >= 0 ? text : NULL;
}
