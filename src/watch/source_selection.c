/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose evidence is ours in a tree whose folders are called by namespaces and pods: by the pod, where rules select
 * pods (place/pod_selection.h), else by the namespace alone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/glob_list.h"
#include "place/pod_selection.h"
#include "watch/source_internal.h"

/* The name of a folder between the root and f, or of f itself: 0 is the first below the root. */
static bool name_of_level(const struct folder *f, unsigned level, char ret[LAYOUT_NAME_MAX])
{
    const char *p = f->path + strlen(f->root->path);
    size_t size;

    for (unsigned i = 0; *p == '/'; i++, p += size) {
        size = strcspn(++p, "/");
        if (i != level)
            continue;
        if (size == 0 || size >= LAYOUT_NAME_MAX)
            return false;
        memcpy(ret, p, size);
        ret[size] = '\0';
        return true;
    }
    return false;
}

static bool has_pod(const struct source *s, const struct pod_logs_names *pod)
{
    struct err ignored;

    return pod_selection_has_pod(s->config.selection, pod, s->config.selection_waits, &ignored) == 1;
}

/* Below folders of pods it was asked for the pod's already. */
bool source_selects_folder(const struct source *s, const struct folder *parent, const char *name)
{
    unsigned depth = source_depth(parent);
    struct pod_logs_names pod;

    if (parent->root->in_pod)
        return true;
    if (!s->config.selection)
        return s->config.namespaces.count == 0 || depth != s->config.namespace_level ||
               glob_list_selects(&s->config.namespaces, name);
    if (depth != s->config.pod_level || !name_of_level(parent, s->config.namespace_level, pod.namespace))
        return true;
    snprintf(pod.pod, sizeof(pod.pod), "%s", name);
    return has_pod(s, &pod);
}

bool source_selects_files(const struct source *s, const struct folder *f)
{
    struct pod_logs_names pod;

    if (f->root->in_pod || (!s->config.selection && s->config.namespaces.count == 0))
        return true;
    if (!name_of_level(f, s->config.namespace_level, pod.namespace))
        return false; /* lies in no namespace's folder */
    if (!s->config.selection)
        return true;
    if (!name_of_level(f, s->config.pod_level, pod.pod))
        return glob_list_selects(&s->config.namespaces, pod.namespace);
    return has_pod(s, &pod);
}
