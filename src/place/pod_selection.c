/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of answers, by UID or "NAMESPACE/NAME".
 */
#include "place/pod_selection.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/glob_list.h"
#include "base/text.h"
#include "linux/inotify.h"
#include "place/pod_table.h"

enum { ANSWERS_MAX = 4096, ASK_AGAIN_MS = 1000, ANSWER_KEPT_MS = 60 * 60 * 1000 };

struct answer {
    char *key; /* owned */
    bool by_uid;
    int said;          /* 1, 0, -EINPROGRESS, -EAGAIN */
    uint64_t first_ms; /* when it was first asked for */
};

struct pod_selection {
    struct pod_selection_config c;
    struct pod_table *table; /* NULL: none */
    int fd;                  /* inotify's; -1: not asked for yet, or there is none */
    bool differs;            /* an answer is another one now */
    struct answer *answer;
    size_t count, capacity;
};

int pod_selection_new(const struct pod_selection_config *c, struct pod_selection **ret)
{
    CLEANUP(pod_selection_free_ptr) struct pod_selection *s = calloc(1, sizeof(*s));
    int r;

    assert(c->rules && ret);
    if (!s)
        return -ENOMEM;
    s->c = *c;
    s->fd = -1;
    if (c->table) {
        if ((r = pod_table_open(c->table, &s->table)) < 0)
            return r;
        pod_table_refresh(s->table);
    }
    *ret = TAKE_PTR(s);
    return 0;
}

void pod_selection_free(struct pod_selection *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        free(s->answer[i].key);
    free(s->answer);
    pod_table_free(s->table);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

int pod_selection_fd(struct pod_selection *s)
{
    const char *table = s->c.table;
    char folder[PATH_MAX];

    if (s->fd >= 0 || !table)
        return s->fd;
    snprintf(folder, sizeof(folder), "%.*s", (int)(text_base_name(table) - table), table);
    if ((s->fd = inotify_open()) < 0)
        return s->fd = -1;
    if (inotify_watch_add(s->fd, *folder ? folder : ".") < 0) {
        close(s->fd);
        s->fd = -1;
    }
    return s->fd;
}

/* --- answers --------------------------------------------------------------------------------------------------------
 */

/* NULL without memory or room: then nothing is waited for. */
static struct answer *answer_of(struct pod_selection *s, const char *key, bool by_uid)
{
    for (size_t i = 0; i < s->count; i++)
        if (text_eq(s->answer[i].key, key))
            return &s->answer[i];
    if (array_reserve(&s->answer, s->count + 1, &s->capacity, sizeof(*s->answer), ANSWERS_MAX) < 0)
        return NULL;
    s->answer[s->count] =
        (struct answer){.key = strdup(key), .by_uid = by_uid, .said = -EINPROGRESS, .first_ms = clock_mono_ms()};
    return s->answer[s->count].key ? &s->answer[s->count++] : NULL;
}

/* What the table says: 1, 0, -EAGAIN: the rule is pending, -ENOENT: no such row. */
static int ask_table(const struct pod_selection *s, const char *key, bool by_uid)
{
    CLEANUP(pod_row_done) struct pod_row row = {0};
    char rule[POD_RULE_MAX], namespace[LAYOUT_NAME_MAX];
    const char *slash = strchr(key, '/');
    int r;

    if (by_uid) {
        r = pod_table_rule(s->table, key, rule);
        return r < 0 ? r : opt_list_has(s->c.rules, rule);
    }
    snprintf(namespace, sizeof(namespace), "%.*s", (int)(slash - key), key);
    if ((r = pod_table_find_name(s->table, namespace, slash + 1, &row)) < 0)
        return -ENOENT;
    return row.pending ? -EAGAIN : opt_list_has(s->c.rules, row.rule);
}

static void ignore_event(void *ctx, int watch, enum inotify_what what, const char *name)
{
    (void)ctx, (void)watch, (void)what, (void)name;
}

/* Compares what was said with what the table says now, and forgets what it has no longer. */
static void compare(struct pod_selection *s)
{
    for (size_t i = s->count; i-- > 0;) {
        struct answer *a = &s->answer[i];
        int r = ask_table(s, a->key, a->by_uid);

        if (r >= 0 && r != a->said) {
            s->differs = true;
            a->said = r;
        }
        if (r == -ENOENT && clock_mono_ms() - a->first_ms > ANSWER_KEPT_MS) {
            free(a->key);
            *a = s->answer[--s->count];
        }
    }
}

static void update(struct pod_selection *s)
{
    if (!s->table)
        return;
    if (s->fd >= 0)
        inotify_read(s->fd, ignore_event, s);
    if (pod_table_refresh(s->table) == 1)
        compare(s);
}

static bool is_over(const struct answer *a, bool pending)
{
    return clock_mono_ms() - a->first_ms >= (pending ? POD_SELECTION_PENDING_MS : POD_SELECTION_WAIT_MS);
}

static int by_namespace(const struct pod_selection *s, const char *namespace)
{
    return s->c.namespaces && glob_list_selects(s->c.namespaces, namespace);
}

/* namespace: "" if it is not known. */
static int decide(struct pod_selection *s, const char *key, bool by_uid, bool wait, const char *namespace)
{
    struct answer *a = s->table ? answer_of(s, key, by_uid) : NULL;
    int r = s->table ? ask_table(s, key, by_uid) : -ENOENT;

    if (r < 0 && a && wait && !is_over(a, r == -EAGAIN))
        r = -EINPROGRESS;
    else if (r < 0)
        r = *namespace ? by_namespace(s, namespace) : -EAGAIN;
    if (a)
        a->said = r;
    return r;
}

int pod_selection_has_pod(struct pod_selection *s, const struct pod_logs_names *pod, bool wait, struct err *e)
{
    char key[2 * LAYOUT_NAME_MAX];
    int r;

    snprintf(key, sizeof(key), "%s/%s", pod->namespace, pod->pod);
    update(s);
    r = decide(s, key, false, wait, pod->namespace);
    return r < 0 ? err_set(e, r, "which rule applies to the pod %s is not known yet", key) : r;
}

static int find_names(const struct pod_selection *s, const char *uid, struct pod_logs_names *ret)
{
    CLEANUP(pod_row_done) struct pod_row row = {0};

    if (!s->table || pod_table_find(s->table, uid, &row) < 0)
        return pod_logs_names(s->c.pod_logs, uid, ret);
    memcpy(ret->namespace, row.namespace, sizeof(ret->namespace));
    memcpy(ret->pod, row.name, sizeof(ret->pod));
    return 0;
}

int pod_selection_has_uid(struct pod_selection *s, const char *uid, bool wait, struct pod_logs_names *ret_names,
                          struct err *e)
{
    struct pod_logs_names names = {0};
    int r, named;

    assert(*uid && s->c.pod_logs);
    update(s);
    named = find_names(s, uid, &names);
    r = decide(s, uid, true, wait, named == 0 ? names.namespace : "");
    if (r < 0)
        return r == -EAGAIN
                   ? err_set(e, r, "which namespace the pod %s is of is not known: %s: %s", uid, s->c.pod_logs,
                             named == -ENOENT ? "there is no folder for its logs" : strerror(-named))
                   : err_set(e, r, "which rule applies to the pod %s/%s is not known yet", names.namespace, names.pod);
    *ret_names = names;
    return r;
}

bool pod_selection_refresh(struct pod_selection *s)
{
    bool differs;

    update(s);
    differs = s->differs;
    s->differs = false;
    return differs;
}

uint64_t pod_selection_due_ms(const struct pod_selection *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->answer[i].said == -EINPROGRESS)
            return clock_mono_ms() + ASK_AGAIN_MS;
    return UINT64_MAX;
}
