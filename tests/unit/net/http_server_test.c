/* SPDX-License-Identifier: Apache-2.0
 *
 * The server with a real socket: answers in the middle of a body, interim answers, streams that fail, and what it
 * counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_server.h"

enum { ENOUGH = 1024 * 1024, LARGE = 8 * 1024 * 1024, PIECE = 64 * 1024 };

static struct http_server *server;
static _Atomic uint64_t received, over_sent;
static _Atomic unsigned over_status, overs;

static int count(struct exchange *x, const void *data, size_t size)
{
    (void)data;
    atomic_fetch_add(&received, size);
    if (text_eq(exchange_path(x), "/full") && atomic_load(&received) > ENOUGH) {
        exchange_answer_text(x, 507, "no room");
        return -1;
    }
    return 0;
}

static void whole(struct exchange *x)
{
    exchange_add_header(x, "X-Whole", "yes");
    exchange_answer_text(x, 201, "%llu", (unsigned long long)atomic_load(&received));
}

static ssize_t make(void *ctx, void *data, size_t size)
{
    uint64_t *left = ctx;
    size_t n = *left < size ? (size_t)*left : size;

    memset(data, 'x', n);
    *left -= n;
    return n > 0 ? (ssize_t)n : -1;
}

static void begin(void *ctx, struct exchange *x)
{
    static const struct exchange_body BODY = {.data = count, .end = whole};
    uint64_t *left;

    (void)ctx;
    atomic_store(&received, 0);
    if (text_eq(exchange_path(x), "/broken")) {
        assert_non_null(left = malloc(sizeof(*left)));
        *left = ENOUGH;
        exchange_answer_stream(x, 200, LARGE, &(struct exchange_stream){make, free, left});
    } else if (text_eq(exchange_path(x), "/early")) {
        exchange_answer_text(x, 403, "no");
    } else {
        if (text_eq(exchange_path(x), "/interim"))
            exchange_interim(x, 104, "Location: /there\r\n");
        exchange_receive(x, &BODY);
    }
}

static void over(void *ctx, struct exchange *x, unsigned status, uint64_t sent)
{
    (void)ctx, (void)x;
    atomic_store(&over_status, status);
    atomic_store(&over_sent, sent);
    atomic_fetch_add(&overs, 1);
}

static int start(void **state)
{
    const struct http_server_options options = {.listen = "127.0.0.1:0", .begin = begin, .over = over};
    struct err e = {0};

    (void)state;
    return http_server_start(&options, &server, &e);
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(server, 1000);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    uint64_t port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(text_parse_uint(strrchr(http_server_address(server), ':') + 1, 65535, &port), 0);
    a.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* Sends a request with a body of `size`, reads to the end of the connection; the answer's beginning, and all its bytes.
 */
static size_t ask(const char *head, size_t size, char answer[static 1024])
{
    static char block[PIECE];
    CLEANUP_FD int fd = dial();
    size_t have = 0, all = 0;
    ssize_t n;

    assert_true(send(fd, head, strlen(head), MSG_NOSIGNAL) == (ssize_t)strlen(head));
    for (size_t sent = 0; sent < size; sent += sizeof(block))
        assert_true(send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0);
    while ((n = recv(fd, block, sizeof(block), 0)) > 0) {
        size_t take = (size_t)n < 1023 - have ? (size_t)n : 1023 - have;

        memcpy(answer + have, block, take);
        have += take;
        all += (size_t)n;
    }
    assert_int_equal(n, 0); /* no reset */
    answer[have] = '\0';
    for (unsigned i = 0; i < 1000 && atomic_load(&overs) == 0; i++)
        clock_sleep_ms(1);
    assert_int_equal(atomic_exchange(&overs, 0), 1);
    return all;
}

#define PUT(path, size) "PUT " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " size "\r\n\r\n"
#define HAS(text) assert_non_null(strstr(answer, text))

static void test_an_answer_in_the_middle_of_a_body_is_read(void **state)
{
    char answer[1024];

    (void)state;
    ask(PUT("/full", "8388608"), LARGE, answer);
    HAS("HTTP/1.1 507 Insufficient Storage\r\n");
    HAS("\r\n\r\nno room\n");
    assert_true(atomic_load(&received) < LARGE);
    assert_int_equal(atomic_load(&over_status), 507);
    assert_int_equal(atomic_load(&over_sent), strlen("no room\n"));
    ask(PUT("/early", "8388608"), LARGE, answer);
    HAS("HTTP/1.1 403 ");
    assert_int_equal(atomic_load(&received), 0);
}

static void test_bodies_of_all_sizes(void **state)
{
    char answer[1024];

    (void)state;
    ask(PUT("/put", "0"), 0, answer);
    HAS("\r\n\r\n0\n");
    ask(PUT("/put", "65536"), PIECE, answer);
    HAS("\r\n\r\n65536\n");
    ask(PUT("/put", "8388608"), LARGE, answer);
    HAS("HTTP/1.1 201 Created\r\n");
    HAS("\r\nX-Whole: yes\r\n");
    HAS("\r\nDate: ");
    HAS("\r\n\r\n8388608\n");
    assert_int_equal(atomic_load(&over_status), 201);
}

static void test_an_interim_answer_comes_first_and_not_to_old_clients(void **state)
{
    char answer[1024];

    (void)state;
    ask(PUT("/interim", "65536"), PIECE, answer);
    assert_true(text_starts(answer, "HTTP/1.1 104 \r\nLocation: /there\r\n\r\nHTTP/1.1 201 "));
    ask("PUT /interim HTTP/1.0\r\nContent-Length: 65536\r\n\r\n", PIECE, answer);
    assert_true(text_starts(answer, "HTTP/1.1 201 ") || text_starts(answer, "HTTP/1.0 201 "));
}

static void test_a_stream_that_fails_ends_the_connection(void **state)
{
    char answer[1024];
    size_t all;

    (void)state;
    all = ask("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", 0, answer);
    HAS("HTTP/1.1 200 OK\r\n");
    assert_true(all > ENOUGH && all < LARGE);
    assert_int_equal(atomic_load(&over_status), 0);
    assert_in_range(atomic_load(&over_sent), ENOUGH - 1024, ENOUGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_in_the_middle_of_a_body_is_read),
        cmocka_unit_test(test_bodies_of_all_sizes),
        cmocka_unit_test(test_an_interim_answer_comes_first_and_not_to_old_clients),
        cmocka_unit_test(test_a_stream_that_fails_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
