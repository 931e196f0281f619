/* SPDX-License-Identifier: Apache-2.0
 *
 * Remembers its events, so that the next like case of a pod is counted by the same one, as the kubelet does. After a
 * restart it makes a new one: what the count was could only be read with another right.
 */
#include "notify/kube_sender.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/digest.h"
#include "kubeapi/api_status.h"
#include "kubeapi/kubeapi.h"
#include "notify/kube_event.h"

enum { SENT_MAX = 256, ANSWER_MAX = 512 * 1024 };

struct sent {
    char about[DIGEST_HEX_MAX]; /* pod, container, reason; "": free */
    char name[KUBE_EVENT_NAME_MAX];
    uint64_t count;
};

struct kube_sender {
    struct kubeapi *api;
    struct sent sent[SENT_MAX]; /* the oldest is replaced */
    unsigned next;
};

DEFINE_CLEANUP(struct kube_sender *, kube_sender_free)

int kube_sender_new(const char *url, struct kube_sender **ret, struct err *e)
{
    CLEANUP(kube_sender_free_ptr) struct kube_sender *s = calloc(1, sizeof(*s));
    const struct kubeapi_config config = {
        .url = *url ? url : NULL, .deadline_ms = KUBE_SENDER_DEADLINE_MS, .without_token = *url != '\0'};
    int r;

    assert(ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = kubeapi_new(&config, &s->api, e)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

void kube_sender_free(struct kube_sender *s)
{
    if (!s)
        return;
    kubeapi_free(s->api);
    free(s);
}

/* --- requests -------------------------------------------------------------------------------------------------------
 */

struct answer {
    long status;
    struct buf body;
    struct api_status refusal;
};

static void answer_done(struct answer *a)
{
    buf_done(&a->body);
}

static int ask(struct kube_sender *s, const struct kubeapi_call *c, struct answer *ret, struct err *e)
{
    int r;

    ret->body.ceiling = ANSWER_MAX;
    if ((r = kubeapi_ask(s->api, c, &ret->status, &ret->body, e)) == 0 && ret->status >= 300)
        api_status_read(buf_text(&ret->body), ret->body.size, &ret->refusal);
    return r;
}

/* needed: "create events". */
static int refused(const struct answer *a, const char *needed, const struct notice *n, struct err *e)
{
    const char *message = a->refusal.message;

    if (a->refusal.namespace_ends)
        return err_set(e, -FAULT_NO_OBJECT, "kubernetes: the namespace %.63s is being deleted", n->namespace);
    if (a->status == 401 || a->status == 403)
        return err_set(e, -FAULT_DENIED, "kubernetes answers %ld: the service account needs the right to %s in %.63s",
                       a->status, needed, n->namespace);
    if (a->status == 404)
        return err_set(e, -FAULT_NO_OBJECT, "kubernetes: there is no such pod or namespace any more");
    return err_set(e, -FAULT_REFUSED, "kubernetes answers %ld%s%.150s", a->status, *message ? ": " : "", message);
}

static bool is_good(const struct answer *a)
{
    return a->status >= 200 && a->status < 300;
}

/* Of a case that has none, from the API server. *ret NULL: it is not known there, or we may not ask. */
static int find_uid(struct kube_sender *s, const struct notice *n, char **ret, struct err *e)
{
    CLEANUP(answer_done) struct answer a = {0};
    char path[KUBE_EVENT_PATH_MAX];
    int r = ask(s, &(struct kubeapi_call){.method = "GET", .path = kube_event_pod_path(n, path)}, &a, e);

    *ret = r == 0 && is_good(&a) ? kube_event_read_uid(buf_text(&a.body), a.body.size) : NULL;
    return r;
}

/* --- events ---------------------------------------------------------------------------------------------------------
 */

static void digest_about(const struct notice *n, char hex[DIGEST_HEX_MAX])
{
    const char *const parts[] = {n->namespace, n->pod, n->pod_uid, n->container, kube_event_reason(n)};
    struct digest d;

    digest_init(&d);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        const char *text = parts[i] ? parts[i] : "";

        digest_update(&d, text, strlen(text) + 1);
    }
    digest_hex(&d, hex);
}

static struct sent *find_sent(struct kube_sender *s, const char *about)
{
    for (unsigned i = 0; i < SENT_MAX; i++)
        if (text_eq(s->sent[i].about, about))
            return &s->sent[i];
    return NULL;
}

static void remember(struct kube_sender *s, const char *about, const struct notice *n)
{
    struct sent *slot = find_sent(s, about);

    if (!slot) {
        slot = &s->sent[s->next];
        s->next = (s->next + 1) % SENT_MAX;
    }
    memcpy(slot->about, about, sizeof(slot->about));
    kube_event_name(n, slot->name);
    slot->count = 1 + n->more;
}

/* 1: the earlier event counts on; 0: it is gone, or we may not change it. */
static int add_to(struct kube_sender *s, struct sent *earlier, const struct notice *n, struct err *e)
{
    CLEANUP(buf_done) struct buf body = {0};
    CLEANUP(answer_done) struct answer a = {0};
    char path[KUBE_EVENT_PATH_MAX], name[KUBE_EVENT_NAME_MAX];
    struct kubeapi_call call = {.method = "PATCH",
                                .path = kube_event_path(n, earlier->name, path),
                                .content_type = "application/merge-patch+json",
                                .body = &body};
    int r;

    if (text_eq(kube_event_name(n, name), earlier->name))
        return 1; /* of this very case: it is there already */
    if (kube_event_patch(n, earlier->count + 1 + n->more, clock_wall_ns(), &body) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = ask(s, &call, &a, e)) < 0)
        return r;
    if (!is_good(&a))
        return 0;
    earlier->count += 1 + n->more;
    return 1;
}

static int create(struct kube_sender *s, const struct notice *n, const struct kube_event_more *more, struct err *e)
{
    CLEANUP(buf_done) struct buf body = {0};
    CLEANUP(answer_done) struct answer a = {0};
    char path[KUBE_EVENT_PATH_MAX];
    struct kubeapi_call call = {.method = "POST", .path = kube_event_path(n, NULL, path), .body = &body};
    int r;

    if (kube_event_write(n, more, clock_wall_ns(), &body) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = ask(s, &call, &a, e)) < 0)
        return r;
    /* 409: an earlier try's answer was lost. */
    return is_good(&a) || a.status == 409 ? 0 : refused(&a, "create events", n, e);
}

static int send_event(struct kube_sender *s, const struct notice *n, bool *ret_unbound, struct err *e)
{
    CLEANUP_FREE char *asked = NULL;
    struct kube_event_more more = {.uid = n->pod_uid, .node = env_get("NODE_NAME")};
    char about[DIGEST_HEX_MAX];
    struct sent *earlier;
    int r;

    digest_about(n, about);
    if ((earlier = find_sent(s, about)) && (r = add_to(s, earlier, n, e)) != 0)
        return r < 0 ? r : 0;
    if (!more.uid && (r = find_uid(s, n, &asked, e)) < 0)
        return r;
    if (asked)
        more.uid = asked;
    if ((r = create(s, n, &more, e)) < 0)
        return r;
    *ret_unbound = !more.uid;
    remember(s, about, n);
    return 0;
}

static int annotate(struct kube_sender *s, const struct notice *n, struct err *e)
{
    CLEANUP(buf_done) struct buf body = {0};
    CLEANUP(answer_done) struct answer a = {0};
    char path[KUBE_EVENT_PATH_MAX];
    struct kubeapi_call call = {.method = "PATCH",
                                .path = kube_event_pod_path(n, path),
                                .content_type = "application/merge-patch+json",
                                .body = &body};
    int r;

    if (kube_event_annotate(n, &body) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = ask(s, &call, &a, e)) < 0)
        return r;
    return is_good(&a) ? 0 : refused(&a, "patch pods", n, e);
}

int kube_sender_send(struct kube_sender *s, enum kube_sending what, const struct notice *n, bool *ret_unbound,
                     struct err *e)
{
    assert(s && n && n->id && n->sentence && ret_unbound);
    *ret_unbound = false;
    if (!kube_event_has_pod(n))
        return err_set(e, -FAULT_NO_OBJECT, "kubernetes: the case belongs to no pod");
    return what == KUBE_SEND_EVENT ? send_event(s, n, ret_unbound, e) : annotate(s, n, e);
}
