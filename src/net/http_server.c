/* SPDX-License-Identifier: Apache-2.0
 *
 * The server: its socket, its library (libmicrohttpd), and the way of one request through it. The library calls
 * handle() with the head, with each piece of the body, and at its end; what we answer is a response of its own.
 */
#include "net/http_server.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "net/http_sendfile.h"
#include "net/listen_address.h"

enum {
    STACK_BYTES = 256 * 1024,
    CONNECTION_BYTES = 32 * 1024, /* head of the request and of the answer, and the buffer of a body */
    STREAM_BYTES = 64 * 1024,
    HEADERS_MAX = 32,
    CONNECTIONS = 1000,
    CONNECTIONS_OF_ONE = 200,
    IDLE_MS = 60 * 1000,
    TEXT_MAX = 2048,
};

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    char address[HTTP_LISTEN_MAX];
};

struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    const char *method, *path;
    char client[HTTP_LISTEN_MAX];
    const struct exchange_body *body;
    void *state;
    void (*state_done)(void *state);
    struct {
        char *name, *value;
    } header[HEADERS_MAX];
    unsigned header_count, status;
    bool begun, answered;
    struct query *queries; /* that were asked for */
};

/* A decoded value: the library's unescape callback cannot tell it from the path. */
struct query {
    struct query *next;
    char value[];
};

/* The path as it was sent: who decodes it must know what a '/' in it means. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx, (void)connection;
    return strlen(text);
}

static struct exchange *exchange_new(struct http_server *s, struct MHD_Connection *c, const char *method,
                                     const char *path)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct exchange *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->server = s;
    x->connection = c;
    x->method = method;
    x->path = path;
    if (info)
        listen_address_format(info->client_addr, false, x->client);
    return x;
}

static void exchange_free(struct exchange *x)
{
    if (x->state_done)
        x->state_done(x->state);
    for (unsigned i = 0; i < x->header_count; i++) {
        free(x->header[i].name);
        free(x->header[i].value);
    }
    while (x->queries) {
        struct query *q = x->queries;

        x->queries = q->next;
        free(q);
    }
    free(x);
}

static enum MHD_Result begin(struct http_server *s, struct exchange *x)
{
    x->begun = true;
    s->options.begin(s->options.ctx, x);
    if (!x->answered && x->body && !exchange_has_body(x))
        x->body->end(x);
    if (!x->answered && !x->body)
        exchange_answer_text(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "no answer");
    return MHD_YES;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    struct http_server *s = ctx;
    struct exchange *x = *state;

    (void)version;
    if (!x) {
        if (!(x = *state = exchange_new(s, connection, method, path)))
            return MHD_NO;
        /* An answer in this call ends the connection: only what refuses a body is worth that. */
        return exchange_has_body(x) ? begin(s, x) : MHD_YES;
    }
    if (!x->begun)
        return begin(s, x);
    if (x->answered)
        return MHD_YES;
    if (*size) {
        int r = x->body->data(x, data, *size);

        *size = 0;
        return r < 0 && !x->answered ? MHD_NO : MHD_YES;
    }
    x->body->end(x);
    return x->answered ? MHD_YES : MHD_NO;
}

static void completed(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    struct exchange *x = *state;

    (void)connection;
    if (!x)
        return;
    if (s->options.over)
        s->options.over(s->options.ctx, x, code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? x->status : 0, 0);
    exchange_free(x);
    *state = NULL;
}

static int daemon_start(struct http_server *s, int fd)
{
    const struct http_server_options *o = &s->options;
    sigset_t all, before;

    /* The library's threads inherit the mask: signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC, 0, NULL, NULL,
        handle, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, completed, s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        o->connections ? o->connections : CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        o->connections_of_one ? o->connections_of_one : CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)((o->idle_ms ? o->idle_ms : IDLE_MS) / 1000), MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->daemon ? 0 : -EIO;
}

int http_server_start(const struct http_server_options *o, struct http_server **ret, struct err *e)
{
    CLEANUP_FREE struct http_server *s = calloc(1, sizeof(*s));
    CLEANUP_FD int fd = -1;
    int r;

    assert(o && o->listen && o->begin && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    http_sendfile_replace();
    s->options = *o;
    if (o->tls_cert || o->tls_key)
        return err_set(e, -FAULT_USAGE, "TLS is not built in yet");
    if ((fd = listen_address_open(o->listen, s->address, e)) < 0)
        return fd;
    if ((r = daemon_start(s, fd)) < 0)
        return err_set(e, r, "%s: the HTTP server could not be started", o->listen);
    TAKE_FD(fd);
    *ret = TAKE_PTR(s);
    return 0;
}

const char *http_server_address(const struct http_server *s)
{
    return s->address;
}

void http_server_stop(struct http_server *s, uint64_t grace_ms)
{
    uint64_t until = clock_mono_ms() + grace_ms;
    int fd;

    if (!s)
        return;
    if ((fd = MHD_quiesce_daemon(s->daemon)) >= 0)
        close(fd);
    while (clock_left_ms(until) > 0) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

        if (!info || info->num_connections == 0)
            break;
        clock_sleep_ms(20);
    }
    MHD_stop_daemon(s->daemon);
    free(s);
}

const char *exchange_method(const struct exchange *x)
{
    return x->method;
}

const char *exchange_path(const struct exchange *x)
{
    return x->path;
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

struct last_header {
    const char *name, *value;
};

static enum MHD_Result take_last(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct last_header *last = ctx;

    (void)kind;
    if (strcasecmp(name, last->name) == 0)
        last->value = value;
    return MHD_YES;
}

const char *exchange_header_last(const struct exchange *x, const char *name)
{
    struct last_header last = {.name = name};

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, take_last, &last);
    return last.value;
}

static char *decode(struct exchange *x, const char *value)
{
    struct query *q = malloc(sizeof(*q) + strlen(value) + 1);

    if (!q)
        return NULL;
    memcpy(q->value, value, strlen(value) + 1);
    for (char *c = q->value; *c; c++)
        if (*c == '+')
            *c = ' ';
    MHD_http_unescape(q->value);
    q->next = x->queries;
    x->queries = q;
    return q->value;
}

const char *exchange_query(const struct exchange *x, const char *name)
{
    const char *value = NULL;
    size_t size = 0;

    if (MHD_lookup_connection_value_n(x->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &size) !=
        MHD_YES)
        return NULL;
    return value ? decode((struct exchange *)(uintptr_t)x, value) : "";
}

const char *exchange_client(const struct exchange *x)
{
    return x->client;
}

bool exchange_is_tls(const struct exchange *x)
{
    return x->server->options.tls_cert != NULL;
}

int64_t exchange_body_size(const struct exchange *x)
{
    const char *length = exchange_header(x, "Content-Length");

    if (exchange_header(x, "Transfer-Encoding"))
        return -1;
    return length ? strtoll(length, NULL, 10) : 0; /* the library has checked it */
}

bool exchange_has_body(const struct exchange *x)
{
    return exchange_body_size(x) != 0;
}

void exchange_break(struct exchange *x)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info)
        shutdown(info->connect_fd, SHUT_RDWR);
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
    assert(x->header_count < HEADERS_MAX && !x->answered);
    x->header[x->header_count].name = strdup(name);
    x->header[x->header_count++].value = strdup(value);
}

static void answer(struct exchange *x, unsigned status, struct MHD_Response *response)
{
    assert(!x->answered);
    x->answered = true; /* even if it fails: the library then closes the connection */
    if (!response)
        return;
    for (unsigned i = 0; i < x->header_count; i++)
        if (x->header[i].name && x->header[i].value)
            MHD_add_response_header(response, x->header[i].name, x->header[i].value);
    if (MHD_queue_response(x->connection, status, response) == MHD_YES)
        x->status = status;
    MHD_destroy_response(response);
}

void exchange_answer(struct exchange *x, unsigned status, const void *data, size_t size)
{
    answer(x, status, MHD_create_response_from_buffer(size, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY));
}

void exchange_answer_text(struct exchange *x, unsigned status, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(text, sizeof(text) - 1, format, args);
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
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(size, fd, offset);

    if (!response)
        close(fd);
    answer(x, status, response);
}

static ssize_t stream_read(void *ctx, uint64_t position, char *data, size_t size)
{
    struct exchange_stream *stream = ctx;
    ssize_t n = stream->read(stream->ctx, data, size);

    (void)position;
    return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_free(void *ctx)
{
    struct exchange_stream *stream = ctx;

    if (stream->done)
        stream->done(stream->ctx);
    free(stream);
}

void exchange_answer_stream(struct exchange *x, unsigned status, int64_t size, const struct exchange_stream *stream)
{
    struct exchange_stream *copy = malloc(sizeof(*copy));
    struct MHD_Response *response = NULL;

    if (copy) {
        *copy = *stream;
        response = MHD_create_response_from_callback(size < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)size, STREAM_BYTES,
                                                     stream_read, copy, stream_free);
    }
    if (!response) {
        free(copy);
        if (stream->done)
            stream->done(stream->ctx);
    }
    /* The library would end chunks that it has not begun. */
    if (response && size < 0 && strcmp(x->method, "HEAD") == 0)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    answer(x, status, response);
}

void exchange_interim(struct exchange *x, unsigned status, const char *head)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char text[TEXT_MAX];
    int size = snprintf(text, sizeof(text), "HTTP/1.1 %u \r\n%s\r\n", status, head);

    /* The library knows no interim answers but 100. Nothing of ours is in the socket's way yet: no answer has begun. */
    assert(!x->answered && size > 0 && (size_t)size < sizeof(text));
    if (info)
        (void)!send(info->connect_fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
