/* SPDX-License-Identifier: Apache-2.0
 *
 * Where EC2's metadata service is, as its users may say (AWS SDKs and Tools Reference, "IMDS client").
 */
#pragma once

#include <stdbool.h>

/* AWS_EC2_METADATA_DISABLED: the service is not to be asked. */
bool imds_disabled(void);

/* AWS_EC2_METADATA_SERVICE_ENDPOINT; NULL without. Borrowed, as all here. */
const char *imds_given(void);

/* The one that is given, else the link's own address: _MODE says of which family. Some end with '/'. */
const char *imds_url(void);
