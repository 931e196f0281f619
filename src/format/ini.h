/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's shared credentials and config files (AWS SDKs and Tools Reference, "Shared config and credentials files"):
 * [profile] sections, name = value, # and ; comments on lines of their own.
 */
#pragma once

#include <stddef.h>

/* The value of name in section (also as "profile SECTION"), malloc'ed; names are case-insensitive. -ENOENT, -ENOMEM. */
int ini_get(const char *data, size_t size, const char *section, const char *name, char **ret);

/* 0 if the section is there, else -ENOENT. */
int ini_has_section(const char *data, size_t size, const char *section);
