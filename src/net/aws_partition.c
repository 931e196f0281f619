/* SPDX-License-Identifier: Apache-2.0 */
#include "net/aws_partition.h"

#include "base/text.h"

const struct aws_partition AWS_PARTITIONS[] = {
    {"cn-", ".amazonaws.com.cn", ".api.amazonwebservices.com.cn", true},
    {"us-iso-", ".c2s.ic.gov", ".api.aws.ic.gov", false},
    {"us-isob-", ".sc2s.sgov.gov", ".api.aws.scloud", false},
    {"us-isof-", ".csp.hci.ic.gov", NULL, false},
    {"eu-isoe-", ".cloud.adc-e.uk", NULL, false},
    {"eusc-", ".amazonaws.eu", ".api.amazonwebservices.eu", false},
    {"", ".amazonaws.com", ".api.aws", false},
};

const struct aws_partition *aws_partition_of(const char *region)
{
    const struct aws_partition *p = AWS_PARTITIONS;

    while (*p->region && !text_starts(region, p->region))
        p++;
    return p;
}
