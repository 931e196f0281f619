/* SPDX-License-Identifier: Apache-2.0
 *
 * The server: its front, its library (libmicrohttpd), and the way of one request through it. The library calls
 * handle() with the head, with each piece of the body, and at its end; what we answer is a response of its own.
 */
#include "net/http_server.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/http_exchange.h"
#include "net/http_front.h"
#include "net/http_socket.h"
#include "net/listen_address.h"
#include "net/tls_server.h"

enum {
    LONG_BYTES = 128 * 1024,      /* an answer that may wait for its client */
    CONNECTION_BYTES = 24 * 1024, /* heads, and the library's buffer of a body */
    LARGE_BYTES = 256 * 1024,     /* a body of this size or more is read by ourselves */
    BODY_BYTES = 16 * 1024,
    SPACE_BYTES = 128 * 1024, /* at once into the handler's space: it stays in the processor's cache */
    IDLE_MS = 1000,
    CONNECTIONS = 1000,
    CONNECTIONS_OF_ONE = 200,
    CLIENT_MS = 60 * 1000,
    AFTERWARDS_MS = 1000, /* for clients to read the last answers */
};

/* The path as it was sent: who decodes it must know what a '/' in it means. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx, (void)connection;
    return strlen(text);
}

static struct http_connection *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* The library has read a request line. */
static void *request_begins(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct http_connection *c = client_of(connection);

    (void)ctx, (void)uri;
    if (c)
        atomic_store(&c->begun, true);
    return NULL;
}

static void connection_changes(void *ctx, struct MHD_Connection *connection, void **context,
                               enum MHD_ConnectionNotificationCode code)
{
    (void)ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        *context = http_socket_of(info->connect_fd);
    } else if (*context) {
        http_front_released(*context);
        *context = NULL;
    }
}

static struct exchange *exchange_new(struct http_server *s, struct MHD_Connection *connection, const char *method,
                                     const char *path)
{
    struct http_connection *c = client_of(connection);
    struct exchange *x = c && !c->last ? calloc(1, sizeof(*x)) : NULL;

    if (!x)
        return NULL;
    x->server = s;
    x->client = c;
    x->connection = connection;
    x->method = method;
    x->path = path;
    x->file_fd = -1;
    x->queries = &x->first_query;
    return x;
}

static void begin(struct exchange *x)
{
    const struct http_server_options *o = &x->server->options;

    x->begun = true;
    x->is_early = exchange_has_body(x);
    o->begin(o->ctx, x);
    x->is_early = false;
    if (!x->answered && x->body && !exchange_has_body(x))
        x->body->end(x);
    if (!x->answered && !x->body)
        exchange_answer_text(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "no answer");
}

/* A piece of the body. Returns whether the connection goes on. */
static bool receive(struct exchange *x, const char *data, size_t size)
{
    int r;

    x->in_body = true;
    r = x->body->data(x, data, size);
    if (x->answered) /* by hand: see exchange_answer */
        return false;
    x->in_body = false;
    return r >= 0;
}

/* Until more of a body has come; the front's watch ends it. */
static void await_body(struct exchange *x)
{
    struct pollfd wait = {.fd = x->client->served_fd, .events = POLLIN};

    atomic_store(&x->client->waits, WAITS_BODY);
    if (x->body->idle && poll(&wait, 1, IDLE_MS) == 0) {
        atomic_store(&x->client->waits, WAITS_US);
        x->body->idle(x);
        atomic_store(&x->client->waits, WAITS_BODY);
    }
    poll(&wait, 1, -1);
    atomic_store(&x->client->waits, WAITS_US);
}

/* The rest of a large body, after what the library had read with the head, by ourselves: the library reads 16 KiB at a
 * time, with a poll for each. Its end is answered by hand, too, and the connection ends then: the library does not know
 * that the body has come. */
static void receive_rest(struct exchange *x, uint64_t rest)
{
    CLEANUP_FREE char *buffer = NULL;

    thread_trim_stack(HTTP_STACK_BYTES - HTTP_STACK_USED);
    while (rest > 0) {
        size_t size = SPACE_BYTES;
        void *space = x->body->space ? x->body->space(x, &size) : NULL;
        ssize_t n;

        if (!space && !buffer && !(buffer = malloc(BODY_BYTES)))
            return;
        if (!space) {
            space = buffer;
            size = BODY_BYTES;
        }
        n = http_socket_recv(x->client, space, rest < size ? (size_t)rest : size);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            free(TAKE_PTR(buffer)); /* many wait at the same time */
            await_body(x);
            continue;
        }
        if (n <= 0 || !receive(x, space, (size_t)n))
            return;
        rest -= (uint64_t)n;
    }
    x->in_body = true;
    x->body->end(x);
}

static enum MHD_Result step(struct exchange *x, const char *data, size_t *size)
{
    if (!x->begun) {
        begin(x);
        return MHD_YES;
    }
    if (x->answered) {
        *size = 0;
        return MHD_YES;
    }
    if (*size) {
        size_t all = *size;

        *size = 0;
        if (!receive(x, data, all))
            return MHD_NO;
        if (exchange_body_size(x) < LARGE_BYTES)
            return MHD_YES;
        receive_rest(x, x->client->head.body_size - all);
        return MHD_NO;
    }
    x->body->end(x);
    return x->answered ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    struct exchange *x = *state;
    enum MHD_Result result;

    (void)version;
    if (!x) {
        if (!(x = *state = exchange_new(ctx, connection, method, path)))
            return MHD_NO;
        /* An answer in this call ends the connection: only what refuses a body is worth that. */
        if (!exchange_has_body(x))
            return MHD_YES;
    }
    atomic_store(&x->client->waits, WAITS_US);
    result = step(x, data, size);
    atomic_store(&x->client->waits, x->answered ? WAITS_ANSWER : WAITS_BODY);
    if (x->answered && x->answer_size >= LONG_BYTES)
        thread_trim_stack(HTTP_STACK_BYTES - HTTP_STACK_USED);
    return result;
}

static void completed(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    struct exchange *x = *state;
    struct http_connection *c;
    bool whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;

    (void)connection;
    if (!x)
        return;
    c = x->client;
    whole = whole && !exchange_is_short(x);
    if (s->options.over)
        s->options.over(s->options.ctx, x, whole || x->in_body ? x->status : 0, exchange_sent(x, whole));
    exchange_free(x);
    *state = NULL;
    if (whole && !c->last)
        http_connection_next(c);
}

static int serve(void *ctx, struct http_connection *c, int fd)
{
    struct http_server *s = ctx;

    return MHD_add_connection(s->daemon, fd, &c->address.any, c->address_size) == MHD_YES ? 0 : -EAGAIN;
}

static int daemon_start(struct http_server *s)
{
    sigset_t all, before;

    /* The library's threads inherit the mask: signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                                     MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET,
                                 0, NULL, NULL, handle, s, MHD_OPTION_NOTIFY_COMPLETED, completed, s,
                                 MHD_OPTION_NOTIFY_CONNECTION, connection_changes, s, MHD_OPTION_URI_LOG_CALLBACK,
                                 request_begins, s, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                                 MHD_OPTION_THREAD_STACK_SIZE, (size_t)HTTP_STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT,
                                 2 * s->options.connections, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->daemon ? 0 : -EAGAIN;
}

static void server_free(struct http_server *s)
{
    if (!s)
        return;
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    http_front_free(s->front);
    tls_server_free(s->tls);
    free(s);
}

DEFINE_CLEANUP(struct http_server *, server_free)

static int front_start(struct http_server *s, int *fd, struct err *e)
{
    const struct http_server_options *o = &s->options;
    struct http_front_options front = {.listen_fd = *fd,
                                       .tls = s->tls,
                                       .connections = o->connections,
                                       .connections_of_one = o->connections_of_one,
                                       .client_ms = o->client_ms,
                                       .serve = serve,
                                       .ctx = s,
                                       .notice = o->notice,
                                       .certificate = o->certificate,
                                       .notice_ctx = o->ctx};
    int r = http_front_start(&front, &s->front, e);

    if (r == 0)
        TAKE_FD(*fd);
    return r;
}

int http_server_start(const struct http_server_options *o, struct http_server **ret, struct err *e)
{
    CLEANUP(server_free_ptr) struct http_server *s = calloc(1, sizeof(*s));
    CLEANUP_FD int fd = -1;
    int r;

    assert(o && o->listen && o->begin && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->options = *o;
    s->options.connections = o->connections ? o->connections : CONNECTIONS;
    s->options.connections_of_one = o->connections_of_one ? o->connections_of_one : CONNECTIONS_OF_ONE;
    s->options.client_ms = o->client_ms ? o->client_ms : CLIENT_MS;
    if (!o->tls_cert != !o->tls_key)
        return err_set(e, -FAULT_USAGE, "--tls-cert and --tls-key go together: a certificate and its private key");
    if (o->tls_cert && (r = tls_server_new(o->tls_cert, o->tls_key, &s->tls, e)) < 0)
        return r;
    if ((fd = listen_address_open(o->listen, s->address, e)) < 0)
        return fd;
    if ((r = daemon_start(s)) < 0)
        return err_set(e, r, "%s: the HTTP server could not be started", o->listen);
    if ((r = front_start(s, &fd, e)) < 0)
        return r;
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

    if (!s)
        return;
    http_front_drain(s->front);
    while (http_front_serving(s->front) > 0 && clock_left_ms(until) > 0)
        clock_sleep_ms(20);
    if (http_front_serving(s->front) > 0)
        http_front_cut(s->front);
    until = clock_mono_ms() + AFTERWARDS_MS;
    while (http_front_count(s->front) > 0 && clock_left_ms(until) > 0)
        clock_sleep_ms(5);
    server_free(s);
}
