/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's settings in botocore's order (configprovider.py): of a service's endpoint its variable, the variable for all,
 * the profile's services section, the profile. What is set and would change where or how evidence is stored, and is not
 * honoured, becomes a note.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/awsconfig.h"
#include "net/cabundle.h"
#include "net/store_settings.h"

static const struct aws_setting IGNORE_ENDPOINTS = {.variable = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                                    .name = "ignore_configured_endpoint_urls"};
static const struct aws_setting ENDPOINT = {.variable = "AWS_ENDPOINT_URL"};
static const struct aws_setting REGION = {.variable = "AWS_REGION"};
static const struct aws_setting DEFAULT_REGION = {.variable = "AWS_DEFAULT_REGION", .name = "region"};
static const struct aws_setting CHECKSUMS = {.variable = "AWS_REQUEST_CHECKSUM_CALCULATION",
                                             .name = "request_checksum_calculation"};
static const struct aws_setting ACCELERATE = {.name = "s3", .below = "use_accelerate_endpoint"};
static const struct aws_setting SIGN_BODIES = {.name = "s3", .below = "payload_signing_enabled"};
static const struct aws_setting S3_DUALSTACK = {
    .variable = "AWS_USE_DUALSTACK_ENDPOINT", .name = "s3", .below = "use_dualstack_endpoint"};

static int no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory");
}

static int from_services(const struct awsconfig *c, const char *service, char **ret, struct err *e)
{
    CLEANUP_FREE char *section = NULL;
    int r = awsconfig_get(c, c->profile, "services", NULL, &section);

    if (r < 0 || !section)
        return r < 0 ? no_memory(e) : 0;
    if (ini_has_section(c->config.data, c->config.size, INI_SERVICES, section) < 0)
        return err_set(e, -FAULT_USAGE, "profile '%s' says services = %s, but there is no [services %s] in %s",
                       c->profile, section, section, c->config.path ? c->config.path : "the config file");
    r = awsconfig_get_from(
        &c->config,
        &(struct ini_place){.kind = INI_SERVICES, .section = section, .name = service, .below = "endpoint_url"}, ret);
    return r < 0 ? no_memory(e) : 0;
}

/* An empty value counts as unset. */
static void drop_empty(char **value)
{
    if (*value && !**value) {
        free(*value);
        *value = NULL;
    }
}

int aws_settings_endpoint(const struct awsconfig *c, const char *service, char **ret, struct err *e)
{
    CLEANUP_FREE char *found = NULL;
    char variable[40] = "AWS_ENDPOINT_URL_";
    bool ignore = false;
    size_t at = strlen(variable);
    int r = awsconfig_flag(c, &IGNORE_ENDPOINTS, &ignore, e);

    for (size_t i = 0; service[i] && at + 1 < sizeof(variable); i++)
        variable[at++] = (char)toupper((unsigned char)service[i]);
    if (r < 0 || ignore)
        return r;
    if (awsconfig_setting(c, &(struct aws_setting){.variable = variable}, &found, NULL) < 0 ||
        (!found && awsconfig_setting(c, &ENDPOINT, &found, NULL) < 0))
        return no_memory(e);
    if (!found && (r = from_services(c, service, &found, e)) < 0)
        return r;
    drop_empty(&found);
    if (!found && awsconfig_get(c, c->profile, "endpoint_url", NULL, &found) < 0)
        return no_memory(e);
    *ret = TAKE_PTR(found);
    return 0;
}

int aws_settings_region(const struct awsconfig *c, char **ret)
{
    int r = awsconfig_setting(c, &REGION, ret, NULL);

    return r == 0 && !*ret ? awsconfig_setting(c, &DEFAULT_REGION, ret, NULL) : r;
}

static int find_style(const struct awsconfig *c, enum store_style *ret, struct err *e)
{
    static const char *const names[] = {
        [STORE_STYLE_AUTO] = "auto", [STORE_STYLE_PATH] = "path", [STORE_STYLE_VIRTUAL] = "virtual"};
    CLEANUP_FREE char *text = NULL;

    if (awsconfig_get(c, c->profile, "s3", "addressing_style", &text) < 0)
        return no_memory(e);
    for (size_t i = 0; text && i < ARRAY_SIZE(names); i++)
        if (text_eq(text, names[i])) {
            *ret = (enum store_style)i;
            return 0;
        }
    return text ? err_set(e, -FAULT_USAGE, "addressing_style = %.40s in profile '%s': it is auto, path or virtual",
                          text, c->profile)
                : 0;
}

static int find_checksums(const struct awsconfig *c, bool *ret, struct err *e)
{
    CLEANUP_FREE char *text = NULL;
    const char *where = NULL;

    if (awsconfig_setting(c, &CHECKSUMS, &text, &where) < 0)
        return no_memory(e);
    *ret = text && strcasecmp(text, "when_required") == 0;
    if (text && !*ret && strcasecmp(text, "when_supported") != 0)
        return err_set(e, -FAULT_USAGE, "%s = %.40s: it is when_supported or when_required", where, text);
    return 0;
}

/* The order is cabundle.h's: the file's setting is asked last. */
static int find_ca_file(const struct awsconfig *c, char **ret, struct err *e)
{
    if (cabundle_named())
        return 0;
    return awsconfig_get(c, c->profile, "ca_bundle", NULL, ret) < 0 ? no_memory(e) : 0;
}

/* Settings of a profile that are not honoured. */
static const struct ignored {
    const char *name, *below;
    const char *unless; /* the value that changes nothing; NULL: none */
    const char *advice;
} IGNORED[] = {
    {"s3", "signature_version", "s3v4", "requests are signed by version 4"},
    {"s3", "max_bandwidth", NULL, "uploads are as fast as the line"},
    {"ec2_metadata_service_endpoint", NULL, NULL, "set AWS_EC2_METADATA_SERVICE_ENDPOINT"},
    {"ec2_metadata_service_endpoint_mode", NULL, "IPv4", "set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"},
    {"sigv4a_signing_region_set", NULL, NULL, "requests are signed for one region"},
};

static int note_ignored(const struct awsconfig *c, struct strv *notes)
{
    for (size_t i = 0; i < ARRAY_SIZE(IGNORED); i++) {
        const struct ignored *x = &IGNORED[i];
        CLEANUP_FREE char *value = NULL;
        int r = awsconfig_get(c, c->profile, x->name, x->below, &value);

        if (r == 0 && value && !(x->unless && strcasecmp(value, x->unless) == 0))
            r = strv_printf(notes, "%s in profile '%s' is not honoured: %s", x->below ? x->below : x->name, c->profile,
                            x->advice);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A file that exists, but that we may not read. */
static int note_unread(const struct awsconfig_file *f, const char *variable, struct strv *notes)
{
    bool missing = f->trouble == -ENOENT || f->trouble == -EACCES;

    if (f->trouble == 0 || (missing && !f->named && access(f->path ? f->path : "", F_OK) < 0))
        return 0;
    return strv_printf(notes, "%s%s%s cannot be read: %s: nothing in it is honoured", f->named ? variable : "",
                       f->named ? "=" : "", f->path, strerror(-f->trouble));
}

static int note_profiles(const struct awsconfig *c, struct strv *notes)
{
    const char *other = env_get("AWS_PROFILE");

    return other && !text_eq(other, c->profile)
               ? strv_printf(notes, "AWS_DEFAULT_PROFILE=%s counts, and not AWS_PROFILE=%s: unset one of them",
                             c->profile, other)
               : 0;
}

static int get_s3(const struct awsconfig *c, struct store_settings *s, struct err *e)
{
    int r;

    if ((r = find_style(c, &s->style, e)) < 0 || (r = find_checksums(c, &s->no_checksums, e)) < 0 ||
        (r = awsconfig_flag(c, &ACCELERATE, &s->accelerate, e)) < 0 ||
        (r = awsconfig_flag(c, &SIGN_BODIES, &s->sign_bodies, e)) < 0 ||
        (r = awsconfig_flag(c, &S3_DUALSTACK, &s->dualstack, e)) < 0)
        return r;
    if (note_profiles(c, &s->notes) < 0 || note_unread(&c->config, "AWS_CONFIG_FILE", &s->notes) < 0 ||
        note_ignored(c, &s->notes) < 0)
        return no_memory(e);
    return 0;
}

int aws_settings_get(const char *service, struct store_settings *ret, struct err *e)
{
    CLEANUP(awsconfig_done) struct awsconfig c = {0};
    CLEANUP(store_settings_done) struct store_settings s = {0};
    int r;

    if ((r = awsconfig_open(&c, e)) < 0 || (r = aws_settings_endpoint(&c, service, &s.endpoint, e)) < 0 ||
        (r = awsconfig_flag(&c, &AWS_SETTING_FIPS, &s.fips, e)) < 0 ||
        (r = awsconfig_flag(&c, &AWS_SETTING_DUALSTACK, &s.dualstack, e)) < 0 ||
        (r = find_ca_file(&c, &s.ca_file, e)) < 0)
        return r;
    if (aws_settings_region(&c, &s.region) < 0)
        return no_memory(e);
    if (text_eq(service, "s3") && (r = get_s3(&c, &s, e)) < 0)
        return r;
    *ret = s;
    s = (struct store_settings){0};
    return 0;
}
