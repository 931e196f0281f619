/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials and region from AWS's shared files. Only keys that are written there: a profile that takes a role, an SSO
 * login or a helper program to get some is refused by name, not passed over.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "format/ini.h"
#include "net/cred.h"

enum { FILE_MAX = 1024 * 1024 };

/* A file's text: in one place only, which is wiped. */
struct text {
    char *data;
    size_t size;
};

static void text_done(struct text *t)
{
    if (t->data)
        explicit_bzero(t->data, t->size);
    free(t->data);
}

static void wipe(char **value)
{
    if (*value)
        explicit_bzero(*value, strlen(*value));
    free(*value);
}

static const char *profile_name(void)
{
    const char *name = env_get("AWS_PROFILE");
    return name ? name : "default";
}

/* The file that variable names, else ~/.aws/NAME. A leading "~/" is meant to be HOME, as in other tools. -ENOENT
 * without HOME. */
static int find_path(const char *variable, const char *name, char **ret)
{
    CLEANUP(buf_done) struct buf path = {0};
    const char *given = env_get(variable), *home = env_get("HOME");
    int r;
    if (given && (strncmp(given, "~/", 2) != 0 || !home))
        r = buf_add_text(&path, given);
    else if (given)
        r = buf_printf(&path, "%s/%s", home, given + 2);
    else if (home)
        r = buf_printf(&path, "%s/.aws/%s", home, name);
    else
        return -ENOENT;
    if (r < 0)
        return r;
    return (*ret = buf_take(&path)) ? 0 : -ENOMEM;
}

/* Not file_load: its buffer grows, and leaves copies behind. The size is not asked for: it may be a pipe. */
static int load(const char *path, struct text *ret)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    struct text t = {.data = malloc(FILE_MAX + 1)};
    if (!t.data)
        return -ENOMEM;
    ssize_t n = file_read(fd, t.data, FILE_MAX + 1);
    t.size = n > 0 ? (size_t)n : 0;
    if (n < 0 || n > FILE_MAX) {
        text_done(&t);
        return n < 0 ? (int)n : -EFBIG;
    }
    *ret = t;
    return 0;
}

/* "profile NAME", which lives on: credentials are handed around between threads. There are as many as there are
 * names. */
static const char *source_name(const char *profile)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct source {
        struct source *next;
        char text[];
    } * sources;
    static const char prefix[] = "profile ";
    size_t size = sizeof(prefix) + strlen(profile);
    pthread_mutex_lock(&lock);
    struct source *s = sources;
    while (s && strcmp(s->text + sizeof(prefix) - 1, profile) != 0)
        s = s->next;
    if (!s && (s = malloc(sizeof(*s) + size))) {
        snprintf(s->text, size, "%s%s", prefix, profile);
        s->next = sources;
        sources = s;
    }
    pthread_mutex_unlock(&lock);
    return s ? s->text : "profile";
}

/* *ret stays NULL if it isn't there. */
static int get_value(const struct text *t, const char *profile, const char *name, char **ret)
{
    int r = ini_get(t->data, t->size, profile, name, ret);
    return r == -ENOENT ? 0 : r;
}

static int from_profile(const struct text *t, const char *path, const char *profile, bool asked,
                        struct credentials *ret, struct err *e)
{
    CLEANUP(wipe) char *access_key = NULL;
    CLEANUP(wipe) char *secret_key = NULL;
    CLEANUP(wipe) char *token = NULL;
    int missing = asked ? -FAULT_CREDENTIALS : -ENOENT;
    if (ini_has_section(t->data, t->size, profile) < 0)
        return err_set(e, missing, "no profile [%s] in %s", profile, path);
    if (get_value(t, profile, "aws_access_key_id", &access_key) < 0 ||
        get_value(t, profile, "aws_secret_access_key", &secret_key) < 0 ||
        get_value(t, profile, "aws_session_token", &token) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (!access_key && !secret_key)
        return err_set(e, missing, "profile [%s] in %s has no aws_access_key_id (roles and SSO are not followed)",
                       profile, path);
    if (!access_key || !secret_key)
        return err_set(e, -FAULT_CREDENTIALS, "profile [%s] in %s has no %s", profile, path,
                       access_key ? "aws_secret_access_key" : "aws_access_key_id");
    int r = cred_make(access_key, secret_key, token, path, ret, e);
    if (r < 0)
        return r;
    ret->source = source_name(profile);
    return 0;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    (void)http;
    CLEANUP_FREE char *path = NULL;
    CLEANUP(text_done) struct text text = {0};
    const char *profile = profile_name();
    bool asked = env_get("AWS_PROFILE");
    int r = find_path("AWS_SHARED_CREDENTIALS_FILE", "credentials", &path);
    if (r == -ENOENT)
        return err_set(e, asked ? -FAULT_CREDENTIALS : -ENOENT, "no credentials file: HOME is not set");
    if (r < 0)
        return err_set(e, r, "out of memory");
    r = load(path, &text);
    if (r == -ENOENT || r == -ENOTDIR) {
        if (asked)
            return err_set(e, -FAULT_CREDENTIALS, "no file %s, where AWS_PROFILE=%s should be", path, profile);
        /* A file that was asked for by name is not passed over either. */
        r = env_get("AWS_SHARED_CREDENTIALS_FILE") ? -FAULT_CREDENTIALS : -ENOENT;
        return err_set(e, r, "no file %s", path);
    }
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    if (r < 0)
        return err_set(e, -FAULT_CREDENTIALS, "cannot read %s: %s", path, strerror(-r));
    return from_profile(&text, path, profile, asked, ret, e);
}

int cred_profile_region(char **ret)
{
    CLEANUP_FREE char *path = NULL, *region = NULL;
    CLEANUP(text_done) struct text text = {0};
    int r = find_path("AWS_CONFIG_FILE", "config", &path);
    if (r == 0)
        r = load(path, &text);
    if (r == 0)
        r = ini_get(text.data, text.size, profile_name(), "region", &region);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !region || !*region)
        return -ENOENT; /* a region has a default: a file that can't be read is not worth a failure */
    *ret = TAKE_PTR(region);
    return 0;
}

const struct cred_provider CRED_PROFILE = {.name = "profile", .get = get};
