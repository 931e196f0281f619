/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and manifests from the claim, the evidence's own origin, and our surroundings.
 */
#include "ship/describe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/pod_known.h"
#include "ship/key_template.h"

struct values {
    const struct described *d;
    const char *place;
    char time[CLOCK_TEXT_MAX], date[CLOCK_TEXT_MAX];
    char file[600];
};

static const char *first_of(const char *a, const char *b)
{
    return a && *a ? a : b;
}

/* Makes one safe segment of a place: not "..", not hidden, without '/'. */
static void defuse(char *part)
{
    if (*part == '.')
        *part = '_';
    for (; *part; part++)
        if (*part == '/')
            *part = '_';
}

static char *task_place(const struct facts *f)
{
    CLEANUP_FREE char *cluster = strdup(f->cluster);
    CLEANUP_FREE char *family = strdup(f->family);
    CLEANUP_FREE char *task = strdup(f->task);
    char *place;

    if (!cluster || !family || !task)
        return NULL;
    defuse(cluster);
    defuse(family);
    defuse(task);
    return asprintf(&place, "ecs/%s/%s/%s", cluster, family, task) < 0 ? NULL : place;
}

char *describe_place(const struct whoami *who, const struct facts *facts)
{
    if (!who->namespace && facts->cluster && facts->family && facts->task)
        return task_place(facts);
    return strdup(who->place);
}

static const char *value_of(void *ctx, const char *name)
{
    const struct values *v = ctx;
    const struct described *d = v->d;
    const struct {
        const char *name, *value;
    } table[] = {
        {"place", v->place},
        {"namespace", d->who->namespace},
        {"pod", d->who->pod},
        {"node", d->who->node},
        {"container", first_of(d->who->container, d->facts->container)},
        {"container_id", d->facts->container_id},
        {"image", first_of(d->who->image, d->facts->image)},
        {"host", d->who->host},
        {"cluster", d->facts->cluster},
        {"family", d->facts->family},
        {"revision", d->facts->revision},
        {"task", d->facts->task},
        {"instance", d->facts->instance},
        {"region", d->facts->region},
        {"zone", d->facts->zone},
        {"time", v->time},
        {"date", v->date},
        {"cause", describe_cause(d->claim, d->origin)},
        {"kind", d->claim->kind->name},
        {"id", claim_case_id(d->claim)},
        {"name", d->claim->name},
        {"file", v->file},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (text_eq(table[i].name, name))
            return table[i].value;
    return NULL;
}

const char *describe_cause(const struct claim *c, const struct origin *o)
{
    return !c->cause_given && *o->cause ? o->cause : c->cause;
}

char *describe_key(const char *template, const struct described *d)
{
    CLEANUP_FREE char *place = describe_place(d->who, d->facts);
    const struct claim *c = d->claim;
    struct values v = {.d = d, .place = place};

    assert(template && c && d->origin && d->codec);
    if (!place)
        return NULL;
    clock_format_basic(c->time_ns, v.time);
    snprintf(v.date, sizeof(v.date), "%.4s-%.2s-%.2s", v.time, v.time + 4, v.time + 6);
    snprintf(v.file, sizeof(v.file), "%s%s", c->kind->file ? c->kind->file : c->name, d->codec->ops->suffix);
    return template_fill(template, value_of, &v);
}

static int set(char **field, const char *value)
{
    if (!value || !*value)
        return 0;
    *field = strdup(value);
    return *field ? 0 : -ENOMEM;
}

static int set_where(const struct whoami *who, const struct facts *f, struct manifest *m)
{
    if (!(m->where.place = describe_place(who, f)))
        return -ENOMEM;
    if (set(&m->where.namespace, who->namespace) < 0 || set(&m->where.pod, who->pod) < 0 ||
        set(&m->where.pod_uid, who->pod_uid) < 0 || set(&m->where.node, who->node) < 0 ||
        set(&m->where.container, first_of(who->container, f->container)) < 0 ||
        set(&m->where.container_id, f->container_id) < 0 || set(&m->where.image, first_of(who->image, f->image)) < 0 ||
        set(&m->where.image_digest, f->image_digest) < 0 || set(&m->where.host, who->host) < 0)
        return -ENOMEM;
    if (set(&m->where.cluster, f->cluster) < 0 || set(&m->where.family, f->family) < 0 ||
        set(&m->where.revision, f->revision) < 0 || set(&m->where.task, f->task) < 0 ||
        set(&m->where.launch_type, f->launch_type) < 0 || set(&m->where.instance, f->instance) < 0 ||
        set(&m->where.instance_type, f->instance_type) < 0 || set(&m->where.region, f->region) < 0 ||
        set(&m->where.zone, f->zone) < 0)
        return -ENOMEM;
    return 0;
}

/* A pod with one container leaves no doubt which. */
static const struct pod_container *container_of(const struct pod_row *p, const char *name)
{
    return name ? pod_row_container(p, name) : p->containers == 1 ? p->container : NULL;
}

/* What the pod does not say of itself. The table may have lost a pod that is gone for long; of another pod that has
 * its name since (a StatefulSet's) only the owner is the same. */
static int set_known(const struct claim *claim, struct manifest *m)
{
    CLEANUP(pod_row_done) struct pod_row p = {0};
    const struct pod_container *c;
    char owner[POD_TEXT_MAX];
    int r = pod_known_find(m->where.pod_uid, m->where.namespace, m->where.pod, &p);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    if (p.owner_kind && p.owner_name) {
        snprintf(owner, sizeof(owner), "%s/%s", p.owner_kind, p.owner_name);
        if (set(&m->where.owner, owner) < 0)
            return -ENOMEM;
    }
    if (!m->where.pod_uid && p.created_ns > claim->found_ns)
        return 0;
    c = container_of(&p, m->where.container);
    m->where.restarts = c ? c->restarts : 0;
    return 0;
}

static int set_origin(const struct claim *c, const struct origin *o, struct manifest *m)
{
    if (set(&m->process.jvm, first_of(c->jvm, o->jvm)) < 0 ||
        set(&m->process.command, first_of(c->command, o->command)) < 0 ||
        set(&m->origin.detail, first_of(c->detail, o->detail)) < 0 || set(&m->origin.time, o->time) < 0 ||
        set(&m->origin.file, o->file) < 0)
        return -ENOMEM;
    m->process.pid = c->pid ? c->pid : o->pid;
    return 0;
}

int describe_manifest(const struct described *d, const char *key, struct manifest *ret)
{
    const struct claim *c = d->claim;
    CLEANUP(manifest_done) struct manifest m = {0};
    char codec_text[32];

    assert(key && c && c->kind && d->origin && d->who && d->facts && d->codec);
    if (set(&m.id, claim_case_id(c)) < 0 || set(&m.key, key) < 0 || set(&m.kind, c->kind->name) < 0 ||
        set(&m.cause, describe_cause(c, d->origin)) < 0 || set(&m.name, c->name) < 0 || set(&m.path, c->path) < 0 ||
        set(&m.codec, codec_format(d->codec, codec_text)) < 0 || set(&m.tool, "salvage " SALVAGE_VERSION) < 0 ||
        set_where(d->who, d->facts, &m) < 0 || set_known(c, &m) < 0 || set_origin(c, d->origin, &m) < 0)
        return -ENOMEM;
    if (set(&m.sensitive, c->sensitive) < 0)
        return -ENOMEM;
    m.pause = c->pause;
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
