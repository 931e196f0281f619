/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface with one easy handle: it says which sockets and which time it waits for, and we wait.
 */
#include "net/http_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/wait.h"
#include "net/http_handle.h"

enum {
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_EACH_S = 20,
    REFUSAL_MAX = 64 * 1024,
    STREAM_BUFFER = 16 * 1024 /* kept for hours */
};

struct http_stream {
    struct http *http; /* owned */
    CURLM *multi;
    struct http_call call;
    struct http_answer answer;
    struct pollfd fd[HTTP_SOCKETS_MAX];
    unsigned fds;
    uint64_t due_ms; /* libcurl's timer */
    bool active;
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct http_stream *s = ctx;
    unsigned i = 0;

    (void)easy, (void)of_socket;
    while (i < s->fds && s->fd[i].fd != fd)
        i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < s->fds)
            s->fd[i] = s->fd[--s->fds];
        return 0;
    }
    if (i == HTTP_SOCKETS_MAX)
        return -1;
    s->fd[i] = (struct pollfd){
        .fd = fd, .events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0))};
    s->fds += i == s->fds;
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_stream *s = ctx;

    (void)multi;
    s->due_ms = timeout_ms < 0 ? UINT64_MAX : clock_mono_ms() + (uint64_t)timeout_ms;
    return 0;
}

#define SET(option, value) (r = r ? r : curl_multi_setopt(s->multi, option, value))

static bool set_up(struct http_stream *s)
{
    CURLMcode r = CURLM_OK;

    SET(CURLMOPT_SOCKETFUNCTION, on_socket);
    SET(CURLMOPT_SOCKETDATA, s);
    SET(CURLMOPT_TIMERFUNCTION, on_timer);
    SET(CURLMOPT_TIMERDATA, s);
    SET(CURLMOPT_MAXCONNECTS, 1L);
    return r == CURLM_OK && curl_easy_setopt(s->http->curl, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(s->http->curl, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER) == CURLE_OK &&
           curl_easy_setopt(s->http->curl, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S) == CURLE_OK &&
           curl_easy_setopt(s->http->curl, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_EACH_S) == CURLE_OK;
}

int http_stream_new(struct http *h, struct http_stream **ret, struct err *e)
{
    struct http_stream *s = calloc(1, sizeof(*s));

    assert(h && !h->transport && ret);
    if (!s) {
        http_free(h);
        return err_set(e, -ENOMEM, "out of memory");
    }
    s->http = h;
    s->answer.body.ceiling = REFUSAL_MAX;
    s->due_ms = UINT64_MAX;
    s->multi = curl_multi_init();
    if (!s->multi || !set_up(s)) {
        http_stream_free(s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = s;
    return 0;
}

void http_stream_free(struct http_stream *s)
{
    if (!s)
        return;
    http_stream_cancel(s);
    http_answer_done(&s->answer);
    if (s->multi)
        curl_multi_cleanup(s->multi);
    http_free(s->http);
    free(s);
}

/* The transfer has ended with this code. */
static int end(struct http_stream *s, CURLcode code, struct err *e)
{
    curl_multi_remove_handle(s->multi, s->http->curl);
    s->active = false;
    s->due_ms = UINT64_MAX;
    return http_call_end(s->http, &s->call, code, e);
}

int http_stream_begin(struct http_stream *s, const struct http_request *r, struct err *e)
{
    CURLcode code;
    int result;

    assert(!s->active);
    s->call = (struct http_call){.transfer = {.request = r, .answer = &s->answer}};
    if ((result = http_call_begin(s->http, &s->call, &code, e)) < 0)
        return result;
    s->due_ms = clock_mono_ms();
    if (code == CURLE_OK && curl_multi_add_handle(s->multi, s->http->curl) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK)
        return end(s, code, e);
    s->active = true;
    return 0;
}

unsigned http_stream_fds(const struct http_stream *s, struct pollfd ret[HTTP_SOCKETS_MAX])
{
    memcpy(ret, s->fd, s->fds * sizeof(*ret));
    return s->fds;
}

uint64_t http_stream_due_ms(const struct http_stream *s)
{
    return s->due_ms;
}

const struct http_answer *http_stream_answer(const struct http_stream *s)
{
    return &s->answer;
}

static int bits_of(short revents)
{
    return (revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) | (revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
           (revents & (POLLERR | POLLNVAL) ? CURL_CSELECT_ERR : 0);
}

/* Each socket that is ready, and the timer. The list may change meanwhile. */
static CURLMcode step(struct http_stream *s)
{
    struct pollfd ready[HTTP_SOCKETS_MAX];
    unsigned count = http_stream_fds(s, ready);
    CURLMcode r = CURLM_OK;
    int running;

    if (count > 0 && wait_ready(ready, count, 0) > 0)
        for (unsigned i = 0; i < count && r == CURLM_OK; i++)
            if (ready[i].revents)
                r = curl_multi_socket_action(s->multi, ready[i].fd, bits_of(ready[i].revents), &running);
    if (r == CURLM_OK && clock_mono_ms() >= s->due_ms) {
        s->due_ms = UINT64_MAX;
        r = curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    return r;
}

int http_stream_act(struct http_stream *s, struct err *e)
{
    CURLMcode r;
    int left;

    assert(s->active);
    if ((r = step(s)) != CURLM_OK)
        return end(s, r == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR, e);
    for (const CURLMsg *m; (m = curl_multi_info_read(s->multi, &left));)
        if (m->msg == CURLMSG_DONE)
            return end(s, m->data.result, e);
    if (s->call.transfer.head_ended)
        curl_easy_getinfo(s->http->curl, CURLINFO_RESPONSE_CODE, &s->answer.status);
    return 1;
}

void http_stream_cancel(struct http_stream *s)
{
    struct err ignored;

    if (s->active)
        end(s, CURLE_ABORTED_BY_CALLBACK, &ignored);
}
