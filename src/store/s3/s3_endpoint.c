/* SPDX-License-Identifier: Apache-2.0
 *
 * Endpoints as text: taken apart, checked, and put together with the bucket.
 */
#include "store/s3/s3_endpoint.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

static const char PLACEHOLDER[] = "{bucket}.";

const struct s3_hosts S3_HOSTS_AWS = {
    .service = "s3",
    .partitions = AWS_PARTITIONS,
};

/* Huawei Cloud Europe has domains of its own. Private installations have wildcard names, as the public one. */
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

static bool host_valid(const char *host, size_t size)
{
    bool v6 = size > 2 && host[0] == '[' && host[size - 1] == ']';

    for (size_t i = v6; i < size - v6; i++)
        if (v6 ? !isxdigit((unsigned char)host[i]) && !strchr(":.", host[i])
               : !isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
            return false;
    return size > 0;
}

/* The path at the endpoint's end: "/gateway", without '/' at its end. */
static size_t base_size(const struct url_parts *p)
{
    size_t size = strlen(p->path);

    while (size > 0 && p->path[size - 1] == '/')
        size--;
    return size;
}

/* As url_split; refuses what curl or the signature would change. */
static int split_endpoint(const char *endpoint, struct url_parts *ret)
{
    struct url_parts p;
    const char *name;

    if (url_split(endpoint, &p) < 0)
        return -EINVAL;
    for (size_t i = 0; i < base_size(&p); i++)
        if (!isalnum((unsigned char)p.path[i]) && !strchr("/-_~", p.path[i]))
            return -EINVAL;
    name = text_starts(p.host, PLACEHOLDER) ? p.host + strlen(PLACEHOLDER) : p.host;
    if (name > p.host + p.host_size || !host_valid(name, p.host_size - (size_t)(name - p.host)))
        return -EINVAL;
    *ret = p;
    return 0;
}

static const char *own_suffix(const struct s3_hosts *hosts, const struct url_parts *p)
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
static int own_region(const struct s3_hosts *hosts, const struct url_parts *p, char out[32])
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
    struct url_parts p = {.host = "", .path = ""};
    char region[32];

    return split_endpoint(endpoint, &p) == 0 && own_region(hosts, &p, region) == 0 && *region ? strdup(region) : NULL;
}

static bool is_address(const struct url_parts *p)
{
    return p->host[0] == '[' || strspn(p->host, "0123456789.") >= p->host_size;
}

static bool is_localhost(const struct url_parts *p)
{
    return p->host_size == strlen("localhost") && strncasecmp(p->host, "localhost", p->host_size) == 0;
}

static bool is_label(const char *bucket)
{
    return bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* The host in lower case, as curl sends it and the signature needs it. */
static int add_host(struct buf *b, const char *host, size_t size)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < size; i++) {
        char c = (char)tolower((unsigned char)host[i]);

        r = buf_add(b, &c, 1);
    }
    return r;
}

static bool bucket_in_host(const struct s3_hosts *hosts, const struct url_parts *p, const struct s3_placing *how)
{
    if (how->style == STORE_STYLE_PATH || !is_label(how->bucket) || is_address(p))
        return false;
    return how->style == STORE_STYLE_VIRTUAL || own_suffix(hosts, p) || (hosts->names_hold_buckets && !is_localhost(p));
}

/* "http://host/BUCKET", "https://BUCKET.s3.REGION.amazonaws.com": it would be there twice. */
static bool names_bucket(const struct s3_hosts *hosts, const struct url_parts *p, const char *bucket)
{
    size_t n = strlen(bucket), base = base_size(p);

    if (base > n && p->path[base - n - 1] == '/' && memcmp(p->path + base - n, bucket, n) == 0)
        return true;
    return own_suffix(hosts, p) && p->host_size > n && p->host[n] == '.' && strncasecmp(p->host, bucket, n) == 0 &&
           strncasecmp(p->host + n + 1, hosts->service, strlen(hosts->service)) == 0;
}

/* "https://s3-fips.dualstack.us-east-1.amazonaws.com"; in the place of an endpoint of the owner's, p, with its scheme
 * and port. */
static int add_own(struct buf *own, const struct s3_hosts *hosts, const struct url_parts *p,
                   const struct s3_placing *how, struct err *e)
{
    const struct aws_partition *partition = partition_of(hosts, how->region);
    bool fips = how->fips && !p, dualstack = how->dualstack && !p;

    if (fips && partition->no_s3_fips)
        return err_set(e, -FAULT_USAGE,
                       "%s: region %s has no FIPS endpoint: unset AWS_USE_FIPS_ENDPOINT, "
                       "use_fips_endpoint",
                       hosts->service, how->region);
    if (dualstack && !partition->dual_suffix)
        return err_set(e, -FAULT_USAGE,
                       "%s: region %s has no dual-stack endpoint: unset AWS_USE_DUALSTACK_ENDPOINT, "
                       "use_dualstack_endpoint",
                       hosts->service, how->region);
    if (buf_printf(own, "%s://%s%s%s.%s%s%.*s", !p || p->https ? "https" : "http", hosts->service, fips ? "-fips" : "",
                   dualstack ? ".dualstack" : "", how->region, partition->suffix,
                   p ? (int)(p->authority_size - p->host_size) : 0, p ? p->host + p->host_size : "") < 0)
        return err_set(e, -ENOMEM, "%s: out of memory", hosts->service);
    return 0;
}

static int check_endpoint(const struct s3_hosts *hosts, const struct s3_placing *how, struct url_parts *ret,
                          struct err *e)
{
    /* It may come from a variable of AWS's, and is not repeated then. */
    if (strchr(how->endpoint, '@'))
        return err_set(e, -FAULT_USAGE, "%s: the endpoint has a user or password in it: keys come from elsewhere",
                       hosts->service);
    if (split_endpoint(how->endpoint, ret) < 0)
        return err_set(e, -FAULT_USAGE, "%s: endpoint '%s' is not http://HOST[:PORT] or https://HOST[:PORT]",
                       hosts->service, how->endpoint);
    if (names_bucket(hosts, ret, how->bucket))
        return err_set(e, -FAULT_USAGE,
                       "%s: endpoint '%s' has the bucket '%s' in it, which --to names already: leave it out of the "
                       "endpoint",
                       hosts->service, how->endpoint, how->bucket);
    return 0;
}

/* The endpoint and the bucket as origin and path. */
static int assemble(const struct s3_hosts *hosts, const struct url_parts *p, const struct s3_placing *how,
                    struct s3_endpoint *ret)
{
    CLEANUP(buf_done) struct buf origin = {0}, path = {0};
    size_t skipped = text_starts(p->host, PLACEHOLDER) ? strlen(PLACEHOLDER) : 0;
    bool in_host = skipped > 0 || bucket_in_host(hosts, p, how);
    int r = buf_add_text(&origin, p->https ? "https://" : "http://");

    if (r == 0 && in_host && (r = add_host(&origin, how->bucket, strlen(how->bucket))) == 0)
        r = buf_add_text(&origin, ".");
    if (r == 0)
        r = add_host(&origin, p->host + skipped, p->authority_size - skipped);
    if (r == 0)
        r = buf_add(&path, p->path, base_size(p));
    if (r == 0 && !in_host && (r = buf_add_text(&path, "/")) == 0)
        r = buf_add_text(&path, how->bucket);
    if (r < 0)
        return r;

    struct s3_endpoint made = {.origin = buf_take(&origin), .path = buf_take(&path)};
    if (!made.origin || !made.path) {
        s3_endpoint_done(&made);
        return -ENOMEM;
    }
    made.host = strstr(made.origin, "://") + 3;
    *ret = made;
    return 0;
}

int s3_endpoint_init(const struct s3_hosts *hosts, const struct s3_placing *how, struct s3_endpoint *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf own = {0};
    struct url_parts p = {.host = "", .path = ""};
    char ignored[32];
    int r;

    assert(how->region && how->bucket);
    if (!how->endpoint && !*how->region)
        return err_set(e, -FAULT_USAGE, "%s: no region: give --region NAME or --endpoint URL", hosts->service);
    if (how->endpoint && (r = check_endpoint(hosts, how, &p, e)) < 0)
        return r;
    if (!how->endpoint || (*how->region && own_region(hosts, &p, ignored) == 0)) {
        if ((r = add_own(&own, hosts, how->endpoint ? &p : NULL, how, e)) < 0)
            return r;
        if (split_endpoint(buf_text(&own), &p) < 0)
            return err_set(e, -FAULT_USAGE, "%s: '%s' is not the name of a region", hosts->service, how->region);
    }
    return assemble(hosts, &p, how, ret) < 0 ? err_set(e, -ENOMEM, "%s: out of memory", hosts->service) : 0;
}

void s3_endpoint_done(struct s3_endpoint *p)
{
    free(p->origin);
    free(p->path);
    *p = (struct s3_endpoint){0};
}
