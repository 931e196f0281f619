/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings for a store's own tools, from the environment and their files: endpoint, region, CA, style. Our options come
 * before all of them; the caller sees to that.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"

enum store_style { STORE_STYLE_AUTO, STORE_STYLE_PATH, STORE_STYLE_VIRTUAL };

struct store_settings {
    char *endpoint, *region, *ca_file; /* owned; NULL: not said */
    enum store_style style;            /* where the bucket's name goes */
    bool fips, dualstack;              /* the owner's own endpoints of that kind */
    bool accelerate;                   /* S3 Transfer Acceleration, which is not supported */
    bool no_checksums;                 /* only those that the store insists on */
    bool sign_bodies;                  /* over TLS, too */
    struct strv notes;                 /* what is set and not honoured, or worth saying: a sentence each */
};
void store_settings_done(struct store_settings *s);

/* AWS's, for a service ("s3", "sts"): variables, then the profile's (net/awsconfig.h).
 * -FAULT_CREDENTIALS for a profile that is not there, -FAULT_USAGE for a value that makes no sense, -ENOMEM. */
int aws_settings_get(const char *service, struct store_settings *ret, struct err *e);

/* Huawei's: OBS_ENDPOINT, OBS_REGION. */
int obs_settings_get(const char *service, struct store_settings *ret, struct err *e);

/* AWS's endpoint for the service alone, malloc'ed; NULL: AWS's own. */
struct awsconfig;
int aws_settings_endpoint(const struct awsconfig *c, const char *service, char **ret, struct err *e);
int aws_settings_region(const struct awsconfig *c, char **ret);
