/* SPDX-License-Identifier: Apache-2.0
 *
 * EC2's metadata service, by IMDSv2: a PUT for a token, then requests with it (EC2 User Guide, "Use the Instance
 * Metadata Service"). Version 1 is not used. Never by a proxy.
 */
#pragma once

#include <stdbool.h>

#include "base/secret.h"
#include "net/service.h"

/* AWS_EC2_METADATA_DISABLED: the service is not to be asked. */
bool imds_disabled(void);

/* Its address as the user may set it (AWS SDKs and Tools Reference, "IMDS client"). AWS_EC2_METADATA_SERVICE_ENDPOINT;
 * NULL without. Borrowed, as all here. */
const char *imds_given(void);

/* The one that is given, else the link-local address, of the family that _MODE names. Some end with '/'. */
const char *imds_url(void);

struct imds {
    struct service service; /* deadline_ms, try_ms and answer_max are the caller's */
    struct secret *token;
};

/* Gets the token. -ENOENT: there is no such service; -FAULT_CREDENTIALS: it is there, but refuses us, or does not
 * answer to a container (its hop limit); -FAULT_BUSY, -ENOMEM. imds_done is called either way. */
int imds_open(struct imds *s, struct err *e);
void imds_done(struct imds *s);

/* As service_ask. path: "/latest/…". */
int imds_get(const struct imds *s, const char *path, struct http_answer *ret, struct err *e);
