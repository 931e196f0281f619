/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler's side of an exchange: what was asked, and the answer.
 */
#include "net/http_exchange.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/http_socket.h"

enum {
    STREAM_BYTES = 64 * 1024,
    TEXT_MAX = 2048,
    SEND_MS = 5000, /* for an interim answer, or one in the middle of a body */
    HEAD_OVERHEAD = sizeof("HTTP/1.1 200 OK\r\nDate: Sun, 29 Nov 2026 17:38:32 GMT\r\nContent-Length: 1\r\n\r\n") - 1,
};

void exchange_free(struct exchange *x)
{
    if (x->state_done)
        x->state_done(x->state);
    for (unsigned i = 0; i < x->header_count; i++) {
        free(x->header[i].name);
        free(x->header[i].value);
    }
    while (x->first_query) {
        struct query *q = x->first_query;

        x->first_query = q->next;
        free(q);
    }
    free(x);
}

const char *exchange_method(const struct exchange *x)
{
    return x->method;
}

const char *exchange_path(const struct exchange *x)
{
    const char *authority = NULL, *path;

    /* RFC 9112, 3.2.2: a proxy's form */
    if (strncasecmp(x->path, "http://", 7) == 0)
        authority = x->path + 7;
    else if (strncasecmp(x->path, "https://", 8) == 0)
        authority = x->path + 8;
    if (!authority)
        return x->path;
    path = strchr(authority, '/');
    return path ? path : "/";
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

struct last_header {
    const char *name, *value;
    unsigned count;
};

static enum MHD_Result take_last(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct last_header *last = ctx;

    (void)kind;
    if (strcasecmp(name, last->name) == 0) {
        last->value = value;
        last->count++;
    }
    return MHD_YES;
}

const char *exchange_header_last(const struct exchange *x, const char *name)
{
    struct last_header last = {.name = name};

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, take_last, &last);
    return last.value;
}

unsigned exchange_header_count(const struct exchange *x, const char *name)
{
    struct last_header last = {.name = name};

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, take_last, &last);
    return last.count;
}

static char *decode(struct query **queries, const char *value)
{
    struct query *q = malloc(sizeof(*q) + strlen(value) + 1);

    if (!q)
        return NULL;
    memcpy(q->value, value, strlen(value) + 1);
    for (char *c = q->value; *c; c++)
        if (*c == '+')
            *c = ' ';
    MHD_http_unescape(q->value);
    q->next = *queries;
    *queries = q;
    return q->value;
}

const char *exchange_query(const struct exchange *x, const char *name)
{
    const char *value = NULL;
    size_t size = 0;

    if (MHD_lookup_connection_value_n(x->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &size) !=
        MHD_YES)
        return NULL;
    return value ? decode(x->queries, value) : "";
}

const char *exchange_client(const struct exchange *x)
{
    return x->client->client;
}

bool exchange_is_old(const struct exchange *x)
{
    return x->client->head.is_old;
}

bool exchange_is_tls(const struct exchange *x)
{
    return x->server->tls != NULL;
}

int64_t exchange_body_size(const struct exchange *x)
{
    return x->client->head.chunked ? -1 : (int64_t)x->client->head.body_size;
}

bool exchange_has_body(const struct exchange *x)
{
    return exchange_body_size(x) != 0;
}

void exchange_break(struct exchange *x)
{
    shutdown(x->client->served_fd, SHUT_RDWR);
}

void exchange_set_state(struct exchange *x, void *state, void (*done)(void *state))
{
    assert(!x->state_done);
    x->state = state;
    x->state_done = done;
}

void *exchange_state(const struct exchange *x)
{
    return x->state;
}

void exchange_receive(struct exchange *x, const struct exchange_body *body)
{
    assert(body && body->data && body->end && !x->body && !x->answered);
    x->body = body;
}

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
    assert(x->header_count < EXCHANGE_HEADERS_MAX && !x->answered);
    x->header[x->header_count].name = strdup(name);
    x->header[x->header_count++].value = strdup(value);
}

/* All of it, within SEND_MS. */
static bool send_all(const struct exchange *x, const char *data, size_t size)
{
    struct pollfd wait = {.fd = x->client->served_fd, .events = POLLOUT};

    while (size > 0) {
        ssize_t n = http_socket_send(x->client, data, size);

        if (n < 0 && (errno != EAGAIN || poll(&wait, 1, SEND_MS) <= 0))
            return false;
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The library has no answers while it reads a body. */
static void answer_by_hand(struct exchange *x, unsigned status, const char *data, size_t size)
{
    struct buf out = {.ceiling = HTTP_HEAD_MAX};
    char date[CLOCK_TEXT_MAX];

    assert(!x->answered);
    x->answered = true;
    x->client->last = true;
    if (buf_printf(&out, "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status,
                   MHD_get_reason_phrase_for(status), clock_format_http(clock_wall_ns(), date), size) < 0)
        goto done;
    for (unsigned i = 0; i < x->header_count; i++)
        if (x->header[i].name && x->header[i].value &&
            buf_printf(&out, "%s: %s\r\n", x->header[i].name, x->header[i].value) < 0)
            goto done;
    if (buf_add(&out, "\r\n", 2) < 0 || !send_all(x, out.data, out.size) || !send_all(x, data, size))
        goto done;
    x->status = status;
    x->answer_size = size;
done:
    buf_done(&out);
}

static void answer(struct exchange *x, unsigned status, struct MHD_Response *response)
{
    assert(!x->answered);
    x->answered = true; /* even if it fails: the library then closes the connection */
    if (!response)
        return;
    x->head_size = HEAD_OVERHEAD;
    x->written = http_connection_written(x->client);
    for (unsigned i = 0; i < x->header_count; i++)
        if (x->header[i].name && x->header[i].value) {
            x->head_size += strlen(x->header[i].name) + strlen(x->header[i].value) + 4;
            MHD_add_response_header(response, x->header[i].name, x->header[i].value);
        }
    if (x->is_early || x->client->last || !http_connection_persists(x->client)) {
        x->client->last = true;
        MHD_add_response_header(response, "Connection", "close");
    }
    if (MHD_queue_response(x->connection, status, response) == MHD_YES)
        x->status = status;
    MHD_destroy_response(response);
}

bool exchange_is_short(const struct exchange *x)
{
    struct stat st;

    return x->is_short || (x->file_fd >= 0 && (fstat(x->file_fd, &st) < 0 || (uint64_t)st.st_size < x->file_end));
}

uint64_t exchange_sent(const struct exchange *x, bool completed)
{
    uint64_t written;

    if (x->status == 0 || strcmp(x->method, "HEAD") == 0 || x->status == 304 || x->status == 204)
        return 0;
    if (completed || x->in_body)
        return x->answer_size;
    written = http_connection_written(x->client);
    written -= written > x->written ? x->written : written;
    written -= written > x->head_size ? x->head_size : written;
    return written < x->answer_size ? written : x->answer_size;
}

void exchange_answer(struct exchange *x, unsigned status, const void *data, size_t size)
{
    struct MHD_Response *response = NULL;
    void *copy = NULL;

    if (x->in_body) {
        answer_by_hand(x, status, data, size);
        return;
    }
    if ((copy = malloc(size ? size : 1))) {
        if (size)
            memcpy(copy, data, size);
        if (!(response = MHD_create_response_from_buffer(size, copy, MHD_RESPMEM_MUST_FREE)))
            free(copy);
    }
    x->answer_size = size;
    answer(x, status, response);
}

void exchange_answer_text(struct exchange *x, unsigned status, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(text, sizeof(text) - 1, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
    va_end(args);
    if (size < 0)
        size = 0;
    if ((size_t)size > sizeof(text) - 2)
        size = sizeof(text) - 2;
    text[size++] = '\n';
    exchange_add_header(x, "Content-Type", "text/plain; charset=utf-8");
    exchange_answer(x, status, text, (size_t)size);
}

void exchange_answer_file(struct exchange *x, unsigned status, int fd, uint64_t offset, uint64_t size)
{
    struct MHD_Response *response = NULL;

    if (x->in_body) {
        close(fd);
        exchange_answer_text(x, 500, "no file is an answer to a large body");
        return;
    }
    response = MHD_create_response_from_fd_at_offset64(size, fd, offset);
    if (!response)
        close(fd);
    x->file_fd = response ? fd : -1;
    x->file_end = offset + size;
    x->answer_size = size;
    answer(x, status, response);
}

struct stream {
    struct exchange *exchange;
    int64_t size;
    struct exchange_stream of;
};

static ssize_t stream_read(void *ctx, uint64_t position, char *data, size_t size)
{
    struct stream *stream = ctx;
    struct exchange *x = stream->exchange;
    ssize_t n;

    (void)position;
    atomic_store(&x->client->waits, WAITS_US);
    n = stream->of.read(stream->of.ctx, data, size);
    atomic_store(&x->client->waits, WAITS_ANSWER);
    if (n > 0)
        x->answer_size += (uint64_t)n;
    else
        x->is_short = n < 0 || (stream->size >= 0 && x->answer_size < (uint64_t)stream->size);
    return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_free(void *ctx)
{
    struct stream *stream = ctx;

    if (stream->of.done)
        stream->of.done(stream->of.ctx);
    free(stream);
}

void exchange_answer_stream(struct exchange *x, unsigned status, int64_t size, const struct exchange_stream *of)
{
    struct stream *stream = x->in_body ? NULL : malloc(sizeof(*stream));
    struct MHD_Response *response = NULL;

    if (stream) {
        *stream = (struct stream){.exchange = x, .size = size, .of = *of};
        response = MHD_create_response_from_callback(size < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)size, STREAM_BYTES,
                                                     stream_read, stream, stream_free);
    }
    if (!response) {
        free(stream);
        if (of->done)
            of->done(of->ctx);
    }
    /* The library would end chunks that it has not begun. */
    if (response && size < 0 && strcmp(x->method, "HEAD") == 0) {
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
        x->client->last = true;
    }
    if (x->in_body) {
        exchange_answer_text(x, 500, "no stream is an answer to a large body");
        return;
    }
    x->answer_size = 0;
    answer(x, status, response);
}

void exchange_interim(struct exchange *x, unsigned status, const char *head)
{
    char text[TEXT_MAX];
    int size = snprintf(text, sizeof(text), "HTTP/1.1 %u \r\n%s\r\n", status, head);

    /* The library knows no interim answers but 100. Nothing of ours is in the socket's way yet: no answer has begun. */
    assert(!x->answered && size > 0 && (size_t)size < sizeof(text));
    if (x->client->head.is_old) /* RFC 9110, 15.2 */
        return;
    send_all(x, text, (size_t)size);
}
