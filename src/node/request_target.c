/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over /proc for a request: they are rare.
 */
#include "node/request_target.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"
#include "place/container.h"

enum { NAMES_MAX = 120 /* bytes of names in a sentence */ };

static void add_uid(struct request_pod *pod, const char *uid)
{
    if (pod->uids == REQUEST_UIDS_MAX || strlen(uid) >= PODUID_MAX || !*uid)
        return;
    snprintf(pod->uid[pod->uids++], PODUID_MAX, "%s", uid);
}

/* "NAMESPACE_POD_UID" */
static int find_in_logs(const char *dir, const struct capture_order *o, struct request_pod *ret)
{
    CLEANUP_DIR DIR *pods = file_opendir(AT_FDCWD, dir);
    char prefix[CAPTURE_NAMESPACE_MAX + CAPTURE_NAME_MAX + 2];

    if (!pods)
        return -errno;
    snprintf(prefix, sizeof(prefix), "%s_%s_", o->namespace, o->pod);
    for (struct dirent *d; (errno = 0, d = readdir(pods));)
        if (text_starts(d->d_name, prefix))
            add_uid(ret, d->d_name + strlen(prefix));
    return errno ? -errno : ret->uids > 0;
}

static int find_in_table(struct pod_table *table, const struct capture_order *o, struct request_pod *ret)
{
    CLEANUP(pod_row_done) struct pod_row row = {0};
    int r = pod_table_find_name(table, o->namespace, o->pod, &row);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    add_uid(ret, row.uid);
    ret->has_rule = !row.pending;
    snprintf(ret->rule, sizeof(ret->rule), "%s", row.rule);
    return 1;
}

int request_pod_find(const struct request_places *places, const struct capture_order *o, struct request_pod *ret)
{
    struct request_pod pod = {0};
    int r = 0;

    assert(places && places->pod_logs && o && ret);
    if (places->table) {
        pod_table_refresh(places->table);
        r = find_in_table(places->table, o, &pod);
    }
    if (r <= 0) /* a pod that has just begun may not be in the table yet */
        r = find_in_logs(places->pod_logs, o, &pod);
    if (r > 0)
        *ret = pod;
    return r;
}

/* What one pass has found. */
struct search {
    const struct request_pod *pod;
    const struct capture_order *order;
    struct request_process found, largest;
    uint64_t most;         /* pages of the largest */
    unsigned jvms, others; /* others: processes of containers that were not asked for */
    bool several;          /* containers that could be meant */
    char names[NAMES_MAX]; /* of all containers */
};

static bool has_name(const char *names, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = names; (at = strstr(at, name)); at += size)
        if ((at == names || at[-1] == ' ') && (!at[size] || at[size] == ','))
            return true;
    return false;
}

static void note_name(struct search *s, const char *name)
{
    size_t used = strlen(s->names);

    if (!has_name(s->names, name))
        snprintf(s->names + used, sizeof(s->names) - used, "%s%s", used ? ", " : "", name);
}

static uint64_t resident(const struct proc *p)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 256};
    const char *second;

    if (file_load(p->fd, "statm", &text) < 0)
        return 0;
    second = strchr(buf_text(&text), ' ');
    return second ? strtoull(second, NULL, 10) : 0;
}

static bool is_jvm(const struct proc *p)
{
    CLEANUP_FREE char *libjvm = NULL;

    return proc_mapped(p, "libjvm.so", &libjvm) == 0;
}

static void examine(struct search *s, const struct proc *p, const struct request_process *one)
{
    uint64_t pages = resident(p);

    if (s->most > 0 && !text_eq(s->largest.container, one->container))
        s->several = true;
    if (pages > s->most) {
        s->most = pages;
        s->largest = *one;
    }
    if (is_jvm(p) && ++s->jvms == 1)
        s->found = *one;
}

static bool is_of_pod(const struct request_pod *pod, const char *uid)
{
    for (unsigned i = 0; i < pod->uids; i++)
        if (text_eq(pod->uid[i], uid))
            return true;
    return false;
}

static void visit(struct search *s, const char *root, pid_t pid)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct request_process one = {.pid = pid};

    if (proc_open(root, pid, &p) < 0 || !container_pod(p.fd, one.uid) || !is_of_pod(s->pod, one.uid) ||
        !container_kubelet_name(p.fd, one.container)) /* the sandbox's own process has none */
        return;
    note_name(s, one.container);
    if (*s->order->container && !text_eq(s->order->container, one.container))
        s->others++;
    else
        examine(s, &p, &one);
}

static int choose(const struct search *s, struct request_process *ret, struct err *e)
{
    const struct capture_order *o = s->order;
    const char *where = *o->container ? "'s container " : "";

    if (!*s->names)
        return err_set(e, -ESRCH, "no process of a container of the pod runs here any more");
    if (s->most == 0)
        return err_set(e, -ESRCH, "no process runs in the container %s; the pod's containers with processes: %s",
                       o->container, s->names);
    if (s->jvms == 1) {
        *ret = s->found;
        return 0;
    }
    if (s->jvms > 1)
        return err_set(e, -FAULT_USAGE, "%u JVMs run in the pod%s%s: %s", s->jvms, where, o->container,
                       *o->container ? "which one is meant cannot be said" : "name the container");
    if (o->what != CAPTURE_CORE)
        return err_set(e, -ESRCH, "no JVM runs in the pod%s%s; its containers with processes: %s", where, o->container,
                       s->names);
    if (s->several)
        return err_set(e, -FAULT_USAGE, "name the container: %s", s->names);
    *ret = s->largest;
    return 0;
}

int request_process_find(const char *root, const struct request_pod *pod, const struct capture_order *o,
                         struct request_process *ret, struct err *e)
{
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, root);
    struct search s = {.pod = pod, .order = o};
    uint64_t pid;

    assert(pod && pod->uids > 0 && o && ret);
    if (!dir)
        return err_set(e, -ENOSYS, "there is no %s here", root);
    for (struct dirent *d; (d = readdir(dir));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0)
            visit(&s, root, (pid_t)pid);
    return choose(&s, ret, e);
}
