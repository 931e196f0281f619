/* SPDX-License-Identifier: Apache-2.0
 *
 * Sec-Fetch-Site is the browser's own judgement, and right behind proxies, too; Origin is for browsers without it.
 */
#include "serve/same_origin.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

bool same_origin_is(const struct same_origin *o)
{
    const char *host = NULL;

    if (o->fetch_site)
        return text_eq(o->fetch_site, "same-origin") || text_eq(o->fetch_site, "none");
    if (!o->origin)
        return true;
    if (text_starts(o->origin, "https://"))
        host = o->origin + strlen("https://");
    else if (text_starts(o->origin, "http://") && !o->tls)
        host = o->origin + strlen("http://");
    return host && o->host && strcasecmp(host, o->host) == 0;
}
