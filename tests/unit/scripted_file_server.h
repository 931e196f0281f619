/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of the HTTP store: a file server that answers by a script and keeps what it was asked, and an upload to it.
 * After cmocka.h.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/sink.h"

#define ID "0123456789abcdef"
#define OK "200 OK"
#define CREATED "201 Created"
#define NOT_FOUND "404 Not Found"
#define NOT_ALLOWED "405 Method Not Allowed"
#define SIZED(n) "200 OK\r\nContent-Length: " #n

/* The server. Every connection brings one request. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for script and seen; the test asks between its requests */
static int listener;
static pthread_t thread;
static const char *const *script; /* answers without "HTTP/1.1 ", headers and body as they are; NULL: no more */
static struct buf seen;           /* "PUT /d/key [body];" */
static const char *options;       /* the answer to OPTIONS, which is not in the script */

static inline bool read_line(FILE *f, char *line, int size)
{
    if (!fgets(line, size, f))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

static inline void read_body(FILE *f, bool chunked, size_t size)
{
    char data[512], line[64];

    do {
        if (chunked) {
            if (!read_line(f, line, sizeof(line)))
                return;
            size = strtoul(line, NULL, 16);
            if (size == 0)
                return;
        }
        for (size_t n; size > 0; size -= n) {
            n = fread(data, 1, size < sizeof(data) ? size : sizeof(data), f);
            if (n == 0)
                return;
            buf_add(&seen, data, n);
        }
    } while (chunked && read_line(f, line, sizeof(line)));
}

static inline void serve(int fd)
{
    static const char *const TOLD[] = {"Destination: ", "Range: ", "Authorization: "};
    char line[1024];
    bool chunked = false;
    size_t size = 0;
    FILE *f = fdopen(fd, "r+");

    if (!read_line(f, line, sizeof(line))) {
        fclose(f);
        return;
    }
    pthread_mutex_lock(&lock);
    bool is_options = text_starts(line, "OPTIONS ");
    const char *answer = is_options ? options : *script ? *script++ : "418 Not in the script";
    *strrchr(line, ' ') = '\0';
    if (!is_options)
        buf_add_text(&seen, line);
    while (read_line(f, line, sizeof(line)) && line[0]) {
        for (size_t i = 0; i < ARRAY_SIZE(TOLD); i++)
            if (text_starts(line, TOLD[i]))
                buf_printf(&seen, " (%s)", line);
        if (text_starts(line, "Content-Length: "))
            size = strtoul(line + strlen("Content-Length: "), NULL, 10);
        if (text_starts(line, "Transfer-Encoding: chunked"))
            chunked = true;
    }
    if (chunked || size > 0) {
        buf_add_text(&seen, " [");
        if (*answer != '4') { /* a refusal does not wait for the body */
            dprintf(fd, "HTTP/1.1 100 Continue\r\n\r\n");
            read_body(f, chunked, size);
        }
        buf_add_text(&seen, "]");
    }
    if (!is_options)
        buf_add_text(&seen, ";");
    pthread_mutex_unlock(&lock);
    size_t status = strcspn(answer, "\r");
    dprintf(fd, "HTTP/1.1 %.*s\r\nConnection: close%s%s", (int)status, answer, answer + status,
            strstr(answer, "\r\n\r\n") ? "" : "\r\n\r\n");
    shutdown(fd, SHUT_WR);
    while (fgets(line, sizeof(line), f))
        ;
    fclose(f);
}

static inline void *serve_all(void *ctx)
{
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0)
        serve(fd);
    return ctx;
}

static struct sink_config config;
static struct sink *sink;
static unsigned done_good, done_bad, waits;

static inline int set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    (void)state;
    clearenv();
    seen = (struct buf){0};
    options = NOT_ALLOWED;
    done_good = done_bad = waits = 0;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 16) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0 || pthread_create(&thread, NULL, serve_all, NULL))
        return -1;
    config = (struct sink_config){.uploads = 2, .url = {.scheme = URL_HTTP, .path = strdup("d%20x")}};
    return asprintf(&config.url.authority, "127.0.0.1:%u", ntohs(address.sin_port)) < 0 ? -1 : 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    sink_close(sink);
    sink = NULL;
    sink_config_done(&config);
    buf_done(&seen);
    return 0;
}

#define PLAY(...) play((const char *const[]){__VA_ARGS__, NULL})

static inline void play(const char *const *answers)
{
    static const char *kept[32];
    struct err e;

    pthread_mutex_lock(&lock);
    memset(kept, 0, sizeof(kept));
    for (size_t i = 0; answers[i]; i++)
        kept[i] = answers[i];
    script = kept;
    buf_clear(&seen);
    pthread_mutex_unlock(&lock);
    if (!sink)
        assert_int_equal(sink_open(&config, &sink, &e), 0);
}

static inline void expect_seen(const char *text)
{
    pthread_mutex_lock(&lock);
    CLEANUP_FREE char *requests = strdup(buf_text(&seen));
    bool all = !*script;
    pthread_mutex_unlock(&lock);
    assert_string_equal(requests, text);
    assert_true(all);
}

static inline void on_done(void *ctx, struct part *part, const char *etag)
{
    (void)ctx;
    (void)part;
    if (etag)
        done_good++;
    else
        done_bad++;
}

static inline void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx;
    assert_non_null(strstr(e->msg, "503"));
    assert_in_range(delay_ms, 1, 8000);
    waits++;
}

static const struct upload_events EVENTS = {.done = on_done, .waiting = on_waiting};
static const struct object OBJECT = {.key = "a b/c/heap", .content_type = "application/zstd", .id = ID};

static inline struct whole whole_of(const char *text)
{
    struct whole w = {.size = strlen(text)};
    unsigned char digest[32];

    SHA256((const unsigned char *)text, w.size, digest);
    text_hex(digest, sizeof(digest), w.sha256);
    return w;
}

static inline struct upload *begin(void)
{
    struct upload *u = NULL;
    struct err e;

    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&OBJECT, NULL, &EVENTS}, &u, &e), 0);
    return u;
}

static inline int write_part(struct upload *u, unsigned number, const char *text, bool last, struct err *e)
{
    static struct part parts[16]; /* they must live until they are done */
    struct part *p = &parts[number];

    *p = (struct part){.number = number, .last = last, .size = strlen(text), .data = (unsigned char *)(uintptr_t)text};
    return sink->ops->write(u, p, e);
}

/* Without MOVE and MKCOL; the folder is there. */
#define PLAIN NOT_ALLOWED, OK, NOT_ALLOWED
#define PLAIN_SEEN                                                                                                     \
    "MKCOL /d%20x/a%20b/c/;HEAD /d%20x/a%20b/c/;"                                                                      \
    "MOVE /d%20x/salvage-probe-1 (Destination: /d%20x/salvage-probe-2);"
