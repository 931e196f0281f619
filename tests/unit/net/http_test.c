/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against a server of a few lines: a thread that answers each request with canned bytes and then keeps,
 * closes, resets or forgets the connection. Real servers and real certificates are for the whole-program tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"

enum { EXCHANGES_MAX = 4, SHORT_MS = 400, ATTEMPTS = 5, BIG_SIZE = 3 * 1024 * 1024, SIP_SIZE = 16 * 1024 };

enum after { KEEP, CLOSE, RESET, FORGET /* hold it open and say no more */ };

struct exchange {
    const char *answer;
    enum after after;
    bool head_only;      /* answer as soon as the head is there */
    bool deaf;           /* read nothing at all */
    unsigned sip_ms;     /* between reads of SIP_SIZE */
    unsigned trickle_ms; /* between single bytes of the answer */
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

/* Sleeps, and notes what became of it. */
static void rest(struct server *s, unsigned ms)
{
    uint64_t begun_ms = clock_mono_ms();
    unsigned took_ms;
    clock_sleep_ms(ms);
    took_ms = (unsigned)(clock_mono_ms() - begun_ms);
    if (ms > 0 && took_ms > atomic_load(&s->paused_ms))
        atomic_store(&s->paused_ms, took_ms);
}

/* Waits for input; false if the test is over. */
static bool wait_readable(struct server *s, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
    while (poll(p, 2, -1) < 0)
        ;
    return !p[1].revents;
}

static bool is_whole(const struct buf *got, bool head_only)
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
static bool read_request(struct server *s, int fd, const struct exchange *x, struct buf *got)
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

static void answer(struct server *s, int fd, const struct exchange *x)
{
    static const char padding[65536];
    size_t size = strlen(x->answer);
    for (size_t i = 0; x->trickle_ms > 0 && i < size; i++) {
        if (send(fd, x->answer + i, 1, MSG_NOSIGNAL) < 0)
            return; /* it was left */
        rest(s, x->trickle_ms);
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

static void *serve(void *arg)
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
        answer(s, fd, x);
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

static void server_start(struct server *s, const struct exchange *exchanges, unsigned count)
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

static void server_stop(struct server *s)
{
    if (s->stop[1] < 0)
        return;
    close(s->stop[1]);
    pthread_join(s->thread, NULL);
    close(s->stop[0]);
    close(s->listener);
    s->stop[1] = -1;
}

static void server_done(struct server *s)
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

static void fixture_done(struct fixture *f)
{
    http_free(f->http);
    http_answer_done(&f->a);
    server_done(&f->server);
}

static void fixture_start(struct fixture *f, const char *method, unsigned timeout_ms, const struct exchange *exchanges,
                          unsigned count)
{
    server_start(&f->server, exchanges, count);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/key?X-Amz-Signature=hush", f->server.port);
    f->r = (struct http_request){.method = method, .url = f->url};
    assert_int_equal(http_new(&(struct http_options){.timeout_ms = timeout_ms}, &f->http, &f->e), 0);
}

static int perform(struct fixture *f)
{
    return http_perform(f->http, &f->r, &f->a, &f->e);
}

/* What the write callback gets. */
static int take(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static int refuse(void *ctx, const void *data, size_t size)
{
    (void)data, (void)size;
    return err_set(ctx, -FAULT_FORMAT, "its own story");
}

static void request_is_sent_as_given(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 204 No Content\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct secret *secret = secret_new("Bearer abc", 10);
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    snprintf(f.url, sizeof(f.url), "http://127.0.0.1:%u/a/../b/./%%2F?x=1", f.server.port);
    http_add_header(&f.r, "X-One", "1");
    http_add_header(&f.r, "X-None", NULL);
    http_add_header(&f.r, "X-Empty", "");
    f.r.headers[f.r.header_count++] = (struct http_header){.name = "Authorization", .secret = secret};
    assert_int_equal(perform(&f), 0);
    secret_free(secret);
    assert_int_equal(f.a.status, 204);
    server_stop(&f.server);
    const char *got = buf_text(&f.server.got[0]);
    assert_true(text_starts(got, "GET /a/../b/./%2F?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(got, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(got, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(got, "\r\nAuthorization: Bearer abc\r\n"));
    assert_non_null(strstr(got, "\r\nUser-Agent: salvage/" SALVAGE_VERSION "\r\n"));
    assert_null(strstr(got, "X-None"));
    assert_null(strstr(got, "Content-Length"));
}

static void connection_is_kept_and_methods_do_not_leak_into_each_other(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
                                        {.answer = "HTTP/1.1 204 No Content\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    char length[16];
    (void)state;
    fixture_start(&f, "PUT", 0, x, 4);
    f.r.body = "hello";
    f.r.body_size = 5;
    assert_int_equal(perform(&f), 0);
    f.r = (struct http_request){.method = "HEAD", .url = f.url};
    assert_int_equal(perform(&f), 0);
    assert_string_equal(http_header(&f.a, "content-length", length, sizeof(length)), "1000");
    assert_int_equal(f.a.body.size, 0);
    f.r.method = "GET";
    assert_int_equal(perform(&f), 0);
    assert_string_equal(buf_text(&f.a.body), "abc");
    f.r.method = "MOVE";
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.body.size, 0);
    server_stop(&f.server);
    assert_int_equal(f.server.connections, 1);
    const char *got = buf_text(&f.server.got[0]);
    assert_true(text_starts(got, "PUT /key?"));
    assert_non_null(strstr(got, "\r\nContent-Length: 5\r\n"));
    assert_null(strstr(got, "Expect:"));
    assert_true(text_ends(got, "\r\n\r\nhello"));
    assert_true(text_starts(buf_text(&f.server.got[1]), "HEAD /key?"));
    assert_true(text_starts(buf_text(&f.server.got[2]), "GET /key?"));
    assert_true(text_starts(buf_text(&f.server.got[3]), "MOVE /key?"));
    assert_null(strstr(buf_text(&f.server.got[3]), "Content-Length"));
}

static void put_and_post_without_a_body_say_so(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "PUT", 0, x, 2);
    assert_int_equal(perform(&f), 0);
    f.r.method = "POST";
    assert_int_equal(perform(&f), 0);
    server_stop(&f.server);
    assert_non_null(strstr(buf_text(&f.server.got[0]), "\r\nContent-Length: 0\r\n"));
    assert_true(text_starts(buf_text(&f.server.got[1]), "POST /key?"));
    assert_non_null(strstr(buf_text(&f.server.got[1]), "\r\nContent-Length: 0\r\n"));
    assert_null(strstr(buf_text(&f.server.got[1]), "Content-Type"));
}

static void big_body_is_sent_whole_after_100_continue(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nX-Late: yes\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP_FREE char *body = malloc(BIG_SIZE);
    char value[8];
    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < BIG_SIZE; i++)
        body[i] = (char)('a' + i % 23);
    fixture_start(&f, "PUT", 0, &x, 1);
    f.r.body = body;
    f.r.body_size = BIG_SIZE;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 200);
    assert_string_equal(http_header(&f.a, "X-Late", value, sizeof(value)), "yes");
    assert_null(http_header(&f.a, "X-Early", value, sizeof(value))); /* was of the 100 */
    server_stop(&f.server);
    const struct buf *got = &f.server.got[0];
    assert_true(got->size > BIG_SIZE);
    assert_memory_equal(got->data + got->size - BIG_SIZE, body, BIG_SIZE);
}

static void big_body_is_not_sent_to_a_server_that_refuses_it(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope",
                                      .head_only = true};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP_FREE char *body = calloc(1, BIG_SIZE);
    (void)state;
    assert_non_null(body);
    fixture_start(&f, "PUT", 0, &x, 1);
    f.r.body = body;
    f.r.body_size = BIG_SIZE;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 403);
    assert_string_equal(buf_text(&f.a.body), "nope");
    server_stop(&f.server);
    assert_true(f.server.got[0].size < 4096);
}

struct pieces {
    unsigned left;
    unsigned sleep_ms;
    int at_end;
};

static ssize_t give(void *ctx, void *data, size_t size)
{
    struct pieces *p = ctx;
    assert_true(size >= 5);
    if (p->left == 0)
        return p->at_end;
    p->left--;
    clock_sleep_ms(p->sleep_ms);
    memcpy(data, "piece", 5);
    return 5;
}

static void unknown_length_is_sent_in_chunks(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct pieces pieces = {.left = 3};
    (void)state;
    fixture_start(&f, "PUT", 0, &x, 1);
    f.r.read = give;
    f.r.ctx = &pieces;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 201);
    server_stop(&f.server);
    const char *got = buf_text(&f.server.got[0]);
    assert_non_null(strstr(got, "\r\nTransfer-Encoding: chunked\r\n"));
    assert_true(text_ends(got, "\r\n\r\n5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n"));
}

static void read_that_breaks_off_ends_it_with_its_own_number(void **state)
{
    static const struct exchange x = {.answer = "", .after = CLOSE};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct pieces pieces = {.left = 2, .at_end = -EXDEV};
    (void)state;
    fixture_start(&f, "PUT", 0, &x, 1);
    f.r.read = give;
    f.r.ctx = &pieces;
    assert_int_equal(perform(&f), -EXDEV);
    server_stop(&f.server);
    assert_null(strstr(buf_text(&f.server.got[0]), "\r\n0\r\n")); /* the server could take it for whole */
}

static void a_slow_source_of_ours_is_no_stall(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct pieces pieces = {.left = 1, .sleep_ms = 1800};
    (void)state;
    fixture_start(&f, "PUT", 1000, &x, 1);
    f.r.read = give;
    f.r.ctx = &pieces;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 201);
}

static void write_gets_the_body_of_2xx_only(void **state)
{
    static const struct exchange x[] = {
        {.answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nbytes"},
        {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nsorry"},
        {.answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\nthere"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP(buf_done) struct buf taken = {0};
    char location[32];
    (void)state;
    fixture_start(&f, "GET", 0, x, 3);
    f.r.write = take;
    f.r.ctx = &taken;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 206);
    assert_string_equal(buf_text(&taken), "bytes");
    assert_int_equal(f.a.body.size, 0);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 404);
    assert_string_equal(buf_text(&f.a.body), "sorry");
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 302); /* not followed */
    assert_string_equal(buf_text(&f.a.body), "there");
    assert_string_equal(http_header(&f.a, "Location", location, sizeof(location)), "/elsewhere");
    assert_string_equal(buf_text(&taken), "bytes");
}

static void trailers_are_no_headers(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\nETag: late\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    char etag[16];
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    assert_int_equal(perform(&f), 0);
    assert_string_equal(buf_text(&f.a.body), "bytes");
    assert_null(http_header(&f.a, "ETag", etag, sizeof(etag)));
}

static void write_that_breaks_off_ends_it_with_its_own_story(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes"};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    f.r.write = refuse;
    f.r.ctx = &f.e;
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_string_equal(f.e.msg, "its own story");
}

static void an_answer_cut_short_is_no_success(void **state)
{
    static const struct exchange x[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes", .after = CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n", .after = CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes", .after = RESET}};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP(buf_done) struct buf taken = {0};
    (void)state;
    fixture_start(&f, "GET", 0, x, 3);
    f.r.write = take;
    f.r.ctx = &taken;
    for (int i = 0; i < 3; i++) {
        f.e = (struct err){0};
        assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
        assert_int_equal(f.a.status, 0);
        assert_non_null(strstr(f.e.msg, "127.0.0.1:"));
        assert_null(strstr(f.e.msg, "hush"));
    }
}

static void a_head_cut_short_is_no_success(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Le", .after = CLOSE},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", .after = CLOSE},
                                        {.answer = "HTTP/1.1 2", .after = CLOSE}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, x, 3);
    for (int i = 0; i < 3; i++)
        assert_true(perform(&f) < 0);
}

static void closed_and_reset_without_an_answer_are_unreachable(void **state)
{
    static const struct exchange x[] = {{.answer = "", .after = CLOSE}, {.answer = "", .after = RESET}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, x, 2);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    assert_non_null(strstr(f.e.msg, "without an answer"));
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
}

static void a_kept_connection_that_died_is_replaced_and_the_body_sent_again(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .after = CLOSE},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "PUT", 0, x, 2);
    f.r.body = "hello";
    f.r.body_size = 5;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(perform(&f), 0);
    server_stop(&f.server);
    assert_int_equal(f.server.connections, 2);
    assert_true(text_ends(buf_text(&f.server.got[1]), "\r\n\r\nhello"));
}

static void silence_is_a_stall(void **state)
{
    static const struct exchange before = {.answer = "", .after = FORGET};
    static const struct exchange within = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes",
                                           .after = FORGET};
    const struct exchange *x[] = {&before, &within};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        fixture_start(&f, "GET", SHORT_MS, x[i], 1);
        uint64_t begun_ms = clock_mono_ms();
        assert_int_equal(perform(&f), -FAULT_STALLED);
        uint64_t took_ms = clock_mono_ms() - begun_ms;
        assert_true(took_ms >= SHORT_MS && took_ms < 10000);
        assert_non_null(strstr(f.e.msg, "no byte moved for 0.4 s"));
        assert_null(strstr(f.e.msg, "hush"));
    }
}

static void a_server_that_takes_no_body_is_a_stall(void **state)
{
    static const struct exchange x = {.answer = "", .deaf = true, .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    size_t size = (size_t)64 * 1024 * 1024; /* more than the kernel takes */
    CLEANUP_FREE char *body = calloc(1, size);
    (void)state;
    assert_non_null(body);
    fixture_start(&f, "PUT", SHORT_MS, &x, 1);
    f.r.body = body;
    f.r.body_size = size;
    assert_int_equal(perform(&f), -FAULT_STALLED);
}

/* All of it would take 2.6 s, in which the server is never silent: only the limit can end it. */
static void slow_is_too_slow_beyond_a_limit(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow", .trickle_ms = 60};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 60 * 1000, &x, 1);
    f.r.limit_ms = SHORT_MS;
    uint64_t begun_ms = clock_mono_ms();
    assert_int_equal(perform(&f), -FAULT_STALLED);
    assert_true(clock_mono_ms() - begun_ms + 5 >= SHORT_MS); /* the other clock is of libcurl */
    assert_non_null(strstr(f.e.msg, "within 0.4 s"));
}

/* Whether a machine with other things to do has made the stall itself, by a server that was not run for so long. */
static bool was_held_up(struct fixture *f, int result, unsigned timeout_ms)
{
    return (result == -FAULT_STALLED || result == -FAULT_FORMAT) && atomic_load(&f->server.paused_ms) > timeout_ms / 2;
}

static void slow_is_no_stall(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
                                                "slow, and slower, but it does end at last",
                                      .trickle_ms = 30};
    (void)state;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        uint64_t begun_ms = clock_mono_ms();
        fixture_start(&f, "GET", 2000, &x, 1);
        int r = perform(&f);
        if (was_held_up(&f, r, 2000))
            continue;
        assert_int_equal(r, 0);
        assert_true(clock_mono_ms() - begun_ms > 2000);
        assert_int_equal(f.a.body.size, 40);
        return;
    }
    fail_msg("this machine stood still each time");
}

/* Bytes move all the time, and nothing comes of it. */
static void an_answer_that_does_not_end_is_given_up(void **state)
{
#define LINE "X-A: 0123456789\r\n"
#define LINES LINE LINE LINE LINE LINE LINE LINE LINE LINE LINE
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
    static const struct {
        struct exchange x;
        const char *word;
    } cases[] = {
        {{.answer = "HTTP/1.1 200 OK\r\n" LINES LINES LINES, .trickle_ms = 10, .after = FORGET}, "the head of"},
        {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" LINES LINES LINES,
          .trickle_ms = 10,
          .after = FORGET},
         "drop by drop"},
        {{.answer = "HTTP/1.1 403 No\r\nContent-Length: 1000\r\n\r\n" LINES LINES LINES,
          .trickle_ms = 10,
          .after = FORGET},
         "drop by drop"},
        {{.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n" LINES LINES LINES,
          .trickle_ms = 10,
          .after = FORGET},
         "drop by drop"},
        {{.answer = CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE,
          .after = FORGET},
         "1xx again"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        uint64_t begun_ms = clock_mono_ms();
        fixture_start(&f, "GET", 400, &cases[i].x, 1);
        assert_int_equal(perform(&f), -FAULT_FORMAT);
        assert_true(clock_mono_ms() - begun_ms < 6000);
        if (!strstr(f.e.msg, cases[i].word))
            fail_msg("%zu: %s", i, f.e.msg);
    }
}

static void a_line_that_does_not_end_is_given_up(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nX-A: 0123456789012345678901234567890123456789012345678901234567890123456789"
                  "01234567890123456789012345678901234567890123456789012345678901234567890123456789",
        .trickle_ms = 40,
        .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 600, &x, 1);
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_non_null(strstr(f.e.msg, "does not come to an end"));
}

static void a_patient_request_takes_drops(void **state)
{
#define BLANKS "                                        "
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 160\r\n\r\n" BLANKS BLANKS BLANKS BLANKS, .trickle_ms = 15};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "POST", 1800, &x, 1);
    f.r.patient = true;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.body.size, 160);
}

/* libcurl is done with the body at once: it lies in the kernel's queue, which empties slowly. */
static void a_queue_that_empties_slowly_is_no_stall(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .sip_ms = 50};
    size_t size = (size_t)60 * SIP_SIZE;
    CLEANUP_FREE char *body = calloc(1, size);
    (void)state;
    assert_non_null(body);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        fixture_start(&f, "PUT", 1000, &x, 1);
        f.r.body = body;
        f.r.body_size = size;
        uint64_t begun_ms = clock_mono_ms();
        int r = perform(&f);
        if (was_held_up(&f, r, 1000))
            continue;
        assert_int_equal(r, 0);
        assert_true(clock_mono_ms() - begun_ms > 2000);
        assert_int_equal(f.a.status, 200);
        return;
    }
    fail_msg("this machine stood still each time");
}

static void a_refused_connection_is_told_in_plain_words(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    char expected[128];
    (void)state;
    fixture_start(&f, "GET", 0, NULL, 0);
    server_stop(&f.server);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    snprintf(expected, sizeof(expected), "cannot connect to 127.0.0.1:%u: Connection refused", f.server.port);
    assert_string_equal(f.e.msg, expected);
}

static void a_name_that_does_not_exist_is_unreachable(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, NULL, 0);
    f.r.url = "http://no-such-host.invalid/"; /* RFC 6761 */
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    assert_non_null(strstr(f.e.msg, "no-such-host.invalid"));
}

static void a_server_that_speaks_no_http_is_told(void **state)
{
    static const struct exchange x = {.answer = "220 mail.example ESMTP\r\n", .after = CLOSE};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_non_null(strstr(f.e.msg, "does not speak HTTP"));
}

static void tls_to_a_plain_port_is_told(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", .deaf = true, .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(perform(&f), -FAULT_TLS);
    assert_non_null(strstr(f.e.msg, "does not speak TLS"));
}

static void a_tls_handshake_that_breaks_may_pass(void **state)
{
    static const struct exchange x[] = {{.answer = "", .deaf = true, .after = CLOSE},
                                        {.answer = "", .deaf = true, .after = RESET}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, x, 2);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
}

static void a_tls_handshake_without_an_answer_is_a_stall(void **state)
{
    static const struct exchange x = {.answer = "", .deaf = true, .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", SHORT_MS, &x, 1);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(perform(&f), -FAULT_STALLED);
}

static void a_ca_file_that_is_none_is_named(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    struct http *h = NULL;
    (void)state;
    fixture_start(&f, "GET", 0, &(struct exchange){.answer = "", .deaf = true, .after = FORGET}, 1);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(http_new(&(struct http_options){.ca_file = (char *)"/no/such/ca.pem"}, &h, &f.e), 0);
    int r = http_perform(h, &f.r, &f.a, &f.e);
    http_free(h);
    assert_int_equal(r, -FAULT_TLS);
    assert_non_null(strstr(f.e.msg, "/no/such/ca.pem"));
}

static void retry_after_is_understood_and_forgotten(void **state)
{
    static const struct exchange x[] = {
        {.answer = "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 503 Slow Down\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, x, 3);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 503);
    assert_int_equal(f.a.retry_after_ms, 7000);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.retry_after_ms, 30000);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.retry_after_ms, 0);
}

static void an_answer_beyond_all_measure_is_refused(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 18000000\r\n\r\n", .padding = 18000000, .after = CLOSE};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    assert_int_equal(perform(&f), -FAULT_FORMAT);
}

static void a_header_value_cannot_bring_headers_of_its_own(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, NULL, 0);
    http_add_header(&f.r, "X-Good", "fine");
    http_add_header(&f.r, "X-Name", "a\r\nX-Evil: 1");
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_non_null(strstr(f.e.msg, "X-Name"));
    assert_null(strstr(f.e.msg, "Evil"));
}

static void a_proxy_that_is_down_is_named(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    unsetenv("no_proxy");
    setenv("http_proxy", "http://127.0.0.9:1", 1);
    int r = perform(&f);
    unsetenv("http_proxy");
    setenv("no_proxy", "*", 1);
    assert_int_equal(r, -FAULT_UNREACHABLE);
    assert_non_null(strstr(f.e.msg, "127.0.0.1:"));
    assert_non_null(strstr(f.e.msg, "127.0.0.9"));
}

static void a_direct_request_asks_no_proxy(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", 0, &x, 1);
    http_free(f.http);
    f.http = NULL;
    assert_int_equal(http_new(&(struct http_options){.direct = true}, &f.http, &f.e), 0);
    unsetenv("no_proxy");
    setenv("http_proxy", "http://127.0.0.9:1", 1);
    int r = perform(&f);
    unsetenv("http_proxy");
    setenv("no_proxy", "*", 1);
    assert_int_equal(r, 0);
    assert_int_equal(f.a.status, 200);
}

static int no_proxy(void **state)
{
    (void)state;
    return setenv("no_proxy", "*", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_sent_as_given),
        cmocka_unit_test(connection_is_kept_and_methods_do_not_leak_into_each_other),
        cmocka_unit_test(put_and_post_without_a_body_say_so),
        cmocka_unit_test(big_body_is_sent_whole_after_100_continue),
        cmocka_unit_test(big_body_is_not_sent_to_a_server_that_refuses_it),
        cmocka_unit_test(unknown_length_is_sent_in_chunks),
        cmocka_unit_test(read_that_breaks_off_ends_it_with_its_own_number),
        cmocka_unit_test(a_slow_source_of_ours_is_no_stall),
        cmocka_unit_test(write_gets_the_body_of_2xx_only),
        cmocka_unit_test(trailers_are_no_headers),
        cmocka_unit_test(write_that_breaks_off_ends_it_with_its_own_story),
        cmocka_unit_test(an_answer_cut_short_is_no_success),
        cmocka_unit_test(a_head_cut_short_is_no_success),
        cmocka_unit_test(closed_and_reset_without_an_answer_are_unreachable),
        cmocka_unit_test(a_kept_connection_that_died_is_replaced_and_the_body_sent_again),
        cmocka_unit_test(silence_is_a_stall),
        cmocka_unit_test(a_server_that_takes_no_body_is_a_stall),
        cmocka_unit_test(slow_is_too_slow_beyond_a_limit),
        cmocka_unit_test(slow_is_no_stall),
        cmocka_unit_test(an_answer_that_does_not_end_is_given_up),
        cmocka_unit_test(a_line_that_does_not_end_is_given_up),
        cmocka_unit_test(a_patient_request_takes_drops),
        cmocka_unit_test(a_queue_that_empties_slowly_is_no_stall),
        cmocka_unit_test(a_refused_connection_is_told_in_plain_words),
        cmocka_unit_test(a_name_that_does_not_exist_is_unreachable),
        cmocka_unit_test(a_server_that_speaks_no_http_is_told),
        cmocka_unit_test(tls_to_a_plain_port_is_told),
        cmocka_unit_test(a_tls_handshake_that_breaks_may_pass),
        cmocka_unit_test(a_tls_handshake_without_an_answer_is_a_stall),
        cmocka_unit_test(a_ca_file_that_is_none_is_named),
        cmocka_unit_test(retry_after_is_understood_and_forgotten),
        cmocka_unit_test(an_answer_beyond_all_measure_is_refused),
        cmocka_unit_test(a_header_value_cannot_bring_headers_of_its_own),
        cmocka_unit_test(a_proxy_that_is_down_is_named),
        cmocka_unit_test(a_direct_request_asks_no_proxy),
    };
    return cmocka_run_group_tests(tests, no_proxy, NULL);
}
