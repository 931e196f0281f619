/* SPDX-License-Identifier: Apache-2.0
 *
 * Only what the row has. A static pod's UID is the kubelet's, not that of its mirror in the API: it is in cgroups and
 * names of folders.
 */
#include "node/pod_object.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

enum { IMAGE_MAX = 1024 };

static const char MIRROR[] = "kubernetes.io/config.mirror", STATIC_UID[] = "kubernetes.io/config.hash";

static int take_name(const char *text, char *ret, size_t size)
{
    if (!*text || strlen(text) >= size || *text == '.' ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(text))
        return -EBADMSG;
    memcpy(ret, text, strlen(text) + 1);
    return 0;
}

static bool is_kept(const char *name, const struct strv *names)
{
    bool found = !names || text_starts(name, POD_ANNOTATION_PREFIX);

    for (size_t i = 0; names && i < names->count && !found; i++)
        found = text_eq(name, names->item[i]);
    return found;
}

/* only: NULL keeps all. */
static int take_pairs(json_t *map, const struct strv *only, struct strv *ret, unsigned *left_out)
{
    size_t bytes = 0;
    const char *key;
    json_t *value;

    json_object_foreach(map, key, value)
    {
        const char *text = json_string_value(value);

        if (!is_kept(key, only))
            continue;
        if (!text || !*key || strchr(key, '=') || strlen(key) > POD_TEXT_MAX || strlen(text) > POD_TEXT_MAX ||
            ret->count >= POD_LABELS_MAX || (bytes += strlen(key) + strlen(text)) > POD_PAIRS_BYTES_MAX) {
            ++*left_out;
            continue;
        }
        if (strv_printf(ret, "%s=%s", key, text) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* --- containers -----------------------------------------------------------------------------------------------------
 */

/* "containerd://6d1f…" */
static int take_id(const char *text, char **ret)
{
    const char *id = strstr(text, "://");

    id = id ? id + 3 : "";
    return strspn(id, "0123456789abcdef") == strlen(id) && strlen(id) < CONTAINERID_MAX && *id ? pod_row_set(ret, id)
                                                                                               : 0;
}

static int take_specs(const json_t *list, struct pod_row *ret, unsigned *left_out)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *name = json_read_text(one, "name");
        struct pod_container *c;

        if (!*name || strlen(name) >= CONTAINERNAME_MAX || ret->containers >= POD_CONTAINERS_MAX) {
            ++*left_out;
            continue;
        }
        if (!(c = pod_row_add_container(ret, name)) || (strlen(json_read_text(one, "image")) <= IMAGE_MAX &&
                                                        pod_row_set(&c->image, json_read_text(one, "image")) < 0))
            return -ENOMEM;
    }
    return 0;
}

static int take_statuses(const json_t *list, struct pod_row *ret)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        struct pod_container *c = pod_row_container(ret, json_read_text(one, "name"));

        if (!c)
            continue;
        if (take_id(json_read_text(one, "containerID"), &c->id) < 0)
            return -ENOMEM;
        c->restarts = json_read_count(one, "restartCount");
    }
    return 0;
}

static int take_containers(const json_t *spec, const json_t *status, struct pod_row *ret, unsigned *left_out)
{
    static const char *const specs[] = {"containers", "initContainers", "ephemeralContainers"},
                             *const statuses[] = {"containerStatuses", "initContainerStatuses",
                                                  "ephemeralContainerStatuses"};

    for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
        if (take_specs(json_object_get(spec, specs[i]), ret, left_out) < 0 ||
            take_statuses(json_object_get(status, statuses[i]), ret) < 0)
            return -ENOMEM;
    return 0;
}

static int take_volumes(const json_t *list, struct pod_row *ret, unsigned *left_out)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *name = json_read_text(one, "name");

        if (!json_is_object(json_object_get(one, "emptyDir")))
            continue;
        if (!*name || strlen(name) >= CONTAINERNAME_MAX || ret->volumes.count >= POD_VOLUMES_MAX)
            ++*left_out;
        else if (strv_add(&ret->volumes, name) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* --- owner ----------------------------------------------------------------------------------------------------------
 */

static const json_t *controller(const json_t *metadata)
{
    const json_t *list = json_object_get(metadata, "ownerReferences");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_true(json_object_get(json_array_get(list, i), "controller")))
            return json_array_get(list, i);
    return NULL;
}

/* A Deployment's ReplicaSet is called DEPLOYMENT-HASH, and its pods have a label with the hash. */
static int take_owner(const json_t *metadata, struct pod_row *ret)
{
    const json_t *owner = controller(metadata);
    const char *kind = json_read_text(owner, "kind"), *name = json_read_text(owner, "name"),
               *hash = pod_row_value(&ret->labels, "pod-template-hash");
    size_t size = strlen(name), tail = hash && *hash ? strlen(hash) + 1 : 0;
    char deployment[LAYOUT_NAME_MAX];

    if (text_eq(kind, "ReplicaSet") && tail > 0 && size > tail && size < sizeof(deployment) &&
        name[size - tail] == '-' && text_ends(name, hash)) {
        memcpy(deployment, name, size - tail);
        deployment[size - tail] = '\0';
        kind = "Deployment";
        name = deployment;
    }
    return pod_row_set(&ret->owner_kind, kind) < 0 || pod_row_set(&ret->owner_name, name) < 0 ? -ENOMEM : 0;
}

/* --- the pod --------------------------------------------------------------------------------------------------------
 */

static const char *uid_of(const json_t *metadata)
{
    const json_t *annotations = json_object_get(metadata, "annotations");
    const char *hash = json_read_text(annotations, STATIC_UID);

    return *hash && *json_read_text(annotations, MIRROR) ? hash : json_read_text(metadata, "uid");
}

int pod_object_read(const json_t *pod, const struct strv *annotations, struct pod_row *ret, unsigned *left_out)
{
    CLEANUP(pod_row_done) struct pod_row p = {.known = true};
    const json_t *metadata = json_object_get(pod, "metadata"), *spec = json_object_get(pod, "spec"),
                 *status = json_object_get(pod, "status");
    unsigned out = 0;

    assert(annotations && ret && left_out);
    if (take_name(uid_of(metadata), p.uid, sizeof(p.uid)) < 0 ||
        take_name(json_read_text(metadata, "namespace"), p.namespace, sizeof(p.namespace)) < 0 ||
        take_name(json_read_text(metadata, "name"), p.name, sizeof(p.name)) < 0)
        return -EBADMSG;
    if (clock_parse(json_read_text(metadata, "creationTimestamp"), &p.created_ns) < 0 || p.created_ns < 0)
        p.created_ns = 0;
    p.host_network = json_is_true(json_object_get(spec, "hostNetwork"));
    if (take_pairs(json_object_get(metadata, "labels"), NULL, &p.labels, &out) < 0 ||
        take_pairs(json_object_get(metadata, "annotations"), annotations, &p.annotations, &out) < 0 ||
        take_owner(metadata, &p) < 0 || pod_row_set(&p.phase, json_read_text(status, "phase")) < 0 ||
        take_containers(spec, status, &p, &out) < 0 || take_volumes(json_object_get(spec, "volumes"), &p, &out) < 0)
        return -ENOMEM;
    *left_out = out;
    *ret = p;
    p = (struct pod_row){0};
    return 0;
}
