/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's partitions: what the names of their hosts end with, and which kinds of endpoints they have (botocore,
 * partitions.json; S3's and STS's endpoint rules). Text only.
 */
#pragma once

#include <stdbool.h>

struct aws_partition {
    const char *region;      /* what its regions begin with; "" for the last, which holds all others */
    const char *suffix;      /* ".amazonaws.com" */
    const char *dual_suffix; /* of other services than S3 with both IPv4 and IPv6; NULL: the partition has none */
    bool no_s3_fips;
};

extern const struct aws_partition AWS_PARTITIONS[];

/* Never NULL. */
const struct aws_partition *aws_partition_of(const char *region);
