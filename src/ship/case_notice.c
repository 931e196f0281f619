/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies what a notice needs.
 */
#include "ship/case_notice.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "notify/queue.h"
#include "ship/case_facts.h"
#include "ship/why.h"

static int copy(char **to, const char *text)
{
    return !text || !*text || (*to = strdup(text)) ? 0 : -ENOMEM;
}

/* The record of a kill is a sentence. */
static int copy_sentence(const struct manifest *m, struct notice *ret)
{
    char sentence[WHY_MAX];

    if (!text_eq(m->kind, "oom-kill") || !m->summary)
        return copy(&ret->sentence, why_sentence(m, sentence)) < 0 || copy(&ret->summary, m->summary) < 0 ? -ENOMEM : 0;
    if (asprintf(&ret->sentence, "%.*s.", WHY_MAX, m->summary) < 0) {
        ret->sentence = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* "https://salvage.example/-/case/shop/cart-1/…" */
static int link_to(const char *id, const char *public_url, char **ret)
{
    CLEANUP_FREE char *encoded = url_encode(id, strlen(id), 1);

    if (!encoded || asprintf(ret, "%s/-/case/%s", public_url, encoded) < 0) {
        *ret = NULL;
        return -ENOMEM;
    }
    return 0;
}

int case_notice(const struct manifest *m, const char *object_url, const char *public_url, struct notice *ret)
{
    char workload[WORKLOAD_MAX];

    assert(m && m->key && ret && !ret->id);
    ret->time_ns = m->time.modified ? m->time.modified : m->time.shipped;
    ret->size = m->size;
    ret->stored_size = m->stored_size;
    ret->exit_code = why_exit_code(m);
    for (; m->top && ret->top.count < m->top->count && ret->top.count < NOTICE_CLASSES; ret->top.count++)
        ret->top.row[ret->top.count] = m->top->row[ret->top.count];
    if (!(ret->id = case_id(m->key)) || !(ret->namespace = case_namespace(m->key)) || copy_sentence(m, ret) < 0 ||
        copy(&ret->place, m->where.place) < 0 || copy(&ret->workload, case_workload(m, workload)) < 0 ||
        copy(&ret->pod, m->where.pod) < 0 || copy(&ret->pod_uid, m->where.pod_uid) < 0 ||
        copy(&ret->container, m->where.container) < 0 || copy(&ret->cause, m->cause) < 0 ||
        copy(&ret->kind, m->kind) < 0 || copy(&ret->object, object_url) < 0 ||
        (public_url && link_to(ret->id, public_url, &ret->link) < 0))
        return -ENOMEM;
    return 0;
}

void case_notice_dropped(const char *id, const char *reason)
{
    log_event(EVENT_NOTICE_DROPPED, LOG_STR("case", id), LOG_STR("reason", reason));
}

int case_notice_of_stored(const struct manifest *m, const struct sink_config *store, const char *public_url,
                          struct notice *ret)
{
    CLEANUP_FREE char *object = sink_object_url(store, m->key);
    int r = case_notice(m, object, public_url, ret);

    if (r < 0)
        case_notice_dropped(m->key, "out of memory");
    return r;
}

int case_notice_queue(const struct notice *n, const struct notify_targets *targets, int folder)
{
    struct err e = {0};
    int r = folder < 0 ? err_set(&e, folder, "the folder for notices: %s", strerror(-folder))
                       : queue_put(folder, targets, n, NULL, &e);

    if (r < 0)
        case_notice_dropped(n->id, e.msg);
    return r;
}
