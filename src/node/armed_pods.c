/* SPDX-License-Identifier: Apache-2.0
 *
 * The table is read when it was replaced; a JVM's pod is found by the UID in its cgroup.
 */
#include "node/armed_pods.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"
#include "place/pod_annotation.h"
#include "place/pod_table.h"

struct armed_pods {
    struct armed_pods_config config;
    struct pod_table *table;
    bool any;        /* a pod is to be armed */
    uint64_t wanted; /* a sum over those pods, which changes with them */
    /* The answer to the last JVM that was asked about. */
    struct armplace place;
    struct armplace_folder *folder[POD_FOLDERS_MAX + OPT_LIST_MAX]; /* the pod's volumes, then the trees; owned */
    size_t folders;
    char *dir;
};

int armed_pods_new(const struct armed_pods_config *config, struct armed_pods **ret)
{
    CLEANUP(armed_pods_free_ptr) struct armed_pods *a = calloc(1, sizeof(*a));

    assert(config->table && config->all && config->asked && config->trees && ret);
    if (!a)
        return -ENOMEM;
    a->config = *config;
    if (pod_table_open(config->table, &a->table) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(a);
    return 0;
}

static void forget_place(struct armed_pods *a)
{
    while (a->folders > 0)
        armplace_folder_free(a->folder[--a->folders]);
    free(a->dir);
    a->dir = NULL;
    a->place = (struct armplace){0};
}

void armed_pods_free(struct armed_pods *a)
{
    if (!a)
        return;
    forget_place(a);
    pod_table_free(a->table);
    free(a);
}

static bool is_wanted(const struct armed_pods *a, const struct pod_row *row)
{
    const char *asks = pod_row_value(&row->annotations, POD_ANNOTATION_ARM);

    if (row->pending || row->gone_ns != 0 || !*row->rule || text_eq(asks, "false"))
        return false;
    return opt_list_has(a->config.all, row->rule) ||
           (opt_list_has(a->config.asked, row->rule) && text_eq(asks, "true"));
}

/* What decides about the pod, so that a change of it is seen. */
static uint64_t sum_of(const struct pod_row *row)
{
    const char *watch = pod_row_value(&row->annotations, POD_ANNOTATION_WATCH);

    return XXH3_64bits_withSeed(watch ? watch : "", watch ? strlen(watch) : 0, XXH3_64bits(row->uid, strlen(row->uid)));
}

static void read_table(struct armed_pods *a)
{
    a->any = false;
    a->wanted = 0;
    for (size_t i = 0; i < pod_table_count(a->table); i++) {
        CLEANUP(pod_row_done) struct pod_row row = {0};

        if (pod_table_at(a->table, i, &row) < 0 || !is_wanted(a, &row))
            continue;
        a->any = true;
        a->wanted += sum_of(&row); /* in any order */
    }
}

enum armfollow_round armed_pods_round(void *ctx)
{
    struct armed_pods *a = ctx;
    uint64_t before = a->wanted;

    if (pod_table_refresh(a->table) > 0)
        read_table(a);
    if (!a->any)
        return ARMFOLLOW_REST;
    return a->wanted == before ? ARMFOLLOW_GO : ARMFOLLOW_AGAIN;
}

/* A folder of the container's own file system, which the JVM sees by the same path. */
static void take_container(struct armed_pods *a, const struct pod_folder_name *f, const char *container)
{
    if (!a->dir && !f->volume && text_eq(f->name, container) && asprintf(&a->dir, "/%s", f->path) < 0)
        a->dir = NULL;
}

/* One that does not exist yet may later. */
static void take_folder(struct armed_pods *a, const char *path)
{
    struct err ignored;

    if (armplace_folder_new(path, &a->folder[a->folders], &ignored) == 0)
        a->folders++;
}

static void take_volume(struct armed_pods *a, const struct pod_folder_name *f, const char *uid)
{
    CLEANUP_FREE char *path = NULL;

    if (!f->volume || asprintf(&path, "%s/pods/%s/volumes/kubernetes.io~empty-dir/%s%s%s", a->config.kubelet, uid,
                               f->name, *f->path ? "/" : "", f->path) < 0) {
        path = NULL;
        return;
    }
    take_folder(a, path);
}

static void take_annotation(struct armed_pods *a, const struct pod_row *row, const struct jvm *j)
{
    const char *text = pod_row_value(&row->annotations, POD_ANNOTATION_WATCH);
    char container[CONTAINERNAME_MAX];
    struct pod_annotation folders;
    struct err ignored;

    if (!text || !a->config.kubelet ||
        pod_annotation_read(text, &folders, &ignored) < 0) /* the watch says what is wrong with it */
        return;
    if (!container_kubelet_name(j->proc.fd, container))
        *container = '\0';
    for (size_t i = 0; i < folders.count; i++) {
        take_container(a, &folders.folder[i], container);
        take_volume(a, &folders.folder[i], row->uid);
    }
}

const struct armplace *armed_pods_place(void *ctx, const struct jvm *j)
{
    struct armed_pods *a = ctx;
    CLEANUP(pod_row_done) struct pod_row row = {0};
    char uid[PODUID_MAX];

    forget_place(a);
    if (!container_pod(j->proc.fd, uid) || pod_table_find(a->table, uid, &row) < 0 || !is_wanted(a, &row))
        return NULL;
    take_annotation(a, &row, j);
    if (a->folders == 0 && a->dir) {
        a->place.dir = a->dir;
        return &a->place;
    }
    for (unsigned i = 0; i < a->config.trees->count; i++)
        take_folder(a, a->config.trees->item[i]);
    a->place.folders = a->folder;
    a->place.folder_count = a->folders;
    a->place.below = true;
    return &a->place;
}
