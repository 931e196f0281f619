/* SPDX-License-Identifier: Apache-2.0
 *
 * Three states: nothing under way until due_ms, a list, a watch. A list is of resourceVersion 0: the API server answers
 * from its memory, by its index of nodes, and not from etcd.
 */
#include "kubeapi/kubeapi_watch.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "kubeapi/object_stream.h"
#include "net/http_stream.h"

enum {
    VERSION_MAX = 64,
    LIST_MS = 60 * 1000,        /* a list has to be there by then */
    HEAD_MS = 30 * 1000,        /* the head of a watch's answer */
    WATCH_S = 8 * 60,           /* the API server ends it then */
    WATCH_MORE_MS = 60 * 1000,  /* or else we do */
    SILENT_MS = 11 * 60 * 1000, /* more than a watch takes: bookmarks are not promised */
    SOON_MS = 1000,             /* between watches that end at once */
    RETRY_FIRST_MS = 1000,
    RETRY_MOST_MS = 60 * 1000
};
_Static_assert((int)KUBEAPI_WATCH_FDS == (int)HTTP_SOCKETS_MAX, "");

struct kubeapi_watch {
    struct kubeapi_watch_config c;
    char *path, *selector;
    struct http_stream *stream;
    enum { IDLE, LISTING, WATCHING } state;
    char version[VERSION_MAX]; /* "": a list is needed */
    uint64_t due_ms;           /* the next request, or the deadline of the one under way */
    uint64_t begun_ms, end_ms;
    struct backoff backoff;
    int last;     /* the result that was reported last; 1: nothing yet */
    bool expired; /* the watch was told so: 410 */
    bool again;   /* a list is wanted */
    unsigned left_out;

    /* Of the request under way. */
    struct http_request request;
    char *url;
    struct secret *token;
    struct object_stream objects;
};

/* --- objects of an answer -------------------------------------------------------------------------------------------
 */

static int take_listed(void *ctx, const char *text, size_t size)
{
    struct kubeapi_watch *w = ctx;
    json_auto_t *object = json_read_object(text, size, OBJECT_MAX);

    if (!object) {
        w->left_out++;
        return 0;
    }
    return w->c.ops->object(w->c.ctx, object, false);
}

static void keep_version(struct kubeapi_watch *w, const json_t *object)
{
    const char *version = json_read_text(json_object_get(object, "metadata"), "resourceVersion");

    if (*version && strlen(version) < VERSION_MAX && strspn(version, "0123456789") == strlen(version))
        memcpy(w->version, version, strlen(version) + 1);
}

static int take_watched(void *ctx, const char *text, size_t size)
{
    struct kubeapi_watch *w = ctx;
    json_auto_t *event = json_read_object(text, size, OBJECT_MAX);
    const json_t *object = json_object_get(event, "object");
    const char *type = json_read_text(event, "type");
    int r = 0;

    if (!json_is_object(object)) {
        w->left_out++;
        return 0;
    }
    if (text_eq(type, "ERROR")) {
        w->expired = true; /* 410; whatever else it is, a new list is right */
        return -FAULT_EXPIRED;
    }
    if (!text_eq(type, "BOOKMARK"))
        r = w->c.ops->object(w->c.ctx, object, text_eq(type, "DELETED"));
    if (r == 0)
        keep_version(w, object);
    return r;
}

static int on_bytes(void *ctx, const void *data, size_t size)
{
    struct kubeapi_watch *w = ctx;

    return object_stream_feed(&w->objects, data, size);
}

/* --- requests -------------------------------------------------------------------------------------------------------
 */

static void end_request(struct kubeapi_watch *w)
{
    object_stream_done(&w->objects);
    w->objects = (struct object_stream){0};
    secret_free(TAKE_PTR(w->token));
    free(TAKE_PTR(w->url));
    w->state = IDLE;
}

static int make_path(const struct kubeapi_watch *w, bool watch, char **ret)
{
    const char *selector = w->selector ? w->selector : "", *and = w->selector ? "&" : "";
    int n;

    if (watch)
        n = asprintf(ret, "%s?%s%swatch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%d", w->path,
                     selector, and, w->version, WATCH_S);
    else if (w->c.can_watch)
        n = asprintf(ret, "%s?%s%sresourceVersion=0", w->path, selector, and);
    else
        n = asprintf(ret, "%s", w->path);
    if (n < 0)
        *ret = NULL;
    return n < 0 ? -ENOMEM : 0;
}

static int begin(struct kubeapi_watch *w, bool watch, struct err *e)
{
    CLEANUP_FREE char *path = NULL;
    uint64_t now = clock_mono_ms();
    int r;

    if (make_path(w, watch, &path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = kubeapi_authorize(w->c.api, path, &w->url, &w->token, e)) < 0)
        return r;
    w->request = (struct http_request){.method = "GET", .url = w->url, .patient = true, .write = on_bytes, .ctx = w};
    http_add_secret(&w->request, "Authorization", w->token);
    http_add_header(&w->request, "Accept", "application/json");
    w->objects = (struct object_stream){.list = !watch, .take = watch ? take_watched : take_listed, .ctx = w};
    w->left_out = 0;
    w->expired = false;
    if (!w->stream) {
        struct http *h = NULL;

        if ((r = kubeapi_open(w->c.api, SILENT_MS, &h, e)) < 0 || (r = http_stream_new(h, &w->stream, e)) < 0)
            return r;
    }
    if ((r = http_stream_begin(w->stream, &w->request, e)) < 0)
        return r;
    w->begun_ms = now;
    w->end_ms = now + (watch ? (uint64_t)WATCH_S * 1000 + WATCH_MORE_MS : LIST_MS);
    w->state = watch ? WATCHING : LISTING;
    if (!watch) {
        w->again = false;
        w->c.ops->list_begins(w->c.ctx);
    }
    return 0;
}

/* --- what becomes of them -------------------------------------------------------------------------------------------
 */

static void works(struct kubeapi_watch *w)
{
    w->backoff.tries = 0;
    if (w->last != 0)
        w->c.ops->works(w->c.ctx);
    w->last = 0;
}

/* The next connection is a new one, with the CA as it is then. */
static void fails(struct kubeapi_watch *w, int result, const struct err *e)
{
    http_stream_free(TAKE_PTR(w->stream));
    end_request(w);
    w->due_ms = clock_mono_ms() + backoff_next(&w->backoff, e->retry_after_ms);
    if (result != w->last)
        w->c.ops->fails(w->c.ctx, result, e);
    w->last = result;
}

static int check_status(const struct kubeapi_watch *w, struct err *e)
{
    const struct http_answer *a = http_stream_answer(w->stream);

    e->retry_after_ms = a->retry_after_ms;
    if (a->status == 401 || a->status == 403)
        return err_set(e, -FAULT_DENIED, "it answers %ld to list and watch %s: has the service account the right?",
                       a->status, w->path);
    if (a->status == 429 || a->status >= 500)
        return err_set(e, -FAULT_BUSY, "it answers %ld to %s", a->status, w->path);
    if (a->status == 410)
        return err_set(e, -FAULT_EXPIRED, "it answers 410 to %s", w->path);
    if (a->status != 200)
        return err_set(e, -FAULT_FORMAT, "it answers %ld to %s", a->status, w->path);
    return object_stream_is_whole(&w->objects) || w->state == WATCHING
               ? 0
               : err_set(e, -FAULT_FORMAT, "its list of %s is cut short", w->path);
}

static void say_left_out(struct kubeapi_watch *w)
{
    unsigned count = w->left_out + w->objects.too_large;

    if (count > 0)
        w->c.ops->left_out(w->c.ctx, count);
}

static int end_list(struct kubeapi_watch *w, struct err *e)
{
    json_auto_t *around = json_read_object(buf_text(&w->objects.around), w->objects.around.size, OBJECT_AROUND_MAX);

    if (!around || !text_ends(json_read_text(around, "kind"), "List"))
        return err_set(e, -FAULT_FORMAT, "its answer to %s is no list", w->path);
    w->version[0] = '\0';
    keep_version(w, around);
    if (w->c.can_watch && !w->version[0])
        return err_set(e, -FAULT_FORMAT, "its list of %s has no resourceVersion", w->path);
    say_left_out(w);
    w->c.ops->list_ends(w->c.ctx);
    end_request(w);
    malloc_trim(0); /* many objects came at once */
    if (!w->c.can_watch)
        works(w); /* else the watch may be refused */
    w->due_ms = w->c.can_watch || w->again ? clock_mono_ms() : UINT64_MAX;
    return 0;
}

/* By its time, or because its version is too old. */
static int end_watch(struct kubeapi_watch *w)
{
    say_left_out(w);
    if (w->expired)
        w->version[0] = '\0';
    end_request(w);
    works(w);
    w->due_ms = clock_mono_ms() - w->begun_ms < SOON_MS ? clock_mono_ms() + SOON_MS : clock_mono_ms();
    return 0;
}

static int ended(struct kubeapi_watch *w, int result, struct err *e)
{
    if (w->state == WATCHING && w->expired)
        return end_watch(w);
    if (result == 0)
        result = check_status(w, e);
    if (w->state == WATCHING && result < 0 && http_stream_answer(w->stream)->status != 0)
        w->version[0] = '\0'; /* it was answered, and refused */
    if (result < 0)
        return result;
    return w->state == LISTING ? end_list(w, e) : end_watch(w);
}

/* Of the request under way. */
static uint64_t deadline_of(const struct kubeapi_watch *w)
{
    uint64_t head_ms = w->begun_ms + HEAD_MS;

    return http_stream_answer(w->stream)->status == 0 && head_ms < w->end_ms ? head_ms : w->end_ms;
}

static int step(struct kubeapi_watch *w, struct err *e)
{
    int r = http_stream_act(w->stream, e);

    if (r <= 0)
        return ended(w, r, e);
    if (w->state == WATCHING && http_stream_answer(w->stream)->status == 200)
        works(w);
    if (clock_mono_ms() >= deadline_of(w))
        return err_set(e, -FAULT_STALLED, "no answer in time to %s", w->path);
    return 0;
}

void kubeapi_watch_act(struct kubeapi_watch *w)
{
    struct err e = {0};
    int r = 0;

    if (w->state != IDLE)
        r = step(w, &e);
    else if (clock_mono_ms() >= w->due_ms)
        r = begin(w, w->c.can_watch && w->version[0] && !w->again, &e);
    if (r < 0)
        fails(w, r, &e);
}

/* --- for the caller -------------------------------------------------------------------------------------------------
 */

int kubeapi_watch_new(const struct kubeapi_watch_config *c, struct kubeapi_watch **ret, struct err *e)
{
    struct kubeapi_watch *w = calloc(1, sizeof(*w));

    assert(c->api && c->path && c->ops && ret);
    if (!w || !(w->path = strdup(c->path)) || (c->selector && !(w->selector = strdup(c->selector)))) {
        kubeapi_watch_free(w);
        return err_set(e, -ENOMEM, "out of memory");
    }
    w->c = *c;
    w->backoff = (struct backoff){.first_ms = c->first_retry_ms ? (uint32_t)c->first_retry_ms : RETRY_FIRST_MS,
                                  .most_ms = RETRY_MOST_MS};
    w->last = 1;
    *ret = w;
    return 0;
}

void kubeapi_watch_free(struct kubeapi_watch *w)
{
    if (!w)
        return;
    http_stream_free(w->stream);
    end_request(w);
    free(w->path);
    free(w->selector);
    free(w);
}

unsigned kubeapi_watch_fds(const struct kubeapi_watch *w, struct pollfd ret[KUBEAPI_WATCH_FDS])
{
    return w->state == IDLE ? 0 : http_stream_fds(w->stream, ret);
}

uint64_t kubeapi_watch_due_ms(const struct kubeapi_watch *w)
{
    uint64_t stream;

    if (w->state == IDLE)
        return w->due_ms;
    stream = http_stream_due_ms(w->stream);
    return stream < deadline_of(w) ? stream : deadline_of(w);
}

void kubeapi_watch_relist(struct kubeapi_watch *w)
{
    w->again = true;
    if (w->state == WATCHING || (w->state == IDLE && w->last <= 0 && w->backoff.tries == 0)) {
        if (w->state == WATCHING) {
            http_stream_cancel(w->stream);
            end_request(w);
        }
        w->due_ms = clock_mono_ms();
    }
}

bool kubeapi_watch_fails(const struct kubeapi_watch *w)
{
    return w->last < 0;
}
