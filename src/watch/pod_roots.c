/* SPDX-License-Identifier: Apache-2.0
 *
 * The table is walked anew whenever it was replaced, and what differs is changed.
 */
#include "watch/pod_roots.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/pod_annotation.h"
#include "place/pod_table.h"
#include "watch/pod_folder.h"
#include "watch/pod_opener.h"
#include "watch/pod_refusals.h"
#include "watch/pod_table_watch.h"
#include "watch/source.h"

enum {
    ROOTS_MAX = 2048,
    CHANGES_MS = 200, /* the table changes several times when a pod starts */
    POLL_MS = 5000,   /* of the table, without inotify */
    RETRY_MS = 250,   /* of a folder that is not there, doubled each time */
    TRIES_MAX = 9,    /* about a minute */
    ENDING_MS = 3000  /* after the last scan: files of any name are read one after the other (watch/sniffer.h) */
};

struct pod_entry {
    char *key;           /* UID/volume:NAME/PATH, or UID/ID/CONTAINER:/PATH */
    struct folder *root; /* of the source; NULL: not there (yet) */
    uv_poll_t *process;  /* its container's end; NULL: none */
    struct pod_roots *owner;
    uint64_t due_ms; /* of the next try, or of its removal; UINT64_MAX: none */
    unsigned tries;
    bool wanted;  /* by the table */
    bool ending;  /* the last scan was made */
    bool ended;   /* its container has ended: not opened again */
    bool changed; /* the source says so */
};

struct pod_roots {
    struct pod_roots_config config;
    struct pod_roots_events events;
    struct source *source;
    uv_loop_t *loop;
    struct pod_table *table;
    struct pod_table_watch replaced;
    uv_timer_t timer;
    struct pod_entry **entry;
    size_t count, capacity;
    struct pod_refusals refusals;
    bool closed;
};

/* What one pass over the table needs. */
struct pass {
    struct pod_roots *p;
    uint64_t now_ms;
    struct pod_opener opener;
};

static void on_timer(uv_timer_t *timer);

static void wake(struct pod_roots *p, uint64_t delay_ms)
{
    if (p->closed || (uv_is_active((uv_handle_t *)&p->timer) && uv_timer_get_due_in(&p->timer) <= delay_ms))
        return;
    uv_update_time(p->loop);
    uv_timer_start(&p->timer, on_timer, delay_ms, 0);
}

static struct pod_entry *find_entry(const struct pod_roots *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (text_eq(p->entry[i]->key, key))
            return p->entry[i];
    return NULL;
}

static struct pod_entry *add_entry(struct pod_roots *p, const char *key)
{
    struct pod_entry *e;

    if (array_reserve(&p->entry, p->count + 1, &p->capacity, sizeof(struct pod_entry *), ROOTS_MAX) < 0 ||
        !(e = calloc(1, sizeof(*e))))
        return NULL;
    if (!(e->key = strdup(key))) {
        free(e);
        return NULL;
    }
    e->owner = p;
    return p->entry[p->count++] = e;
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static void stop_process(struct pod_entry *e)
{
    if (e->process)
        uv_close((uv_handle_t *)e->process, free_handle);
    e->process = NULL;
}

static void on_process_end(uv_poll_t *poll, int status, int events)
{
    struct pod_entry *e = poll->data;

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    e->ended = true;
    wake(e->owner, 0);
}

/* Without a descriptor of the process only the table says when a container has ended. */
static void watch_process(struct pod_entry *e, int pidfd)
{
    if (pidfd < 0 || !(e->process = calloc(1, sizeof(*e->process))))
        return;
    if (uv_poll_init(e->owner->loop, e->process, pidfd) < 0) {
        free(e->process);
        e->process = NULL;
        return;
    }
    e->process->data = e;
    uv_poll_start(e->process, UV_READABLE, on_process_end);
}

static void remove_root(struct pod_entry *e)
{
    stop_process(e);
    if (e->root) {
        if (!e->root->in_pod->below)
            log_event(EVENT_POD_FOLDER_ENDED, LOG_STR("dir", e->root->path));
        source_remove_pod(e->owner->source, e->root);
        e->owner->events.removed(e->owner->events.ctx);
    }
    e->root = NULL;
    e->changed = false;
}

static void free_entry(struct pod_entry *e)
{
    free(e->key);
    free(e);
}

/* As a person would call it. */
static void format_folder(const struct pod_folder_name *name, char *out, size_t size)
{
    if (name->volume)
        snprintf(out, size, "volume:%s%s%s", name->name, *name->path ? "/" : "", name->path);
    else
        snprintf(out, size, "%s:/%s", name->name, name->path);
}

static void try_open(struct pass *s, struct pod_entry *e, const struct pod_row *row, const struct pod_folder_name *name,
                     const char *id)
{
    const struct claim_pod pod = {(char *)row->namespace, (char *)row->name, (char *)row->uid,
                                  name->volume ? NULL : (char *)name->name};
    char folder[POD_FOLDER_NAME_MAX + POD_FOLDER_PATH_MAX + 16],
        path[LAYOUT_NAME_MAX + LAYOUT_NAME_MAX + sizeof(folder)];
    struct pod_folder *in = NULL;
    int pidfd = -1, r = pod_opener_open(&s->opener, &pod, name, id, &in);

    format_folder(name, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s/%s", row->namespace, row->name, folder);
    if (r == 0) {
        bool waits = in->below != NULL;

        pidfd = in->pidfd;
        if ((r = source_add_pod(s->p->source, in, path, &e->root)) == 0) {
            watch_process(e, pidfd);
            e->tries = 0;
            e->due_ms = UINT64_MAX;
            log_event(EVENT_POD_FOLDER, LOG_STR("dir", path), LOG_STR("waits", waits ? "it does not exist yet" : NULL));
            s->p->events.added(s->p->events.ctx, e->root);
            return;
        }
    }
    e->due_ms = e->tries < TRIES_MAX ? s->now_ms + ((uint64_t)RETRY_MS << e->tries) : UINT64_MAX;
    e->tries += e->tries < TRIES_MAX;
    /* A volume or container that is not there will be soon, or has just gone; likewise another root of this folder. */
    if ((r != -ENOENT && r != -EEXIST) || e->due_ms == UINT64_MAX)
        pod_refusals_add(&s->p->refusals, row, folder, pod_refusals_reason(r, name->volume));
}

/* Whether the table says that the folder can't be. */
static const char *impossible(const struct pod_row *row, const struct pod_folder_name *name)
{
    if (!row->known)
        return NULL;
    if (!name->volume)
        return row->containers > 0 && !pod_row_container(row, name->name) ? "the pod has no container of this name"
                                                                          : NULL;
    for (size_t i = 0; i < row->volumes.count; i++)
        if (text_eq(row->volumes.item[i], name->name))
            return NULL;
    return "the pod has no emptyDir of this name";
}

static void want_folder(struct pass *s, const struct pod_row *row, const struct pod_folder_name *name)
{
    const struct pod_container *container = name->volume ? NULL : pod_row_container(row, name->name);
    const char *problem = impossible(row, name), *id = container && container->id ? container->id : "";
    char folder[POD_FOLDER_NAME_MAX + POD_FOLDER_PATH_MAX + 16], key[PODUID_MAX + CONTAINERID_MAX + sizeof(folder) + 2];
    struct pod_entry *e;

    format_folder(name, folder, sizeof(folder));
    if (problem) {
        pod_refusals_add(&s->p->refusals, row, folder, problem);
        return;
    }
    if (!name->volume && !*id)
        return; /* not started yet: the table will say */
    snprintf(key, sizeof(key), "%s/%s/%s", row->uid, id, folder);
    e = find_entry(s->p, key);
    if (!e && !(e = add_entry(s->p, key))) {
        pod_refusals_add(&s->p->refusals, row, folder, "too many folders of pods are watched");
        return;
    }
    e->wanted = true;
    if (!e->root && !e->ended && e->due_ms <= s->now_ms)
        try_open(s, e, row, name, id);
}

static bool is_ours(const struct pod_roots *p, const struct pod_row *row)
{
    return row->gone_ns == 0 && opt_list_has(p->config.rules, row->rule);
}

static void want_pod(struct pass *s, const struct pod_row *row)
{
    const char *text = is_ours(s->p, row) ? pod_row_value(&row->annotations, POD_ANNOTATION_WATCH) : NULL;
    struct pod_annotation a;
    struct err e = {0};

    if (!text)
        return;
    pod_refusals_mark(&s->p->refusals, row->uid);
    if (pod_annotation_read(text, &a, &e) < 0) {
        pod_refusals_add(&s->p->refusals, row, POD_ANNOTATION_WATCH, e.msg);
        return;
    }
    for (size_t i = 0; i < a.count; i++)
        want_folder(s, row, &a.folder[i]);
}

/* One that is not wanted any more, or has ended, is scanned a last time, and removed some time after that. */
static void end_entry(struct pod_roots *p, struct pod_entry *e, uint64_t now_ms)
{
    if (e->ending)
        return;
    e->ending = true;
    e->due_ms = now_ms + ENDING_MS;
    if (e->root)
        p->events.last_scan(p->events.ctx, e->root);
    else
        e->due_ms = now_ms;
}

/* What has changed since the last pass, before the table is walked. */
static void take_changes(struct pod_roots *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct pod_entry *e = p->entry[i];

        e->wanted = false;
        if (e->changed && !e->ending) {
            remove_root(e);
            e->tries = 0;
            e->due_ms = 0;
        }
    }
}

static void remove_ended(struct pod_roots *p, uint64_t now_ms)
{
    for (size_t i = 0; i < p->count;) {
        struct pod_entry *e = p->entry[i];

        if (e->wanted && !e->ended) {
            e->ending = false; /* wanted again */
            i++;
            continue;
        }
        end_entry(p, e, now_ms);
        if (e->due_ms <= now_ms || e->changed)
            remove_root(e);
        if (e->root || e->wanted) {
            i++;
            continue;
        }
        free_entry(e);
        p->entry[i] = p->entry[--p->count];
    }
}

static void wake_when_due(struct pod_roots *p, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < p->count; i++)
        if ((!p->entry[i]->root || p->entry[i]->ending) && p->entry[i]->due_ms > now_ms && p->entry[i]->due_ms < next)
            next = p->entry[i]->due_ms;
    if (next != UINT64_MAX)
        wake(p, next - now_ms);
    if (p->replaced.fd < 0)
        wake(p, POLL_MS);
}

static void walk(struct pod_roots *p)
{
    struct pass s = {
        .p = p, .now_ms = clock_mono_ms(), .opener = {.kubelet = p->config.kubelet, .proc = p->config.proc}};
    int r = pod_table_refresh(p->table);

    if (r < 0)
        log_event(EVENT_POD_FOLDER_REFUSED, LOG_STR("folder", p->config.table), LOG_STR("error", strerror(-r)));
    take_changes(p);
    if (r == 1)
        for (size_t i = 0; i < p->count; i++)
            if (!p->entry[i]->root && !p->entry[i]->ended)
                p->entry[i]->due_ms = p->entry[i]->due_ms == UINT64_MAX ? 0 : p->entry[i]->due_ms;
    for (size_t i = 0; i < pod_table_count(p->table); i++) {
        CLEANUP(pod_row_done) struct pod_row row = {0};

        if (pod_table_at(p->table, i, &row) == 0)
            want_pod(&s, &row);
    }
    remove_ended(p, s.now_ms);
    pod_refusals_forget(&p->refusals);
    pod_opener_done(&s.opener);
    wake_when_due(p, s.now_ms);
}

static void on_timer(uv_timer_t *timer)
{
    walk(timer->data);
}

static void on_replaced(void *ctx)
{
    wake(ctx, CHANGES_MS);
}

int pod_roots_new(uv_loop_t *loop, const struct pod_roots_config *c, const struct pod_roots_events *events,
                  struct source *s, struct pod_roots **ret)
{
    struct pod_roots *p = calloc(1, sizeof(*p));

    assert(c->table && c->kubelet && c->proc && c->rules && events->added && s && ret);
    if (!p || pod_table_open(c->table, &p->table) < 0) {
        free(p);
        return -ENOMEM;
    }
    p->config = *c;
    p->events = *events;
    p->source = s;
    p->loop = loop;
    p->replaced = (struct pod_table_watch){.fd = -1, .table = c->table, .replaced = on_replaced, .ctx = p};
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    *ret = p;
    return 0;
}

void pod_roots_start(struct pod_roots *p)
{
    pod_table_watch_start(&p->replaced, p->loop); /* before it is read: what comes later is an event */
    walk(p);
}

void pod_roots_changed(struct pod_roots *p, const struct folder *root)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->entry[i]->root == root)
            p->entry[i]->changed = true;
    wake(p, 0);
}

void pod_roots_close(struct pod_roots *p)
{
    if (!p || p->closed)
        return;
    p->closed = true;
    for (size_t i = 0; i < p->count; i++)
        stop_process(p->entry[i]);
    pod_table_watch_close(&p->replaced);
    uv_close((uv_handle_t *)&p->timer, NULL);
}

void pod_roots_free(struct pod_roots *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free_entry(p->entry[i]);
    free(p->entry);
    pod_refusals_done(&p->refusals);
    pod_table_free(p->table);
    pod_table_watch_done(&p->replaced);
    free(p);
}
