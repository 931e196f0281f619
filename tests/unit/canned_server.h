/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of the HTTP client: a server of a few lines, a thread that answers each request with canned bytes and then
 * keeps, closes, resets or forgets the connection; and a clock that only tests move. Real servers and real certificates
 * are for the whole-program tests. After cmocka.h.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/http.h"

enum { EXCHANGES_MAX = 4, SIP_SIZE = 16 * 1024 };

enum after { KEEP, CLOSE, RESET, FORGET /* hold it open and say no more */ };

struct exchange {
    const char *answer;
    enum after after;
    bool head_only;      /* answer as soon as the head is there */
    bool deaf;           /* read nothing at all */
    unsigned sip_ms;     /* of sleep between reads of SIP_SIZE */
    unsigned trickle_ms; /* of the stepped clock between single bytes of the answer */
    size_t padding;      /* bytes after the answer */
};

struct server {
    int listener, stop[2];
    unsigned port, connections;
    pthread_t thread;
    atomic_uint paused_ms; /* at most, between two pieces: on a busy machine longer than was meant */
    const struct exchange *exchanges;
    unsigned count;
    struct buf got[EXCHANGES_MAX]; /* raw requests; read them after server_stop() */
};

/* A clock for http_options that moves only when a test moves it, so that no test depends on how busy the machine is. */
static _Atomic uint64_t stepped_ms = 1000;
static atomic_uint stepped_reads;

static inline uint64_t stepped_clock(void)
{
    atomic_fetch_add(&stepped_reads, 1);
    return atomic_load(&stepped_ms);
}

/* Moves it once the client has seen what was sent to it: it reads the clock for each piece. A client that has given up
 * reads no more. */
static inline void step(unsigned ms, unsigned reads_before)
{
    uint64_t begun_ms = clock_mono_ms();
    while (atomic_load(&stepped_reads) == reads_before && clock_mono_ms() - begun_ms < 100)
        sched_yield();
    atomic_fetch_add(&stepped_ms, ms);
}

/* Sleeps, and notes what became of it. */
static inline void rest(struct server *s, unsigned ms)
{
    uint64_t begun_ms = clock_mono_ms();
    unsigned took_ms;
    clock_sleep_ms(ms);
    took_ms = (unsigned)(clock_mono_ms() - begun_ms);
    if (ms > 0 && took_ms > atomic_load(&s->paused_ms))
        atomic_store(&s->paused_ms, took_ms);
}

/* Waits for input; false if the test is over. */
static inline bool wait_readable(struct server *s, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
    while (poll(p, 2, -1) < 0)
        ;
    return !p[1].revents;
}

static inline bool is_whole(const struct buf *got, bool head_only)
{
    const char *head_end = strstr(buf_text(got), "\r\n\r\n");
    if (!head_end)
        return false;
    const char *length = strstr(got->data, "Content-Length: ");
    if (head_only || (!length && !strstr(got->data, "Transfer-Encoding: chunked")))
        return true;
    size_t body = got->size - (size_t)(head_end + 4 - got->data);
    if (length)
        return body >= strtoul(length + 16, NULL, 10);
    return text_ends(got->data, "\r\n0\r\n\r\n");
}

/* False at the end of the connection. */
static inline bool read_request(struct server *s, int fd, const struct exchange *x, struct buf *got)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\nX-Early: yes\r\n\r\n";
    bool asked = false;
    while (!is_whole(got, x->head_only)) {
        char chunk[65536];
        ssize_t n;
        if (!wait_readable(s, fd) || (n = recv(fd, chunk, x->sip_ms ? SIP_SIZE : sizeof(chunk), 0)) <= 0)
            return false;
        buf_add(got, chunk, (size_t)n);
        rest(s, x->sip_ms);
        if (!asked && !x->head_only && strstr(got->data, "Expect: 100-continue")) {
            asked = true;
            send(fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
        }
    }
    return true;
}

static inline void answer(int fd, const struct exchange *x)
{
    static const char padding[65536];
    size_t size = strlen(x->answer);
    for (size_t i = 0; x->trickle_ms > 0 && i < size; i++) {
        unsigned reads = atomic_load(&stepped_reads);
        if (send(fd, x->answer + i, 1, MSG_NOSIGNAL) < 0)
            return;
        step(x->trickle_ms, reads);
    }
    if (x->trickle_ms == 0)
        send(fd, x->answer, size, MSG_NOSIGNAL);
    for (size_t left = x->padding; left > 0;) {
        ssize_t n = send(fd, padding, left < sizeof(padding) ? left : sizeof(padding), MSG_NOSIGNAL);
        if (n <= 0)
            return;
        left -= (size_t)n;
    }
}

static inline void *serve(void *arg)
{
    struct server *s = arg;
    int fd = -1;
    for (unsigned i = 0; i < s->count; i++) {
        const struct exchange *x = &s->exchanges[i];
        if (fd < 0) {
            if (!wait_readable(s, s->listener))
                break;
            fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
            s->connections++;
        }
        if (!x->deaf && !read_request(s, fd, x, &s->got[i]))
            break;
        answer(fd, x);
        if (x->after == KEEP)
            continue;
        if (x->after == FORGET)
            while (wait_readable(s, s->listener))
                break;
        if (x->after == RESET)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static inline void server_start(struct server *s, const struct exchange *exchanges, unsigned count)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    *s = (struct server){.exchanges = exchanges, .count = count};
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    /* Small, so that what the server has not read yet lies in the client's kernel. */
    assert_int_equal(setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &(int){SIP_SIZE}, sizeof(int)), 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &size), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pipe(s->stop), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static inline void server_stop(struct server *s)
{
    if (s->stop[1] < 0)
        return;
    close(s->stop[1]);
    pthread_join(s->thread, NULL);
    close(s->stop[0]);
    close(s->listener);
    s->stop[1] = -1;
}

static inline void server_done(struct server *s)
{
    server_stop(s);
    for (unsigned i = 0; i < EXCHANGES_MAX; i++)
        buf_done(&s->got[i]);
}

/* A client, its server and one request: what nearly every test needs. */
struct fixture {
    struct server server;
    struct http *http;
    struct http_request r;
    struct http_answer a;
    struct err e;
    char url[128];
};

static inline void fixture_done(struct fixture *f)
{
    http_free(f->http);
    http_answer_done(&f->a);
    server_done(&f->server);
}

static inline void fixture_start_with(struct fixture *f, const char *method, unsigned timeout_ms, bool stepped,
                                      const struct exchange *exchanges, unsigned count)
{
    server_start(&f->server, exchanges, count);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/key?X-Amz-Signature=hush", f->server.port);
    f->r = (struct http_request){.method = method, .url = f->url};
    const struct http_options options = {.timeout_ms = timeout_ms, .clock_ms = stepped ? stepped_clock : NULL};
    assert_int_equal(http_new(&options, &f->http, &f->e), 0);
}

static inline void fixture_start(struct fixture *f, const char *method, const struct exchange *exchanges,
                                 unsigned count)
{
    fixture_start_with(f, method, 0, false, exchanges, count);
}

static inline int perform(struct fixture *f)
{
    return http_perform(f->http, &f->r, &f->a, &f->e);
}

/* cmocka's set-up of a group: whatever the environment says, no proxy is asked. */
static inline int no_proxy(void **state)
{
    (void)state;
    return setenv("no_proxy", "*", 1);
}
