/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a bucket is: endpoint, region and bucket name made into the origin and path of its URLs. Text only.
 *
 *   no endpoint           https://BUCKET.s3.REGION.amazonaws.com/KEY (regions of China: .amazonaws.com.cn), or
 *                         https://BUCKET.obs.REGION.myhuaweicloud.com/KEY
 *   the owner's own       the same style: bucket before the host
 *   any other             S3: path style: ENDPOINT/BUCKET/KEY; OBS: the same as its own, unless it is an address
 *   http://{bucket}.HOST  the bucket goes there: for stores that know no path style
 *
 * With FIPS or both IPv4 and IPv6 the owner's hosts are s3-fips.REGION, s3.dualstack.REGION, s3-fips.dualstack.REGION.
 * Path style it is, too, when asked for, and at its owner for buckets that can't be one label of a host name under its
 * certificate (dots, capitals, '_').
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/aws_partition.h"
#include "net/store_settings.h"

struct s3_endpoint {
    char *origin; /* "https://bucket.s3.eu-west-1.amazonaws.com": scheme, host, port unless it is the scheme's own */
    const char *host; /* in origin: what stands in the Host header */
    char *path;       /* encoded, goes before '/' and the key: "", "/bucket" or "/base/bucket" */
};

/* The hosts of a dialect's owner: SERVICE.REGION.SUFFIX. */
struct s3_hosts {
    const char *service;                    /* "s3" */
    const struct aws_partition *partitions; /* the first that fits a region; the last fits all */
    bool names_hold_buckets;                /* of others, too */
};
extern const struct s3_hosts S3_HOSTS_AWS, S3_HOSTS_OBS;

/* Which bucket, which of the owner's hosts, and where the bucket's name goes. Borrowed. */
struct s3_placing {
    const char *endpoint; /* "http(s)://HOST[:PORT][/BASE]"; NULL: the owner's */
    const char *region;   /* "": none */
    const char *bucket;
    enum store_style style; /* STORE_STYLE_VIRTUAL: before the host's name wherever that can be */
    bool fips, dualstack;   /* without an endpoint only */
};

/* An endpoint "s3[.REGION].amazonaws.com" follows region, unless that is "". -FAULT_USAGE, -ENOMEM. */
int s3_endpoint_init(const struct s3_hosts *hosts, const struct s3_placing *how, struct s3_endpoint *ret,
                     struct err *e);
void s3_endpoint_done(struct s3_endpoint *p);

/* REGION of "https://s3.REGION.amazonaws.com", malloc'ed; NULL if it isn't that. */
char *s3_endpoint_region(const struct s3_hosts *hosts, const char *endpoint);

/* Whether text may stand for a region in a host name: it can come from a stranger's answer. */
bool s3_region_valid(const char *text);
