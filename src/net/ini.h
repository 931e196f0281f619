/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. AWS's shared credentials and config files (AWS SDKs and Tools Reference, "Shared config and
 * credentials files"): sections, name = value, values with lines of their own below them, # and ; comments on lines of
 * their own.
 */
#pragma once

#include <stddef.h>

/* What a section is called, for the name NAME. */
enum ini_kind {
    INI_PLAIN,       /* [NAME]: the credentials file's profiles */
    INI_PROFILE,     /* [profile NAME], and [default]: the config file's */
    INI_SERVICES,    /* [services NAME] */
    INI_SSO_SESSION, /* [sso-session NAME] */
    INI_KINDS
};

struct ini_place {
    enum ini_kind kind;
    const char *section;
    const char *name;
    const char *below; /* of the lines below a "name =" without a value: that one's. NULL: the value of name itself */
};

/* The value there, malloc'ed; names are case-insensitive. -ENOENT, -ENOMEM. */
int ini_get(const char *data, size_t size, const struct ini_place *place, char **ret);

/* 0 if the section is there, else -ENOENT. */
int ini_has_section(const char *data, size_t size, enum ini_kind kind, const char *section);
