/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to a plan.
 */
#include "ship/plan.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/command.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/cpulimit.h"
#include "net/bandwidth.h"
#include "ship/key_template.h"

enum { UPLOADS = 4 };

static const char REGION_CHARACTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static unsigned processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    unsigned limit = (cpulimit_get("/") + 999) / 1000;

    if (limit > 0 && (int)limit < count)
        count = (int)limit;
    return count < 1 ? 1 : count > 8 ? 8 : (unsigned)count;
}

static int copy(char **ret, const char *text)
{
    if (!text)
        return 0;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

int plan_sink_config(struct sink_config *ret, const struct plan_options *o, const char *url, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config c = {0};
    int r;

    if ((r = url_parse(url, &c.url, e)) < 0)
        return r;
    if (o->endpoint && strchr(o->endpoint, '@'))
        return err_set(
            e, -FAULT_USAGE,
            "--endpoint: a user or password in it would be seen in the list of processes: keys come from the "
            "environment (docs/credentials.md)");
    if (o->endpoint && !text_starts(o->endpoint, "http://") && !text_starts(o->endpoint, "https://"))
        return err_set(e, -FAULT_USAGE, "--endpoint: '%s' is not an http:// or https:// address", o->endpoint);
    if (o->region && (!*o->region || strspn(o->region, REGION_CHARACTERS) != strlen(o->region)))
        return err_set(e, -FAULT_USAGE, "--region: '%s' is no region: letters, digits and '-', as in eu-west-1",
                       o->region);
    if (copy(&c.endpoint, o->endpoint) < 0 || copy(&c.region, o->region) < 0 ||
        copy(&c.credentials_file, o->credentials_file) < 0 || copy(&c.http.ca_file, o->ca_file) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    for (unsigned i = 0; i < o->headers.count; i++)
        if ((r = user_headers_add(&c.headers, o->headers.item[i], c.url.scheme, e)) < 0)
            return r;
    c.path_style = o->path_style;
    c.http.timeout_ms = o->timeout_ms;
    if ((r = bandwidth_new(o->bandwidth.item, o->bandwidth.count, &c.http.bandwidth, e)) < 0)
        return r;
    c.uploads = bandwidth_connections(c.http.bandwidth, UPLOADS);
    c.notice = command_note;
    *ret = c;
    c = (struct sink_config){0};
    return 0;
}

int plan_init(struct plan *ret, const struct plan_options *o, struct err *e)
{
    CLEANUP(plan_done) struct plan p = {0};
    int r;

    if (!o->to || !*o->to)
        return err_set(e, -FAULT_USAGE,
                       "no store: give --to URL (s3://bucket/prefix, obs://bucket/prefix, az://account/container, "
                       "https://host/path, "
                       "file:///folder)");
    if ((r = plan_sink_config(&p.sink, o, o->to, e)) < 0 || (r = template_check(o->key, e)) < 0 ||
        (r = codec_parse(o->compress ? o->compress : "zstd", &p.codec, e)) < 0)
        return r;
    if (o->threads > PLAN_THREADS_MAX)
        return err_set(e, -FAULT_USAGE, "--threads: at most %d", PLAN_THREADS_MAX);
    if (o->memory < PLAN_MEMORY_MIN)
        return err_set(e, -FAULT_USAGE, "--memory: at least 32M");
    p.codec_given = o->compress != NULL;
    p.threads = o->threads ? (unsigned)o->threads : processors();
    p.memory = o->memory;
    p.template = o->key;
    p.store = o->to;
    p.keep = o->keep;
    p.inspect = o->inspect;
    p.digest = o->digest;
    p.verify = (enum plan_verify)o->verify;
    p.give_up_ms = o->give_up_ms;
    p.abandoned_ms = o->abandoned_ms;
    *ret = p;
    p = (struct plan){0};
    return 0;
}

void plan_done(struct plan *p)
{
    sink_config_done(&p->sink);
}
