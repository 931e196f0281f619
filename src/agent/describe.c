/* SPDX-License-Identifier: Apache-2.0
 *
 * Names for what is stored.
 */
#include "agent/describe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/template.h"

struct values {
    const struct claim *claim;
    const struct whoami *who;
    char time[CLOCK_TEXT_MAX], date[CLOCK_TEXT_MAX];
    char file[600];
};

static const char *value_of(void *ctx, const char *name)
{
    const struct values *v = ctx;
    const struct {
        const char *name, *value;
    } table[] = {
        {"place", v->who->place},
        {"namespace", v->who->namespace},
        {"pod", v->who->pod},
        {"node", v->who->node},
        {"container", v->who->container},
        {"host", v->who->host},
        {"time", v->time},
        {"date", v->date},
        {"cause", v->claim->cause},
        {"kind", v->claim->kind->name},
        {"id", v->claim->id},
        {"name", v->claim->name},
        {"file", v->file},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (text_eq(table[i].name, name))
            return table[i].value;
    return NULL;
}

char *describe_key(const char *template, const struct claim *c, const struct whoami *who, const struct codec *codec)
{
    struct values v = {.claim = c, .who = who};

    clock_format_basic(c->time_ns, v.time);
    snprintf(v.date, sizeof(v.date), "%.4s-%.2s-%.2s", v.time, v.time + 4, v.time + 6);
    snprintf(v.file, sizeof(v.file), "%s%s", c->kind->file ? c->kind->file : c->name, codec->ops->suffix);
    return template_fill(template, value_of, &v);
}

static int set(char **field, const char *value)
{
    if (!value || !*value)
        return 0;
    *field = strdup(value);
    return *field ? 0 : -ENOMEM;
}

int describe_manifest(const struct claim *c, const struct whoami *who, const struct codec *codec, const char *key,
                      struct manifest *ret)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    char codec_text[32];

    if (set(&m.id, c->id) < 0 || set(&m.key, key) < 0 || set(&m.kind, c->kind->name) < 0 ||
        set(&m.cause, c->cause) < 0 || set(&m.name, c->name) < 0 || set(&m.path, c->path) < 0 ||
        set(&m.codec, codec_format(codec, codec_text)) < 0 || set(&m.tool, "salvage " SALVAGE_VERSION) < 0 ||
        set(&m.where.namespace, who->namespace) < 0 || set(&m.where.pod, who->pod) < 0 ||
        set(&m.where.pod_uid, who->pod_uid) < 0 || set(&m.where.node, who->node) < 0 ||
        set(&m.where.container, who->container) < 0 || set(&m.where.image, who->image) < 0 ||
        set(&m.where.host, who->host) < 0)
        return -ENOMEM;
    m.process.uid = c->owner;
    m.time.found = c->found_ns;
    m.time.settled = c->settled_ns;
    *ret = m;
    m = (struct manifest){0};
    return 0;
}

const char *describe_content_type(const struct codec *codec)
{
    if (codec->ops == &CODEC_ZSTD)
        return "application/zstd";
    return codec->ops == &CODEC_GZIP ? "application/gzip" : "application/octet-stream";
}
