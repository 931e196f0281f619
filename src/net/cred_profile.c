/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials from a profile of AWS's shared files, in botocore's order (credentials.py): a login, keys of the
 * credentials file, a program, keys of the config file. Roles are cred_role.c's.
 */
#include "net/cred_profile.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

const char *cred_profile_source(const char *kind, const char *profile)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct source {
        struct source *next;
        char *text;
    } * sources; /* as many as there are names */
    CLEANUP_FREE char *text = NULL;

    if (asprintf(&text, "%s %s", kind, profile) < 0) {
        text = NULL;
        return kind;
    }
    pthread_mutex_lock(&lock);
    struct source *s = sources;
    while (s && strcmp(s->text, text) != 0)
        s = s->next;
    if (!s && (s = malloc(sizeof(*s)))) {
        *s = (struct source){.next = sources, .text = TAKE_PTR(text)};
        sources = s;
    }
    pthread_mutex_unlock(&lock);
    return s ? s->text : kind;
}

/* A login with a browser (SSO) leaves no keys in a file that we could read. */
static int refuse_login(const struct awsconfig *c, const char *profile, struct err *e)
{
    static const char *const names[] = {"sso_account_id", "sso_role_name", "login_session"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CLEANUP_FREE char *value = NULL;

        if (awsconfig_get(c, profile, names[i], NULL, &value) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        if (value)
            return err_set(e, -FAULT_CREDENTIALS,
                           "profile '%s' has credentials by a login (%s%s), which is not followed: use a profile with "
                           "credential_process = aws configure export-credentials --profile %s --format process",
                           profile, i < 2 ? "sso: " : "", names[i], profile);
    }
    return 0;
}

static int value_of(const struct awsconfig_file *file, enum ini_kind kind, const char *profile, const char *name,
                    char **ret)
{
    return awsconfig_get_from(file, &(struct ini_place){.kind = kind, .section = profile, .name = name}, ret);
}

/* -ENOENT: there are none in this file. */
static int keys_of(const struct awsconfig_file *file, enum ini_kind kind, const char *profile, struct credentials *ret,
                   struct err *e)
{
    CLEANUP(awsconfig_wipe) char *access_key = NULL;
    CLEANUP(awsconfig_wipe) char *secret_key = NULL;
    CLEANUP(awsconfig_wipe) char *token = NULL;

    if (value_of(file, kind, profile, "aws_access_key_id", &access_key) < 0 ||
        value_of(file, kind, profile, "aws_secret_access_key", &secret_key) < 0 ||
        value_of(file, kind, profile, "aws_session_token", &token) < 0 ||
        (!token && value_of(file, kind, profile, "aws_security_token", &token) < 0))
        return err_set(e, -ENOMEM, "out of memory");
    if (!access_key && !secret_key)
        return -ENOENT;
    if (!access_key || !secret_key)
        return err_set(e, -FAULT_CREDENTIALS, "profile [%s] in %s has no %s", profile, file->path,
                       access_key ? "aws_secret_access_key" : "aws_access_key_id");
    int r = cred_make(&(struct cred_parts){access_key, secret_key, token}, file->path, ret, e);
    if (r < 0)
        return r;
    ret->source = cred_profile_source("profile", profile);
    return 0;
}

static int by_process(const struct awsconfig *c, const char *profile, struct credentials *ret, struct err *e)
{
    CLEANUP_FREE char *command = NULL;
    int r;

    if (awsconfig_get(c, profile, "credential_process", NULL, &command) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (!command)
        return -ENOENT;
    r = cred_process_run(command, cred_profile_source("credential_process of profile", profile), ret, e);
    return r < 0 ? err_prefix(e, r, "credential_process of profile '%s'", profile) : 0;
}

/* A file that was asked for by name, or that is there and may not be read, is not passed over. */
static int has_none(const struct awsconfig *c, const char *profile, struct err *e)
{
    const struct awsconfig_file *f = &c->credentials;
    bool counts = f->named || (f->path && access(f->path, F_OK) == 0);

    if (!f->path)
        return err_set(e, -ENOENT, "no credentials file: HOME is not set");
    if (f->trouble == -ENOENT && (f->named || !awsconfig_has_profile(c, profile)))
        return err_set(e, counts ? -FAULT_CREDENTIALS : -ENOENT, "no file %s", f->path);
    if (f->trouble < 0 && f->trouble != -ENOENT)
        return err_set(e, counts ? -FAULT_CREDENTIALS : -ENOENT, "cannot read %s: %s", f->path, strerror(-f->trouble));
    if (awsconfig_has_profile(c, profile))
        return err_set(e, -ENOENT, "profile [%s] has no aws_access_key_id, role_arn or credential_process", profile);
    return err_set(e, -ENOENT, "no profile [%s] in %s", profile, f->path);
}

int cred_profile_get(const struct awsconfig *c, const char *profile, const struct http_options *http,
                     struct credentials *ret, struct err *e)
{
    int r = cred_profile_web_identity(c, profile, http, ret, e);

    if (r != -ENOENT)
        return r;
    if ((r = refuse_login(c, profile, e)) < 0)
        return r;
    if ((r = keys_of(&c->credentials, INI_PLAIN, profile, ret, e)) == -ENOENT &&
        (r = by_process(c, profile, ret, e)) == -ENOENT)
        r = keys_of(&c->config, INI_PROFILE, profile, ret, e);
    return r == -ENOENT ? has_none(c, profile, e) : r;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(awsconfig_done) struct awsconfig c = {0};
    int r = awsconfig_open(&c, e);

    if (r < 0)
        return r;
    r = cred_profile_get(&c, c.profile, http, ret, e);
    return r == -ENOENT && c.asked_by ? -FAULT_CREDENTIALS : r;
}

const struct cred_provider CRED_PROFILE = {.name = "profile", .get = get};
