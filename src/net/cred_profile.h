/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials that a profile of AWS's files has or names, for the providers that read a profile, and for roles whose
 * source is another profile.
 */
#pragma once

#include "net/awsconfig.h"
#include "net/cred.h"

/* The profile's own: by a token of a web identity (only where the profile names it), its keys, its credential_process.
 * A login (SSO) is refused. -ENOENT: it has none, e says so. */
int cred_profile_get(const struct awsconfig *c, const char *profile, const struct http_options *http,
                     struct credentials *ret, struct err *e);

/* By the token of the profile alone; -ENOENT without. */
int cred_profile_web_identity(const struct awsconfig *c, const char *profile, const struct http_options *http,
                              struct credentials *ret, struct err *e);

/* Runs command for its answer, as credential_process wants it. It has half a minute, and CREDANSWER_MAX bytes; what it
 * says on stderr stands in the message if it fails. */
int cred_process_run(const char *command, const char *source, struct credentials *ret, struct err *e);

/* "KIND PROFILE", which lives on: credentials are handed around between threads. Never NULL. */
const char *cred_profile_source(const char *kind, const char *profile);
