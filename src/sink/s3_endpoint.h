/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a bucket is: endpoint, region and bucket name made into the origin and path of its URLs. Text only.
 *
 *   no endpoint           https://BUCKET.s3.REGION.amazonaws.com/KEY (regions of China: .amazonaws.com.cn)
 *   AWS's own             the same style: bucket before the host
 *   any other             path style: ENDPOINT/BUCKET/KEY
 *   http://{bucket}.HOST  the bucket goes there: for stores that know no path style
 *
 * Path style it is, too, when asked for, and on AWS for buckets that can't be one label of a host name under its
 * certificate (dots, capitals, '_').
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct s3_endpoint {
    char *origin; /* "https://bucket.s3.eu-west-1.amazonaws.com": scheme, host, port unless it is the scheme's own */
    const char *host; /* in origin: what stands in the Host header */
    char *path;       /* encoded, goes before '/' and the key: "", "/bucket" or "/base/bucket" */
};

/* endpoint: "http(s)://HOST[:PORT][/BASE]" or NULL for AWS's. An endpoint "s3[.REGION].amazonaws.com" follows region.
 * -FAULT_USAGE with the story, -ENOMEM. */
int s3_endpoint_init(const char *endpoint, const char *region, const char *bucket, bool path_style,
                     struct s3_endpoint *ret, struct err *e);
void s3_endpoint_done(struct s3_endpoint *p);

/* REGION of "https://s3.REGION.amazonaws.com", malloc'ed; NULL if it isn't that. */
char *s3_endpoint_region(const char *endpoint);

/* Whether text may stand for a region in a host name: it can come from a stranger's answer. */
bool s3_region_valid(const char *text);
