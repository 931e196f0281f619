/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids in paths: of cgroups, and of the files that a runtime mounts into its containers.
 */
#include "place/containerid.h"

#include <string.h>

#include "base/text.h"
#include "linux/cgroup.h"
#include "linux/mountinfo.h"

enum { ID_HEX = 64, TASK_HEX = 32, TASK_DIGITS_MIN = 6, TASK_DIGITS_MAX = 20, STATIC_POD_HEX = 32 };

/* Bytes, not a string. */
struct span {
    const char *text;
    size_t size;
};

static size_t count_of(const struct span *s, const char *set)
{
    size_t n = 0;

    while (n < s->size && s->text[n] && strchr(set, s->text[n]))
        n++;
    return n;
}

/* The text before the next separator; s moves past it. False at the end. */
static bool next_part(struct span *s, char separator, struct span *ret)
{
    const char *end;

    if (s->size == 0)
        return false;
    end = memchr(s->text, separator, s->size);
    *ret = (struct span){s->text, end ? (size_t)(end - s->text) : s->size};
    s->size -= ret->size + (end ? 1 : 0);
    s->text += ret->size + (end ? 1 : 0);
    return true;
}

static bool ends_with(const struct span *s, const char *end)
{
    size_t n = strlen(end);

    return s->size >= n && memcmp(s->text + s->size - n, end, n) == 0;
}

static bool is_text(const struct span *s, const char *text)
{
    return s->size == strlen(text) && memcmp(s->text, text, s->size) == 0;
}

static void copy_id(const struct span *s, char ret[CONTAINERID_MAX])
{
    memcpy(ret, s->text, s->size);
    ret[s->size] = '\0';
}

/* Fargate's "TASK-2495160603". */
static bool is_task_id(const struct span *s)
{
    size_t head = count_of(s, "0123456789abcdef");
    struct span tail;

    if (head != TASK_HEX || s->size < head + 1 + TASK_DIGITS_MIN || s->size > head + 1 + TASK_DIGITS_MAX)
        return false;
    tail = (struct span){s->text + head + 1, s->size - head - 1};
    return s->text[head] == '-' && count_of(&tail, "0123456789") == tail.size;
}

/* "0123…" (Docker, cri), "docker-0123….scope", "kubepods…:cri-containerd:0123…" (systemd's cgroups). */
static bool is_id(struct span s, char ret[CONTAINERID_MAX])
{
    if (ends_with(&s, ".scope"))
        s.size -= strlen(".scope");
    if (is_task_id(&s)) {
        copy_id(&s, ret);
        return true;
    }
    if (s.size > ID_HEX && strchr("-:", s.text[s.size - ID_HEX - 1]))
        s = (struct span){s.text + s.size - ID_HEX, ID_HEX};
    if (s.size != ID_HEX || count_of(&s, "0123456789abcdef") != ID_HEX)
        return false;
    copy_id(&s, ret);
    return true;
}

/* The innermost id counts. */
static bool id_in_path(struct span path, char ret[CONTAINERID_MAX])
{
    struct span part;
    bool found = false;

    while (next_part(&path, '/', &part))
        found |= is_id(part, ret);
    return found;
}

bool containerid_from_path(const char *path, char ret[CONTAINERID_MAX])
{
    return id_in_path((struct span){path, strlen(path)}, ret);
}

bool containerid_from_cgroup(const char *data, size_t size, char ret[CONTAINERID_MAX])
{
    struct cgroup_entry line;

    while (cgroup_next(&data, &size, &line))
        if (id_in_path((struct span){line.path, line.path_size}, ret))
            return true;
    return false;
}

/* "podUID", "kubepods-burstable-podUID.slice" */
static bool is_pod(struct span s, char ret[PODUID_MAX])
{
    static const char HEX[] = "0123456789abcdef";
    char uid[PODUID_MAX];
    bool dashes;

    if (ends_with(&s, ".slice"))
        s.size -= strlen(".slice");
    for (unsigned i = 0; i < 2; i++) {
        size_t length = i == 0 ? PODUID_MAX - 1 : STATIC_POD_HEX, head = s.size - length;

        if (s.size < length + 3 || memcmp(s.text + head - 3, "pod", 3) != 0 || (head > 3 && s.text[head - 4] != '-'))
            continue;
        dashes = i == 0;
        memcpy(uid, s.text + head, length);
        uid[length] = '\0';
        for (size_t n = 0; n < length; n++) {
            bool dash = dashes && (n == 8 || n == 13 || n == 18 || n == 23);

            if (dash && uid[n] == '_')
                uid[n] = '-';
            if (dash ? uid[n] != '-' : !strchr(HEX, uid[n]))
                return false;
        }
        memcpy(ret, uid, length + 1);
        return true;
    }
    return false;
}

/* "podUID/ID" at the end of a path is a kubelet's, whatever the folders above are called (another --cgroup-root, or a
 * cgroup namespace's "/../podUID/ID"), but not at the top. rest: the path after this part. */
static bool is_bare_pod(const struct span *s, struct span rest, char ret[PODUID_MAX])
{
    char uid[PODUID_MAX], id[CONTAINERID_MAX];
    struct span next;

    if (s->size < 3 || memcmp(s->text, "pod", 3) != 0 || !is_pod(*s, uid) || s->size != 3 + strlen(uid) ||
        !next_part(&rest, '/', &next) || !is_id(next, id))
        return false;
    memcpy(ret, uid, sizeof(uid));
    return true;
}

/* A part may be "kubepods-burstable-podUID.slice:cri-containerd:ID": a cgroup in systemd's notation that the runtime
 * made itself. The outermost pod counts: a container that may make cgroups below its own can't pose as another pod. */
static bool pod_in_path(struct span all, char ret[PODUID_MAX])
{
    struct span part, head;
    bool below = false, top = true;

    while (next_part(&all, '/', &part)) {
        bool of_kubelet =
            memmem(part.text, part.size, "kubepods", strlen("kubepods")); /* kind: kubelet-kubepods.slice */
        bool several = memchr(part.text, ':', part.size);

        if (!next_part(&part, ':', &head))
            continue;
        if (((below || (of_kubelet && several)) && is_pod(head, ret)) || (!top && is_bare_pod(&head, all, ret)))
            return true;
        below |= of_kubelet;
        top = false;
    }
    return false;
}

bool containerid_pod_from_path(const char *path, char ret[PODUID_MAX])
{
    return pod_in_path((struct span){path, strlen(path)}, ret);
}

bool containerid_pod_from_cgroup(const char *data, size_t size, char ret[PODUID_MAX])
{
    struct cgroup_entry line;

    while (cgroup_next(&data, &size, &line))
        if (pod_in_path((struct span){line.path, line.path_size}, ret))
            return true;
    return false;
}

/* The id after "/NAME/" in a path of the host. */
static bool id_behind(const char *text, const char *name, char ret[CONTAINERID_MAX])
{
    struct span path = {text, strlen(text)}, part;
    bool behind = false;

    while (next_part(&path, '/', &part)) {
        if (behind && is_id(part, ret))
            return true;
        behind = is_text(&part, name);
    }
    return false;
}

/* Docker mounts /etc/hostname from the container's folder, Podman .containerenv. Files that the kubelet and CRI mount
 * carry the id of the sandbox, which is another container. */
static int find_id(void *ctx, const struct mount *m)
{
    return (text_eq(m->point, "/etc/hostname") && id_behind(m->root, "containers", ctx)) ||
           (text_eq(m->point, "/run/.containerenv") && id_behind(m->root, "overlay-containers", ctx));
}

bool containerid_from_mountinfo(const char *data, size_t size, char ret[CONTAINERID_MAX])
{
    return mountinfo_each(data, size, find_id, ret) == 1;
}

struct naming {
    const char *pod_uid;
    char *ret;
};

/* ".../pods/POD_UID/containers/NAME/RANDOM", and no more. */
static int find_name(void *ctx, const struct mount *m)
{
    static const char LABEL[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const struct naming *n = ctx;
    struct span path = {m->root, strlen(m->root)}, part[5] = {0};

    /* the last five */
    while (path.size > 0) {
        memmove(part, part + 1, 4 * sizeof(*part));
        next_part(&path, '/', &part[4]);
    }
    if (!part[0].text || !is_text(&part[0], "pods") || !is_text(&part[1], n->pod_uid) ||
        !is_text(&part[2], "containers") || part[3].size == 0 || part[3].size >= CONTAINERNAME_MAX ||
        count_of(&part[3], LABEL) != part[3].size)
        return 0;
    memcpy(n->ret, part[3].text, part[3].size);
    n->ret[part[3].size] = '\0';
    return 1;
}

bool containerid_name_from_mountinfo(const char *data, size_t size, const char *pod_uid, char ret[CONTAINERNAME_MAX])
{
    struct naming n = {pod_uid, ret};

    return mountinfo_each(data, size, find_name, &n) == 1;
}
