/* SPDX-License-Identifier: Apache-2.0
 *
 * By name, and by value where a URL may hold a password.
 */
#include "net/secretenv.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

enum { NAME_SIZE = 256 };

static const char *const OWN[] = {"SALVAGE_HTTP_*", "SALVAGE_CREDENTIALS_FILE", "SALVAGE_TOKEN_FILE",
                                  "SALVAGE_HEADER*"};

/* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI counts as a secret: a process that knows it gets the task's keys. */
static const char *const STORES[] = {"AWS_CONFIG_FILE",  "AWS_*CREDENTIALS*", "AWS_*TOKEN*",   "AWS_*SECRET*",
                                     "AWS_*ACCESS_KEY*", "AWS_*PASSWORD*",    "OBS_*TOKEN*",   "OBS_*SECRET*",
                                     "OBS_*ACCESS_KEY*", "AZURE_STORAGE_*",   "AZURE_*TOKEN*", "IDENTITY_HEADER"};

static bool fits_any(const char *name, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

/* "http://user:password@host/", and as proxies are also written, "user:password@host". */
static bool has_user(const char *value, bool proxy)
{
    const char *from = strstr(value, "://"), *at;

    if (!from && !proxy)
        return false;
    from = from ? from + strlen("://") : value;
    at = strpbrk(from, "@/?#");
    return at && *at == '@';
}

static const char *name_of(const char *variable, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%.*s", (int)strcspn(variable, "="), variable);
    return out;
}

bool secretenv_is(const char *variable, enum secretenv which)
{
    char name[NAME_SIZE];
    const char *value = strchr(variable, '=');
    size_t size = strlen(name_of(variable, name));
    bool own = text_starts(name, "SALVAGE_"), proxy = size > 6 && strcasecmp(name + size - 6, "_proxy") == 0;

    value = value ? value + 1 : "";
    if (fits_any(name, OWN, ARRAY_SIZE(OWN)) || (own && has_user(value, false)))
        return true;
    if (which == SECRETENV_OWN)
        return false;
    return fits_any(name, STORES, ARRAY_SIZE(STORES)) || (proxy && has_user(value, true)) ||
           ((text_starts(name, "AWS_") || text_starts(name, "OBS_")) && has_user(value, false));
}

int secretenv_without(char *const *environment, enum secretenv which, const char *const *pass, size_t pass_count,
                      struct strv *ret)
{
    CLEANUP(strv_done) struct strv kept = {0};
    char name[NAME_SIZE];

    for (char *const *v = environment; v && *v; v++)
        if ((!secretenv_is(*v, which) || fits_any(name_of(*v, name), pass, pass_count)) && strv_add(&kept, *v) < 0)
            return -ENOMEM;
    *ret = kept;
    kept = (struct strv){0};
    return 0;
}
