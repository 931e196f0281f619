/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's two shared files, as its tools read them: AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, AWS_CONFIG_FILE or
 * ~/.aws/config, and the profile in them (AWS_DEFAULT_PROFILE, AWS_PROFILE, else "default"). For a name
 * that stands in both files, the credentials file decides. The text is held in one place, and wiped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/ini.h"

struct awsconfig_file {
    char *path;  /* NULL: HOME is not set */
    bool named;  /* by its variable */
    int trouble; /* why it was not read, -errno; -ENOENT: there is none; 0: it was */
    char *data;  /* owned */
    size_t size;
};

struct awsconfig {
    struct awsconfig_file credentials, config;
    const char *profile;  /* borrowed from the environment, or constant */
    const char *asked_by; /* the variable that names it; NULL: none */
};

/* 0 whatever files there are; -FAULT_CREDENTIALS for a profile that was asked for and is in neither; -ENOMEM. */
int awsconfig_open(struct awsconfig *ret, struct err *e);
void awsconfig_done(struct awsconfig *c);

bool awsconfig_has_profile(const struct awsconfig *c, const char *profile);

/* The value of name in a profile, malloc'ed; below: one of the lines below it, or NULL. An empty one counts as none.
 * 0, with *ret NULL if there is none; -ENOMEM. */
int awsconfig_get(const struct awsconfig *c, const char *profile, const char *name, const char *below, char **ret);

/* The same from one file alone. */
int awsconfig_get_from(const struct awsconfig_file *file, const struct ini_place *place, char **ret);

/* A setting, by its names. */
struct aws_setting {
    const char *variable; /* of the environment, which is asked first; NULL: none */
    const char *name;     /* in the chosen profile; NULL: only by the variable */
    const char *below;    /* one of the lines below name; NULL: name itself */
};

extern const struct aws_setting AWS_SETTING_FIPS, AWS_SETTING_DUALSTACK; /* of all services */

/* *ret_where, which may be NULL: what it is called, for messages; constant or borrowed. 0, with *ret NULL if it is
 * nowhere; -ENOMEM. */
int awsconfig_setting(const struct awsconfig *c, const struct aws_setting *s, char **ret, const char **ret_where);

/* The same for "true" and "false"; *ret stays as it is if it is nowhere. -FAULT_USAGE for another word. */
int awsconfig_flag(const struct awsconfig *c, const struct aws_setting *s, bool *ret, struct err *e);

/* Wipes and frees. */
void awsconfig_wipe(char **value);
