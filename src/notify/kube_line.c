/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/kube_line.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "notify/kube_sender.h"

enum { MINUTE_MS = 60 * 1000, NAMESPACE_SIZE = 64 };

struct denied {
    char namespace[NAMESPACE_SIZE]; /* "": free */
    uint64_t until_ms;
};

struct kube_line {
    struct kube_sender *sender;
    struct denied denied[KUBE_LINE_NAMESPACES_MAX]; /* the oldest is replaced: it is tried too early, no more */
    unsigned next;
    uint64_t minute_ms; /* when it began */
    unsigned in_minute;
};

struct kube_line *kube_line_new(void)
{
    return calloc(1, sizeof(struct kube_line));
}

void kube_line_free(struct kube_line *l)
{
    if (!l)
        return;
    kube_sender_free(l->sender);
    free(l);
}

/* KUBE_LINE_NAMESPACES_MAX: it is not there. */
static unsigned find_denied(const struct kube_line *l, const char *namespace)
{
    unsigned i = 0;

    while (i < KUBE_LINE_NAMESPACES_MAX && !text_eq(l->denied[i].namespace, namespace))
        i++;
    return i;
}

uint64_t kube_line_held_until(const struct kube_line *l, const struct notice *n, uint64_t now_ms)
{
    unsigned i = find_denied(l, n->namespace);

    if (i < KUBE_LINE_NAMESPACES_MAX && l->denied[i].until_ms > now_ms)
        return l->denied[i].until_ms;
    return l->in_minute >= KUBE_LINE_MINUTE_MAX && now_ms - l->minute_ms < MINUTE_MS ? l->minute_ms + MINUTE_MS : 0;
}

static void count(struct kube_line *l, uint64_t now_ms)
{
    if (l->in_minute == 0 || now_ms - l->minute_ms >= MINUTE_MS) {
        l->minute_ms = now_ms;
        l->in_minute = 0;
    }
    l->in_minute++;
}

static bool hold(struct kube_line *l, const char *namespace)
{
    unsigned i = find_denied(l, namespace);
    bool fresh = i == KUBE_LINE_NAMESPACES_MAX;

    if (fresh) {
        i = l->next;
        l->next = (l->next + 1) % KUBE_LINE_NAMESPACES_MAX;
        snprintf(l->denied[i].namespace, sizeof(l->denied[i].namespace), "%s", namespace);
    }
    l->denied[i].until_ms = clock_mono_ms() + KUBE_LINE_DENIED_MS;
    return fresh;
}

static void release(struct kube_line *l, const char *namespace)
{
    unsigned i = find_denied(l, namespace);

    if (i < KUBE_LINE_NAMESPACES_MAX)
        l->denied[i] = (struct denied){0};
}

int kube_line_send(struct kube_line *l, const struct notify_target *t, const struct notice *n, bool *ret_fresh,
                   struct err *e)
{
    enum kube_sending what = t->form->via == NOTIFY_BY_KUBE_EVENT ? KUBE_SEND_EVENT : KUBE_SEND_ANNOTATION;
    bool unbound = false;
    int r;

    assert(l && t && n && ret_fresh && notify_target_is_kubernetes(t));
    *ret_fresh = false;
    if (!l->sender && (r = kube_sender_new(t->url, &l->sender, e)) < 0)
        return r;
    count(l, clock_mono_ms());
    r = kube_sender_send(l->sender, what, n, &unbound, e);
    if (r == -FAULT_DENIED)
        *ret_fresh = hold(l, n->namespace);
    if (r < 0)
        return r;
    release(l, n->namespace);
    log_event(EVENT_NOTICE_SENT, LOG_STR("target", t->name), LOG_STR("case", n->id), LOG_UINT("more", n->more),
              LOG_STR("note", unbound
                                  ? "the pod's UID is unknown (POD_UID, or the right to get pods): kubectl describe "
                                    "does not show the event"
                                  : NULL));
    return 0;
}
