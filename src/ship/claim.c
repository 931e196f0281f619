/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim as JSON. A hostile container may have written what is read: every field is checked, and none is used as a
 * path to write to.
 */
#include "ship/claim.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

static void json_decref_ptr(json_t **j)
{
    json_decref(*j);
}

static void pod_done(struct claim_pod *p)
{
    free(p->namespace);
    free(p->pod);
    free(p->uid);
    free(p->container);
    *p = (struct claim_pod){0};
}

int claim_set_pod(struct claim *c, const struct claim_pod *pod)
{
    struct claim_pod copy = {0};

    pod_done(&c->pod);
    if (!pod || !pod->namespace)
        return 0;
    copy.namespace = strdup(pod->namespace);
    copy.pod = strdup(pod->pod);
    copy.uid = strdup(pod->uid);
    copy.container = pod->container ? strdup(pod->container) : NULL;
    if (!copy.namespace || !copy.pod || !copy.uid || (pod->container && !copy.container)) {
        pod_done(&copy);
        return -ENOMEM;
    }
    c->pod = copy;
    return 0;
}

void claim_done(struct claim *c)
{
    pod_done(&c->pod);
    free(c->path);
    free(c->name);
    free(c->cause);
    free(c->jvm);
    free(c->command);
    free(c->detail);
    free(c->sensitive);
    *c = (struct claim){0};
}

void claim_free(struct claim *c)
{
    if (c)
        claim_done(c);
    free(c);
}

int claim_of_file(struct claim *ret, char *path, const char *name, const struct identity *file, enum content content)
{
    const struct kind *kind = kind_of(name, content);
    int64_t now_ns = clock_wall_ns();

    *ret = (struct claim){.path = path,
                          .name = strdup(name),
                          .cause = strdup(kind_cause(kind, name)),
                          .kind = kind,
                          .time_ns = file->birth_ns ? file->birth_ns : file->mtime_ns,
                          .found_ns = now_ns,
                          .settled_ns = now_ns,
                          .size = file->size,
                          .disk = file->disk,
                          .owner = file->uid,
                          .in_place = true};
    memcpy(ret->id, file->id, sizeof(ret->id));
    if (ret->path && ret->name && ret->cause)
        return 0;
    claim_done(ret);
    return -ENOMEM;
}

const char *claim_case_id(const struct claim *c)
{
    return *c->case_id ? c->case_id : c->id;
}

int claim_encode(const struct claim *c, struct buf *ret)
{
    /* Names can hold any bytes, JSON only UTF-8: so they are percent-encoded. */
    CLEANUP_FREE char *path = url_encode(c->path, strlen(c->path), 1);
    CLEANUP_FREE char *name = url_encode(c->name, strlen(c->name), 0);
    CLEANUP_FREE char *jvm = c->jvm ? url_encode(c->jvm, strlen(c->jvm), 1) : NULL;
    CLEANUP_FREE char *command = c->command ? url_encode(c->command, strlen(c->command), 1) : NULL;
    CLEANUP(json_decref_ptr) json_t *j = NULL;
    CLEANUP_FREE char *text = NULL;

    assert(c->kind && c->cause);
    if (!path || !name || (c->jvm && !jvm) || (c->command && !command))
        return -ENOMEM;
    j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:I, s:s*, s:s*, s:s, "
                  "s:I, s:s*, s:I, s:b, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}",
                  "id", c->id, "path", path, "name", name, "kind", c->kind->name, "cause", c->cause, "time_ns",
                  (json_int_t)c->time_ns, "found_ns", (json_int_t)c->found_ns, "settled_ns", (json_int_t)c->settled_ns,
                  "size", (json_int_t)c->size, "owner", (json_int_t)c->owner, "in_place", c->in_place, "erase",
                  c->erase, "pid", (json_int_t)c->pid, "jvm", jvm, "command", command, "row", c->kind->glob, "pause_us",
                  (json_int_t)c->pause.us, "pause_by", pause_name(c->pause.by), "consistent",
                  (json_int_t)c->pause.consistent, "cause_given", c->cause_given, "namespace", c->pod.namespace, "pod",
                  c->pod.pod, "pod_uid", c->pod.uid, "container", c->pod.container, "case",
                  *c->case_id ? c->case_id : NULL, "detail", c->detail, "sensitive", c->sensitive);
    text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    return text ? buf_add_text(ret, text) : -ENOMEM;
}

static int is_id(const char *id)
{
    unsigned char raw[(IDENTITY_MAX - 1) / 2];

    return strlen(id) == IDENTITY_MAX - 1 && text_unhex(id, raw, sizeof(raw)) == 0;
}

/* The fields of the process, which older versions did not write. */
static int decode_process(json_t *j, struct claim *c)
{
    const char *jvm = NULL, *command = NULL, *by = NULL;
    json_int_t pid = 0, pause_us = 0, consistent = 0;

    if (json_unpack(j, "{s?I, s?s, s?s, s?I, s?s, s?I}", "pid", &pid, "jvm", &jvm, "command", &command, "pause_us",
                    &pause_us, "pause_by", &by, "consistent", &consistent) < 0 ||
        pid < 0 || pause_us < 0 || consistent < 0)
        return -EBADMSG;
    c->pid = (uint64_t)pid;
    if (pause_find(by) != PAUSE_UNKNOWN && pause_us > 0)
        c->pause = (struct pause){pause_find(by), (uint64_t)pause_us, (uint64_t)consistent};
    if ((jvm && !(c->jvm = url_decode(jvm, strlen(jvm)))) ||
        (command && !(c->command = url_decode(command, strlen(command)))))
        return -ENOMEM;
    return 0;
}

static int decode_case(json_t *j, struct claim *c)
{
    const char *id = NULL, *detail = NULL, *sensitive = NULL;

    if (json_unpack(j, "{s?s, s?s, s?s}", "case", &id, "detail", &detail, "sensitive", &sensitive) < 0 ||
        (id && !is_id(id)))
        return -EBADMSG;
    if (id)
        memcpy(c->case_id, id, sizeof(c->case_id));
    if ((detail && !(c->detail = strdup(detail))) || (sensitive && !(c->sensitive = strdup(sensitive))))
        return -ENOMEM;
    return 0;
}

/* All of namespace, pod and UID, or none. */
static int decode_pod(json_t *j, struct claim *c)
{
    const char *namespace = NULL, *pod = NULL, *uid = NULL, *container = NULL;

    if (json_unpack(j, "{s?s, s?s, s?s, s?s}", "namespace", &namespace, "pod", &pod, "pod_uid", &uid, "container",
                    &container) < 0)
        return -EBADMSG;
    if (!namespace)
        return 0;
    if (!pod || !uid)
        return -EBADMSG;
    return claim_set_pod(c, &(struct claim_pod){(char *)namespace, (char *)pod, (char *)uid, (char *)container});
}

int claim_decode(const char *json, size_t size, struct claim *ret)
{
    CLEANUP(json_decref_ptr) json_t *j = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    CLEANUP(claim_done) struct claim c = {0};
    const char *id, *path, *name, *kind, *cause, *row = NULL;
    json_int_t time_ns, found_ns, settled_ns, file_size, owner;
    int in_place, erase, cause_given = 1, r; /* in a claim of an older version the cause counts as given */

    if (!j || json_unpack(j, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s?s, s?b}", "id", &id,
                          "path", &path, "name", &name, "kind", &kind, "cause", &cause, "time_ns", &time_ns, "found_ns",
                          &found_ns, "settled_ns", &settled_ns, "size", &file_size, "owner", &owner, "in_place",
                          &in_place, "erase", &erase, "row", &row, "cause_given", &cause_given) < 0)
        return -EBADMSG;
    if (!is_id(id) || !*path || !*name || strchr(name, '/') || !*cause || file_size < 0 || owner < 0)
        return -EBADMSG;
    c.path = url_decode(path, strlen(path));
    c.name = url_decode(name, strlen(name));
    c.cause = strdup(cause);
    if (!c.path || !c.name || !c.cause)
        return -ENOMEM;
    /* Checked again after decoding: %2F and %2E must not make a path of a name. */
    if (!*c.name || strchr(c.name, '/') || strcmp(c.name, ".") == 0 || strcmp(c.name, "..") == 0)
        return -EBADMSG;
    memcpy(c.id, id, sizeof(c.id));
    c.kind = kind_find(kind, row, c.name);
    c.time_ns = time_ns;
    c.found_ns = found_ns;
    c.settled_ns = settled_ns;
    c.size = (uint64_t)file_size;
    c.owner = (uint64_t)owner;
    c.in_place = in_place;
    c.erase = erase;
    c.cause_given = cause_given;
    if ((r = decode_process(j, &c)) < 0 || (r = decode_pod(j, &c)) < 0 || (r = decode_case(j, &c)) < 0)
        return r;
    *ret = c;
    c = (struct claim){0};
    return 0;
}
