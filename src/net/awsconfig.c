/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules are botocore's (session.py, configloader.py): profiles of the credentials file lie over those of the config
 * file, name by name.
 */
#include "net/awsconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { FILE_MAX = 1024 * 1024 };

static const char DEFAULT[] = "default";

const struct aws_setting AWS_SETTING_FIPS = {.variable = "AWS_USE_FIPS_ENDPOINT", .name = "use_fips_endpoint"};
const struct aws_setting AWS_SETTING_DUALSTACK = {.variable = "AWS_USE_DUALSTACK_ENDPOINT",
                                                  .name = "use_dualstack_endpoint"};

void awsconfig_wipe(char **value)
{
    if (*value)
        explicit_bzero(*value, strlen(*value));
    free(*value);
    *value = NULL;
}

/* A leading "~/" is meant to be HOME, as in other tools. */
static int find_path(const char *variable, const char *name, struct awsconfig_file *ret)
{
    CLEANUP(buf_done) struct buf path = {0};
    const char *given = env_get(variable), *home = env_get("HOME");
    int r = 0;

    ret->named = given != NULL;
    if (given && (!text_starts(given, "~/") || !home))
        r = buf_add_text(&path, given);
    else if (given)
        r = buf_printf(&path, "%s/%s", home, given + 2);
    else if (home)
        r = buf_printf(&path, "%s/.aws/%s", home, name);
    else
        return 0;
    if (r < 0)
        return r;
    return (ret->path = buf_take(&path)) ? 0 : -ENOMEM;
}

/* Not file_load: its buffer grows, and leaves copies behind. The size is not asked for: it may be a pipe. */
static int load(struct awsconfig_file *f)
{
    CLEANUP_FD int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;

    if (fd < 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    if (!(f->data = malloc(FILE_MAX + 1)))
        return -ENOMEM;
    n = file_read(fd, f->data, FILE_MAX + 1);
    f->size = n > 0 ? (size_t)n : 0;
    return n < 0 ? (int)n : n > FILE_MAX ? -EFBIG : 0;
}

static int open_file(const char *variable, const char *name, struct awsconfig_file *ret)
{
    int r = find_path(variable, name, ret);

    if (r < 0)
        return r;
    ret->trouble = ret->path ? load(ret) : -ENOENT;
    if (ret->trouble < 0)
        ret->size = 0;
    return ret->trouble == -ENOMEM ? -ENOMEM : 0;
}

static void close_file(struct awsconfig_file *f)
{
    if (f->data)
        explicit_bzero(f->data, f->size);
    free(f->data);
    free(f->path);
    *f = (struct awsconfig_file){0};
}

void awsconfig_done(struct awsconfig *c)
{
    close_file(&c->credentials);
    close_file(&c->config);
}

static bool is_in(const struct awsconfig_file *f, enum ini_kind kind, const char *section)
{
    return ini_has_section(f->data, f->size, kind, section) == 0;
}

bool awsconfig_has_profile(const struct awsconfig *c, const char *profile)
{
    return is_in(&c->credentials, INI_PLAIN, profile) || is_in(&c->config, INI_PROFILE, profile);
}

static int no_profile(const struct awsconfig *c, struct err *e)
{
    if (!c->credentials.path && !c->config.path)
        return err_set(e, -FAULT_CREDENTIALS, "no profile '%s', which %s names: HOME is not set, so there is no file",
                       c->profile, c->asked_by);
    if (is_in(&c->config, INI_PLAIN, c->profile))
        return err_set(e, -FAULT_CREDENTIALS, "no profile '%s', which %s names: in %s its section must be [profile %s]",
                       c->profile, c->asked_by, c->config.path, c->profile);
    return err_set(e, -FAULT_CREDENTIALS, "no profile '%s', which %s names, in %s%s or %s%s", c->profile, c->asked_by,
                   c->credentials.path ? c->credentials.path : "-",
                   c->credentials.trouble < 0 ? " (cannot be read)" : "", c->config.path ? c->config.path : "-",
                   c->config.trouble < 0 ? " (cannot be read)" : "");
}

int awsconfig_open(struct awsconfig *ret, struct err *e)
{
    static const char *const variables[] = {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"};
    CLEANUP(awsconfig_done) struct awsconfig c = {.profile = DEFAULT};

    for (size_t i = 0; i < ARRAY_SIZE(variables) && !c.asked_by; i++)
        if (env_get(variables[i])) {
            c.profile = env_get(variables[i]);
            c.asked_by = variables[i];
        }
    if (open_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", &c.credentials) < 0 ||
        open_file("AWS_CONFIG_FILE", "config", &c.config) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (c.asked_by && !awsconfig_has_profile(&c, c.profile))
        return no_profile(&c, e);
    *ret = c;
    c = (struct awsconfig){0};
    return 0;
}

int awsconfig_get_from(const struct awsconfig_file *file, const struct ini_place *place, char **ret)
{
    int r = ini_get(file->data, file->size, place, ret);

    return r == -ENOENT ? 0 : r;
}

int awsconfig_get(const struct awsconfig *c, const char *profile, const char *name, const char *below, char **ret)
{
    struct ini_place place = {.kind = INI_PLAIN, .section = profile, .name = name, .below = below};
    char *found = NULL;
    int r = awsconfig_get_from(&c->credentials, &place, &found);

    place.kind = INI_PROFILE;
    if (r == 0 && !found)
        r = awsconfig_get_from(&c->config, &place, &found);
    if (r < 0)
        return r;
    if (found && !*found)
        awsconfig_wipe(&found);
    *ret = found;
    return 0;
}

int awsconfig_setting(const struct awsconfig *c, const struct aws_setting *s, char **ret, const char **ret_where)
{
    const char *value = s->variable ? env_get(s->variable) : NULL, *where = s->variable;
    char *copy = NULL;
    int r = 0;

    if (value)
        r = (copy = strdup(value)) ? 0 : -ENOMEM;
    else if (s->name) {
        where = s->below ? s->below : s->name;
        r = awsconfig_get(c, c->profile, s->name, s->below, &copy);
    }
    if (r < 0)
        return r;
    *ret = copy;
    if (ret_where)
        *ret_where = where;
    return 0;
}

int awsconfig_flag(const struct awsconfig *c, const struct aws_setting *s, bool *ret, struct err *e)
{
    CLEANUP_FREE char *text = NULL;
    const char *where = NULL;
    int r = awsconfig_setting(c, s, &text, &where);

    if (r < 0)
        return err_set(e, r, "out of memory");
    if (!text)
        return 0;
    if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
        return err_set(e, -FAULT_USAGE, "%s = %.40s: it is neither true nor false", where, text);
    *ret = strcasecmp(text, "true") == 0;
    return 0;
}
