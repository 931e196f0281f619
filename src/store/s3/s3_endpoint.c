/* SPDX-License-Identifier: Apache-2.0
 *
 * Endpoints as text: taken apart, checked, and put together with the bucket.
 */
#include "store/s3/s3_endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

static const char PLACEHOLDER[] = "{bucket}.";

const struct s3_hosts S3_HOSTS_AWS = {
    .service = "s3",
    .partitions = AWS_PARTITIONS,
};

/* Huawei Cloud Europe is a site of its own. Private installations have wildcard names, as the public one. */
static const struct aws_partition OBS_SITES[] = {
    {.region = "eu-west-101", .suffix = ".myhuaweicloud.eu"},
    {.region = "", .suffix = ".myhuaweicloud.com"},
};

const struct s3_hosts S3_HOSTS_OBS = {
    .service = "obs",
    .partitions = OBS_SITES,
    .names_hold_buckets = true,
};

bool s3_region_valid(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    return n > 0 && n < 32 && !text[n];
}

/* What an endpoint consists of; borrowed from its text. */
struct pieces {
    bool https;
    const char *host; /* without port */
    size_t host_size;
    const char *port; /* ":9000", or empty where it is the scheme's own */
    size_t port_size;
    const char *base; /* "/gateway", without '/' at its end */
    size_t base_size;
};

static bool host_valid(const char *host, size_t size)
{
    bool v6 = size > 2 && host[0] == '[' && host[size - 1] == ']';

    for (size_t i = v6; i < size - v6; i++)
        if (v6 ? !isxdigit((unsigned char)host[i]) && !strchr(":.", host[i])
               : !isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
            return false;
    return size > 0;
}

static bool port_valid(const char *text, size_t size)
{
    unsigned port = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
        if (port > 65535)
            return false;
    }
    return port > 0;
}

static int take_apart(const char *endpoint, struct pieces *ret)
{
    struct pieces p = {.https = strncasecmp(endpoint, "https://", 8) == 0};
    const char *slash, *colon, *name;
    size_t size;

    if (!p.https && strncasecmp(endpoint, "http://", 7) != 0)
        return -EINVAL;
    p.host = endpoint + (p.https ? 8 : 7);
    size = strcspn(p.host, "/");
    slash = p.host + size;
    p.base = slash;
    p.base_size = strlen(slash);
    while (p.base_size > 0 && p.base[p.base_size - 1] == '/')
        p.base_size--;
    for (size_t i = 0; i < p.base_size; i++) /* as it stands in URL and signature: nothing that curl would change */
        if (!isalnum((unsigned char)p.base[i]) && !strchr("/-_~", p.base[i]))
            return -EINVAL;

    colon = memrchr(p.host, ':', size);
    if (colon && !memchr(colon, ']', (size_t)(slash - colon))) {
        p.port = colon;
        p.port_size = (size_t)(slash - colon);
        if (!port_valid(colon + 1, p.port_size - 1))
            return -EINVAL;
        size = (size_t)(colon - p.host);
        if (p.port_size == (p.https ? 4u : 3u) && memcmp(colon, p.https ? ":443" : ":80", p.port_size) == 0)
            p.port_size = 0;
    }
    p.host_size = size;
    name = text_starts(p.host, PLACEHOLDER) ? p.host + strlen(PLACEHOLDER) : p.host;
    if (name > p.host + size || !host_valid(name, size - (size_t)(name - p.host)))
        return -EINVAL;
    *ret = p;
    return 0;
}

static const char *own_suffix(const struct s3_hosts *hosts, const struct pieces *p)
{
    for (const struct aws_partition *x = hosts->partitions;; x++) {
        size_t n = strlen(x->suffix);

        if (p->host_size > n && strncasecmp(p->host + p->host_size - n, x->suffix, n) == 0)
            return p->host + p->host_size - n;
        if (!*x->region)
            return NULL;
    }
}

/* Whether the host is the owner's plain one, with a region in it or none: 0 and the region ("" for none), or -ENOENT.
 */
static int own_region(const struct s3_hosts *hosts, const struct pieces *p, char out[32])
{
    const char *end = own_suffix(hosts, p), *begin;
    size_t n = strlen(hosts->service);

    if (!end || p->host_size <= n || strncasecmp(p->host, hosts->service, n) != 0 || p->host[n] != '.')
        return -ENOENT;
    begin = p->host + n + 1;
    n = end < begin ? 0 : (size_t)(end - begin);
    if (n >= 32)
        return -ENOENT;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)begin[i]);
    out[n] = '\0';
    return n == 0 || s3_region_valid(out) ? 0 : -ENOENT;
}

static const struct aws_partition *partition_of(const struct s3_hosts *hosts, const char *region)
{
    const struct aws_partition *p = hosts->partitions;

    while (*p->region && !text_starts(region, p->region))
        p++;
    return p;
}

char *s3_endpoint_region(const struct s3_hosts *hosts, const char *endpoint)
{
    struct pieces p;
    char region[32];

    return take_apart(endpoint, &p) == 0 && own_region(hosts, &p, region) == 0 && *region ? strdup(region) : NULL;
}

static bool is_address(const struct pieces *p)
{
    return p->host[0] == '[' || strspn(p->host, "0123456789.") >= p->host_size;
}

static bool is_localhost(const struct pieces *p)
{
    return p->host_size == strlen("localhost") && strncasecmp(p->host, "localhost", p->host_size) == 0;
}

static bool is_label(const char *bucket)
{
    return bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* The host in lower case, as curl and the signature agree on it. */
static int add_host(struct buf *b, const char *host, size_t size)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < size; i++) {
        char c = (char)tolower((unsigned char)host[i]);

        r = buf_add(b, &c, 1);
    }
    return r;
}

static bool bucket_in_host(const struct s3_hosts *hosts, const struct pieces *p, const char *bucket,
                           enum store_style style)
{
    if (style == STORE_STYLE_PATH || !is_label(bucket) || is_address(p))
        return false;
    return style == STORE_STYLE_VIRTUAL || own_suffix(hosts, p) || (hosts->names_hold_buckets && !is_localhost(p));
}

/* "http://host/BUCKET", "https://BUCKET.s3.REGION.amazonaws.com": it would be there twice. */
static bool names_bucket(const struct s3_hosts *hosts, const struct pieces *p, const char *bucket)
{
    size_t n = strlen(bucket);

    if (p->base_size > n && p->base[p->base_size - n - 1] == '/' && memcmp(p->base + p->base_size - n, bucket, n) == 0)
        return true;
    return own_suffix(hosts, p) && p->host_size > n && p->host[n] == '.' && strncasecmp(p->host, bucket, n) == 0 &&
           strncasecmp(p->host + n + 1, hosts->service, strlen(hosts->service)) == 0;
}

/* "https://s3-fips.dualstack.us-east-1.amazonaws.com"; in the place of an endpoint of the owner's, p, with its scheme
 * and port. */
static int add_own(struct buf *own, const struct s3_hosts *hosts, const char *region, const struct pieces *p,
                   const struct s3_placing *how, struct err *e)
{
    const struct aws_partition *partition = partition_of(hosts, region);
    bool fips = how->fips && !p, dualstack = how->dualstack && !p;

    if ((fips && partition->no_s3_fips) || (dualstack && !partition->dual_suffix))
        return err_set(e, -FAULT_USAGE, "%s: region %s has no %s endpoint: unset AWS_USE_%s_ENDPOINT, use_%s_endpoint",
                       hosts->service, region, fips && partition->no_s3_fips ? "FIPS" : "dual-stack",
                       fips && partition->no_s3_fips ? "FIPS" : "DUALSTACK",
                       fips && partition->no_s3_fips ? "fips" : "dualstack");
    if (buf_printf(own, "%s://%s%s%s.%s%s%.*s", !p || p->https ? "https" : "http", hosts->service, fips ? "-fips" : "",
                   dualstack ? ".dualstack" : "", region, partition->suffix, p ? (int)p->port_size : 0,
                   p && p->port_size > 0 ? p->port : "") < 0)
        return err_set(e, -ENOMEM, "%s: out of memory", hosts->service);
    return 0;
}

int s3_endpoint_init(const struct s3_hosts *hosts, const char *endpoint, const char *region, const char *bucket,
                     const struct s3_placing *how, struct s3_endpoint *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf own = {0}, origin = {0}, path = {0};
    const char *service = hosts->service; /* and the name of the dialect */
    struct pieces p;
    bool placeholder, in_host;
    char ignored[32];
    int r;

    if (!endpoint && !*region)
        return err_set(e, -FAULT_USAGE, "%s: no region: give --region NAME or --endpoint URL", service);
    /* It may come from a variable of AWS's, and is not repeated then. */
    if (endpoint && strchr(endpoint, '@'))
        return err_set(e, -FAULT_USAGE, "%s: the endpoint has a user or password in it: keys come from elsewhere",
                       service);
    if (endpoint && take_apart(endpoint, &p) < 0)
        return err_set(e, -FAULT_USAGE, "%s: endpoint '%s' is not http://HOST[:PORT] or https://HOST[:PORT]", service,
                       endpoint);
    if (endpoint && names_bucket(hosts, &p, bucket))
        return err_set(e, -FAULT_USAGE,
                       "%s: endpoint '%s' has the bucket '%s' in it, which --to names already: leave it out of the "
                       "endpoint",
                       service, endpoint, bucket);
    if (!endpoint || (*region && own_region(hosts, &p, ignored) == 0)) {
        if ((r = add_own(&own, hosts, region, endpoint ? &p : NULL, how, e)) < 0)
            return r;
        if (take_apart(buf_text(&own), &p) < 0)
            return err_set(e, -FAULT_USAGE, "%s: '%s' is not the name of a region", service, region);
    }
    placeholder = text_starts(p.host, PLACEHOLDER);
    in_host = placeholder || bucket_in_host(hosts, &p, bucket, how->style);
    if (placeholder) {
        p.host += strlen(PLACEHOLDER);
        p.host_size -= strlen(PLACEHOLDER);
    }

    r = buf_add_text(&origin, p.https ? "https://" : "http://");
    if (r == 0 && in_host && (r = add_host(&origin, bucket, strlen(bucket))) == 0)
        r = buf_add_text(&origin, ".");
    if (r == 0 && (r = add_host(&origin, p.host, p.host_size)) == 0)
        r = buf_add(&origin, p.port, p.port_size);
    if (r == 0)
        r = buf_add(&path, p.base, p.base_size);
    if (r == 0 && !in_host && (r = buf_add_text(&path, "/")) == 0)
        r = buf_add_text(&path, bucket);
    if (r < 0)
        return err_set(e, -ENOMEM, "%s: out of memory", service);

    struct s3_endpoint made = {.origin = buf_take(&origin), .path = buf_take(&path)};
    if (!made.origin || !made.path) {
        s3_endpoint_done(&made);
        return err_set(e, -ENOMEM, "%s: out of memory", service);
    }
    made.host = strstr(made.origin, "://") + 3;
    *ret = made;
    return 0;
}

void s3_endpoint_done(struct s3_endpoint *p)
{
    free(p->origin);
    free(p->path);
    *p = (struct s3_endpoint){0};
}
