/* SPDX-License-Identifier: Apache-2.0
 *
 * The callbacks. One that breaks off says why in result.
 */
#include "net/http_transfer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static void note_progress(struct http_transfer *t)
{
    t->progress_ms = t->clock_ms();
}

/* Ends a transfer that would not end by itself. */
static bool exceeds(struct http_transfer *t, const char *why)
{
    if (!why)
        return false;
    t->why = why;
    t->result = -FAULT_FORMAT;
    return true;
}

static bool is_interim(const struct http_transfer *t)
{
    const char *status = strchr(buf_text(&t->answer->headers), ' ');
    return status && status[1] == '1';
}

static size_t on_header(char *line, size_t one, size_t size, void *ctx)
{
    struct http_transfer *t = ctx;
    (void)one;
    note_progress(t);
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        buf_clear(&t->answer->headers); /* 100 Continue was not the answer yet */
        t->head_ended = false;
        if (exceeds(t, http_pace_status_line(&t->pace, t->progress_ms)))
            return 0;
    }
    if (t->head_ended) /* trailers, behind a chunked body: not trusted as headers */
        return exceeds(t, http_pace_trailer(&t->pace, size)) ? 0 : size;
    t->head_ended = *line == '\r' || *line == '\n';
    int r = buf_add(&t->answer->headers, line, size);
    if (r < 0) {
        t->result = r == -EMSGSIZE ? -FAULT_FORMAT : r;
        return 0;
    }
    if (t->head_ended)
        http_pace_head_end(&t->pace, is_interim(t), t->progress_ms);
    return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *ctx)
{
    struct http_transfer *t = ctx;
    struct http_answer *a = t->answer;
    (void)one;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &a->status);
    uint64_t begun_ms = t->clock_ms();
    int r;
    t->pace.kept = !t->request->write || a->status < 200 || a->status >= 300;
    if (!t->pace.kept)
        t->callers_result = (r = t->request->write(t->request->ctx, data, size)) < 0;
    else if ((r = buf_add(&a->body, data, size)) == -EMSGSIZE)
        r = -FAULT_FORMAT;
    note_progress(t); /* the time that a full disk of ours took is not the store's */
    http_pace_body(&t->pace, size, t->progress_ms - begun_ms);
    if (r < 0) {
        t->result = r;
        return 0;
    }
    return size;
}

static size_t read_memory(struct http_transfer *t, void *data, size_t size)
{
    size_t left = t->request->body_size - t->sent;

    if (size > left)
        size = left;
    if (size > 0)
        memcpy(data, (const char *)t->request->body + t->sent, size);
    return size;
}

/* With a limit of bandwidth a piece at a time. Waiting here keeps only this connection waiting; it never lasts long
 * (net/bandwidth_share.h), and is no silence of the store's. */
static size_t on_read(char *data, size_t one, size_t size, void *ctx)
{
    struct http_transfer *t = ctx;
    size_t piece = bandwidth_piece_of(t->bandwidth);
    ssize_t n;

    size = size * one < piece ? size * one : piece;
    n = t->request->read ? t->request->read(t->request->ctx, data, size) : (ssize_t)read_memory(t, data, size);
    if (n < 0) {
        note_progress(t);
        t->result = (int)n;
        t->callers_result = true;
        return CURL_READFUNC_ABORT;
    }
    bandwidth_wait(t->bandwidth, t->sender, (size_t)n);
    if (t->request->read || t->bandwidth)
        note_progress(t);
    t->sent += (size_t)n;
    return (size_t)n;
}

/* libcurl goes back to the start when a kept connection turns out to be dead, or after 417. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct http_transfer *t = ctx;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_FAIL;
    if (t->request->read)
        return offset == 0 && t->sent == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
    if ((uint64_t)offset > t->request->body_size)
        return CURL_SEEKFUNC_FAIL;
    t->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int on_connected(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct http_transfer *t = ctx;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    note_progress(t);
    t->connected = true;
    return CURL_PREREQFUNC_OK;
}

/* What libcurl has written may lie in the kernel's queue for long on a slow line: bytes move while that shrinks. */
static bool kernel_moved(struct http_transfer *t)
{
    uint64_t unsent = http_sockets_unsent(t->sockets);
    bool moved = unsent != t->unsent;
    t->unsent = unsent;
    return moved;
}

/* Else the limit for silence ends it, not the pace. */
static bool is_moving(const struct http_transfer *t)
{
    return t->clock_ms() - t->progress_ms < t->timeout_ms / 2;
}

/* Whether bytes arrive but libcurl reports none: a header line that does not end. */
static bool is_receiving(const struct http_transfer *t)
{
    return t->received_more_ms > 0 && t->clock_ms() - t->received_more_ms < t->timeout_ms / 4;
}

static void note_received(struct http_transfer *t)
{
    uint64_t received = http_sockets_received(t->sockets);
    if (received > t->received && t->received > 0)
        t->received_more_ms = t->clock_ms();
    t->received = received;
}

/* Called at least once a second. While connecting, libcurl's own limit holds. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct http_transfer *t = ctx;
    (void)down_all, (void)up_all;
    uint64_t moved = (uint64_t)down + (uint64_t)up;
    if (!t->connected)
        return 0;
    note_received(t);
    if (is_moving(t) && exceeds(t, http_pace_check(&t->pace, t->clock_ms())))
        return 1;
    if (moved != t->moved || kernel_moved(t)) {
        t->moved = moved;
        note_progress(t);
        return 0;
    }
    if (t->clock_ms() - t->progress_ms < t->timeout_ms)
        return 0;
    if (!is_receiving(t) || !exceeds(t, "it sends a line that does not come to an end"))
        t->result = -FAULT_STALLED;
    return 1;
}

#define SET(option, value) (r = r ? r : curl_easy_setopt(c, option, value))

CURLcode http_transfer_set_callbacks(CURL *c)
{
    CURLcode r = CURLE_OK;
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_NOPROGRESS, 0L);
    return r;
}

CURLcode http_transfer_begin(struct http_transfer *t)
{
    CURL *c = t->curl;
    CURLcode r = CURLE_OK;
    assert(t->curl && t->sockets && t->request && t->answer && t->clock_ms && t->timeout_ms > 0);
    t->pace =
        (struct http_pace){.timeout_ms = t->timeout_ms, .kept = !t->request->write, .patient = t->request->patient};
    note_progress(t);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKDATA, t);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_XFERINFODATA, t);
    return r;
}
