/* SPDX-License-Identifier: Apache-2.0 */
#include "net/imds.h"

#include <strings.h>

#include "base/env.h"

bool imds_disabled(void)
{
    const char *disabled = env_get("AWS_EC2_METADATA_DISABLED");

    return disabled && strcasecmp(disabled, "true") == 0;
}

const char *imds_given(void)
{
    return env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

const char *imds_url(void)
{
    const char *given = imds_given(), *mode = env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (given)
        return given;
    return mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}
