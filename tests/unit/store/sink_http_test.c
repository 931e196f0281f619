/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP store against a server that says what it is told to: which requests are made, and what answers mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
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

static bool read_line(FILE *f, char *line, int size)
{
    if (!fgets(line, size, f))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

static void read_body(FILE *f, bool chunked, size_t size)
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

static void serve(int fd)
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

static void *serve_all(void *ctx)
{
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0)
        serve(fd);
    return ctx;
}

static struct sink_config config;
static struct sink *sink;
static unsigned done_good, done_bad, waits;

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void play(const char *const *answers)
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

static void expect_seen(const char *text)
{
    pthread_mutex_lock(&lock);
    CLEANUP_FREE char *requests = strdup(buf_text(&seen));
    bool all = !*script;
    pthread_mutex_unlock(&lock);
    assert_string_equal(requests, text);
    assert_true(all);
}

static void on_done(void *ctx, struct part *part, const char *etag)
{
    (void)ctx;
    (void)part;
    if (etag)
        done_good++;
    else
        done_bad++;
}

static void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx;
    assert_non_null(strstr(e->msg, "503"));
    assert_in_range(delay_ms, 1, 8000);
    waits++;
}

static const struct upload_events EVENTS = {.done = on_done, .waiting = on_waiting};
static const struct object OBJECT = {.key = "a b/c/heap", .content_type = "application/zstd", .id = ID};

static struct whole whole_of(const char *text)
{
    struct whole w = {.size = strlen(text)};
    unsigned char digest[32];

    SHA256((const unsigned char *)text, w.size, digest);
    text_hex(digest, sizeof(digest), w.sha256);
    return w;
}

static struct upload *begin(void)
{
    struct upload *u = NULL;
    struct err e;

    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&OBJECT, NULL, &EVENTS}, &u, &e), 0);
    return u;
}

static int write_part(struct upload *u, unsigned number, const char *text, bool last, struct err *e)
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

static void where_only_put_is_offered_it_goes_to_its_place(void **state)
{
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED, SIZED(4), SIZED(4) "\r\n\r\ntext");
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(done_good, 1);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap [text];HEAD /d%20x/a%20b/c/heap;"
                           "GET /d%20x/a%20b/c/heap;");
}

static void where_all_is_offered_folders_are_made_and_readers_see_it_at_once(void **state)
{
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY("409 Conflict", CREATED, CREATED, NOT_FOUND, CREATED, "204 No Content");
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    sink->ops->upload_free(u);
    expect_seen("MKCOL /d%20x/a%20b/c/;MKCOL /d%20x/a%20b/;MKCOL /d%20x/a%20b/c/;"
                "MOVE /d%20x/salvage-probe-1 (Destination: /d%20x/salvage-probe-2);"
                "PUT /d%20x/a%20b/c/heap.part-" ID " [text];"
                "MOVE /d%20x/a%20b/c/heap.part-" ID " (Destination: /d%20x/a%20b/c/heap);");

    /* what is known of the folder and of MOVE is not asked again */
    PLAY(CREATED, "204 No Content", SIZED(2));
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"a b/c/heap.json", "application/json", "{}", 2}, &e),
                     0);
    expect_seen("PUT /d%20x/a%20b/c/heap.json.part-0000000000000000 [{}];"
                "MOVE /d%20x/a%20b/c/heap.json.part-0000000000000000 (Destination: /d%20x/a%20b/c/heap.json);"
                "HEAD /d%20x/a%20b/c/heap.json;");
}

static void many_parts_are_one_stream(void **state)
{
    static const char *const TEXT[] = {"one ", "two ", "three ", "four ", "five"};
    struct whole w = whole_of("one two three four five");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED);
    struct upload *u = begin();
    for (unsigned i = 0; i < ARRAY_SIZE(TEXT); i++)
        assert_int_equal(write_part(u, i + 1, TEXT[i], i + 1 == ARRAY_SIZE(TEXT), &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    sink->ops->upload_free(u);
    assert_int_equal(done_good, 5);
    assert_int_equal(done_bad, 0);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap [one two three four five];");
}

static void an_empty_object_is_one_too(void **state)
{
    struct whole w = whole_of("");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED, SIZED(0));
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap;HEAD /d%20x/a%20b/c/heap;");
}

static void a_stream_that_is_refused_gives_all_parts_back(void **state)
{
    struct whole w = whole_of("");
    struct err e = {0};
    int r = 0;

    (void)state;
    PLAY(PLAIN, "413 Request Entity Too Large");
    struct upload *u = begin();
    for (unsigned i = 1; i < 12 && r == 0; i++)
        r = write_part(u, i, "some bytes", false, &e);
    if (r == 0)
        r = sink->ops->commit(u, &w, &e);
    assert_int_equal(r, -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "raise client_max_body_size"));
    assert_int_equal(sink->ops->commit(u, &w, &e), -FAULT_REFUSED);
    sink->ops->upload_free(u);
    assert_true(done_bad > 0);
}

static void a_stream_that_is_broken_off_ends(void **state)
{
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED);
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "half", false, &e), 0);
    sink->ops->abort(u);
    sink->ops->upload_free(u);
    assert_int_equal(done_good + done_bad, 1);
}

static void an_answer_to_put_says_what_to_change(void **state)
{
    static const struct {
        const char *answer;
        int result;
        const char *word;
    } cases[] = {
        {"401 Unauthorized", -FAULT_CREDENTIALS, "SALVAGE_HTTP_USER"},
        {"403 Forbidden", -FAULT_DENIED, "access rules"},
        {NOT_ALLOWED, -FAULT_REFUSED, "set dav_methods PUT"},
        {"501 Not Implemented", -FAULT_REFUSED, "set dav_methods PUT"},
        {"409 Conflict", -FAULT_REFUSED, "create_full_put_path"},
        {"411 Length Required", -FAULT_REFUSED, "unknown length"},
        {"413 Too Large", -FAULT_REFUSED, "client_max_body_size"},
        {"507 Insufficient Storage", -FAULT_FULL, "no room"},
        {"400 Bad Request", -FAULT_REFUSED, "400"},
        {"302 Found\r\nLocation: http://else.example/", -FAULT_REFUSED, "http://else.example/"},
        {"503 Busy\r\nRetry-After: 120", -FAULT_BUSY, "503"},
        {"429 Slow Down\r\nRetry-After: 120", -FAULT_BUSY, "429"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};

        if (i == 0)
            PLAY(NOT_ALLOWED, OK, NOT_ALLOWED, cases[i].answer);
        else if (text_starts(cases[i].answer, "409")) /* is the folder still there? */
            PLAY(cases[i].answer, NOT_ALLOWED, OK, cases[i].answer);
        else if (text_starts(cases[i].answer, "411"))
            PLAY(NOT_ALLOWED, OK, cases[i].answer);
        else
            PLAY(cases[i].answer);
        struct upload *u = begin();
        assert_int_equal(write_part(u, 1, "text", true, &e), cases[i].result);
        assert_non_null(strstr(e.msg, cases[i].word));
        if (cases[i].result == -FAULT_BUSY)
            assert_int_equal(e.retry_after_ms, 120000);
        sink->ops->upload_free(u);
    }
    assert_int_equal(done_bad, ARRAY_SIZE(cases));
    assert_int_equal(waits, 0);
}

static void a_missing_folder_that_cannot_be_made_is_told(void **state)
{
    struct err e;

    (void)state;
    PLAY(NOT_ALLOWED, NOT_FOUND, NOT_ALLOWED, "500 Internal Server Error");
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "set create_full_put_path on"));
    sink->ops->upload_free(u);
    assert_int_equal(waits, 0);
}

static void passing_trouble_is_tried_again(void **state)
{
    struct err e;

    (void)state;
    PLAY(PLAIN, "503 Busy", CREATED);
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(waits, 1);
    sink->ops->upload_free(u);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap [text];PUT /d%20x/a%20b/c/heap [text];");
}

static void a_move_whose_answer_was_lost_is_found_done(void **state)
{
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY(CREATED, NOT_FOUND, CREATED, "503 Busy", NOT_FOUND, SIZED(4));
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    PLAY(NOT_FOUND, SIZED(5));
    assert_int_equal(sink->ops->commit(u, &w, &e), -FAULT_REFUSED);
    sink->ops->upload_free(u);
}

static void what_reads_back_differently_is_corrupt(void **state)
{
    static const char *const ANSWERS[][2] = {
        {SIZED(5), SIZED(5) "\r\n\r\ntextt"},
        {SIZED(4), SIZED(4) "\r\n\r\ntEXt"},
    };
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED);
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ANSWERS); i++) {
        PLAY(ANSWERS[i][0], ANSWERS[i][1]);
        assert_int_equal(sink->ops->verify(u, &w, true, &e), -FAULT_CORRUPT);
    }
    sink->ops->upload_free(u);
}

static void an_object_is_asked_for_its_size(void **state)
{
    struct object_info info;
    struct err e;

    (void)state;
    PLAY(SIZED(1234), NOT_FOUND, "301 Moved\r\nLocation: http://files.example/d/k/", OK);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), 0);
    assert_int_equal(info.size, 1234);
    assert_string_equal(info.sha256, "");
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_FORMAT);
    expect_seen("HEAD /d%20x/k;HEAD /d%20x/k;HEAD /d%20x/k;HEAD /d%20x/k;");
}

static int keep(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static void expect_read(uint64_t offset, const char *text, const char *requests)
{
    CLEANUP(buf_done) struct buf b = {0};
    uint64_t size = 0;
    struct err e;

    assert_int_equal(
        sink->ops->read(
            sink, &(struct object_reader){.key = "k", .offset = offset, .ret_size = &size, .fn = keep, .ctx = &b}, &e),
        0);
    assert_string_equal(buf_text(&b), text);
    assert_int_equal(size, 10);
    expect_seen(requests);
}

static void reading_goes_on_where_the_connection_broke(void **state)
{
    (void)state;
    PLAY(SIZED(10), SIZED(10) "\r\n\r\n01234",
         "206 Partial Content\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789");
    expect_read(0, "0123456789", "HEAD /d%20x/k;GET /d%20x/k;GET /d%20x/k (Range: bytes=5-);");
}

static void a_server_without_ranges_can_be_read_too(void **state)
{
    (void)state;
    PLAY(SIZED(10), SIZED(10) "\r\n\r\n0123456789");
    expect_read(7, "789", "HEAD /d%20x/k;GET /d%20x/k (Range: bytes=7-);");
}

static void reading_does_not_mix_two_objects(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    (void)state;
    PLAY(SIZED(10) "\r\nETag: \"a\"", SIZED(10) "\r\nETag: \"a\"\r\n\r\n01234",
         "206 Partial Content\r\nETag: \"b\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .fn = keep, .ctx = &b}, &e),
                     -FAULT_CORRUPT);
    assert_string_equal(buf_text(&b), "01234");

    PLAY(SIZED(10), "206 Partial Content\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .offset = 5, .fn = keep, .ctx = &b}, &e),
                     -FAULT_FORMAT);
    PLAY(SIZED(4), SIZED(5) "\r\n\r\n01234");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .fn = keep, .ctx = &b}, &e),
                     -FAULT_CORRUPT);
    PLAY(SIZED(4));
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .offset = 5, .fn = keep, .ctx = &b}, &e),
                     -FAULT_REFUSED);
}

static int give_up(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    (void)size;
    return -FAULT_UNREACHABLE; /* looks like the server's trouble, but is not */
}

static void what_the_taker_says_ends_reading(void **state)
{
    struct err e;

    (void)state;
    PLAY(SIZED(4), SIZED(4) "\r\n\r\ntext");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .fn = give_up}, &e), -FAULT_UNREACHABLE);
    expect_seen("HEAD /d%20x/k;GET /d%20x/k;");
}

static int note_key(void *ctx, const struct sink_listing_entry *entry)
{
    return buf_printf(ctx, "%s=%u;", entry->key, (unsigned)entry->size);
}

static void listings_are_followed_down(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    (void)state;
    PLAY(OK "\r\n\r\n[{\"name\":\"a b\",\"type\":\"directory\"},{\"name\":\".git\",\"type\":\"directory\"},"
            "{\"name\":\"x\",\"type\":\"file\",\"size\":1}]",
         OK "\r\n\r\n[{\"name\":\"y\",\"type\":\"file\",\"size\":2},{\"name\":\"gone\",\"type\":\"directory\"},"
            "{\"name\":\"z.part-" ID "\",\"type\":\"file\",\"size\":3}]",
         NOT_FOUND);
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), "x=1;a b/y=2;");
    expect_seen("GET /d%20x/;GET /d%20x/a%20b/;GET /d%20x/a%20b/gone/;");

    buf_clear(&b);
    PLAY(OK "\r\n\r\n[{\"name\":\"y\",\"type\":\"file\",\"size\":2}]");
    assert_int_equal(sink->ops->list(sink, "a b/", note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), "a b/y=2;");
    expect_seen("GET /d%20x/a%20b/;");
}

static void where_there_is_no_listing_that_is_told(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    (void)state;
    PLAY("403 Forbidden", OK "\r\n\r\nwelcome to our shop", NOT_FOUND, NOT_FOUND);
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "turn autoindex on"));
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "turn autoindex on"));
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), -FAULT_NO_BUCKET);
    assert_int_equal(sink->ops->list(sink, "shop/cart", note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), "");
}

static void credentials_are_sent_and_may_be_wrong(void **state)
{
    struct object_info info;
    struct err e;

    (void)state;
    setenv("SALVAGE_HTTP_TOKEN", "hush", 1);
    PLAY(SIZED(1), "401 Unauthorized");
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), 0);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_DENIED);
    assert_null(strstr(e.msg, "hush"));
    expect_seen("HEAD /d%20x/k (Authorization: Bearer hush);HEAD /d%20x/k (Authorization: Bearer hush);");
}

/* A server that takes uploads in several requests. */
#define OFFERED "204 No Content\r\nUpload-Limit: min-size=0\r\nUpload-Draft-Interop-Version: 8"
#define AT(n) "\r\nUpload-Offset: " #n "\r\nUpload-Complete: ?0"
#define BEGUN "201 Created\r\nLocation: /-/uploads/1" AT(0)
#define APPENDED(n) "204 No Content" AT(n)
#define DIGEST "\r\nRepr-Digest: sha-256=:aJnuQEaDoU6MKgMUmGDfJdZ9NNnNTa5zUMvpHks5dr4=:" /* "one two three" */
#define COMPLETE "201 Created\r\nUpload-Complete: ?1"

static char token[64];

static void on_token(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(token, sizeof(token), "%s", text);
}

static void on_any_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx, (void)e, (void)delay_ms;
    waits++;
}

static const struct upload_events RESUMED = {.done = on_done, .waiting = on_any_waiting, .token = on_token};

static struct upload *begin_resumed(const struct upload_past *past, int wanted)
{
    struct upload *u = NULL;
    struct err e = {0};
    int r = sink->ops->upload_new(sink, &(struct upload_start){&OBJECT, past, &RESUMED}, &u, &e);

    if (r != wanted)
        fail_msg("%d: %s", r, e.msg);
    return u;
}

static void each_part_is_a_request_and_the_last_one_verifies(void **state)
{
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, APPENDED(4), APPENDED(8), APPENDED(13), COMPLETE DIGEST);
    struct upload *u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one ", false, &e), 0);
    assert_string_equal(token, "/-/uploads/1");
    assert_int_equal(write_part(u, 2, "two ", false, &e), 0);
    assert_int_equal(write_part(u, 3, "three", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    assert_int_equal(done_good, 3);
    expect_seen("PUT /d%20x/a%20b/c/heap;PATCH /-/uploads/1 [one ];PATCH /-/uploads/1 [two ];"
                "PATCH /-/uploads/1 [three];PATCH /-/uploads/1;");
}

static void without_its_digest_an_object_is_read_back(void **state)
{
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, APPENDED(8), APPENDED(13), COMPLETE, SIZED(13), SIZED(13) "\r\n\r\none two three");
    struct upload *u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one two ", false, &e), 0);
    assert_int_equal(write_part(u, 2, "three", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
}

static void what_a_broken_request_brought_is_not_sent_again(void **state)
{
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, "503 Busy\r\nRetry-After: 0", APPENDED(4), APPENDED(8), "409 Conflict" AT(10), APPENDED(10),
         APPENDED(13));
    struct upload *u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one two ", false, &e), 0);
    assert_int_equal(write_part(u, 2, "three", true, &e), 0);
    assert_int_equal(waits, 2);
    sink->ops->upload_free(u);
    expect_seen("PUT /d%20x/a%20b/c/heap;PATCH /-/uploads/1 [one two ];HEAD /-/uploads/1;PATCH /-/uploads/1 [two ];"
                "PATCH /-/uploads/1 [];HEAD /-/uploads/1;PATCH /-/uploads/1 [ree];");
}

static void another_process_goes_on_where_the_server_is(void **state)
{
    const struct upload_past past = {.token = "/-/uploads/1", .count = 1, .stored_end = 4};
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(APPENDED(10), APPENDED(13), COMPLETE DIGEST);
    struct upload *u = begin_resumed(&past, 0);
    assert_int_equal(write_part(u, 2, "two ", false, &e), 0); /* it is there */
    assert_int_equal(write_part(u, 3, "three", true, &e), 0); /* and some of this */
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    sink->ops->upload_free(u);
    expect_seen("HEAD /-/uploads/1;PATCH /-/uploads/1 [ree];PATCH /-/uploads/1;");
}

static void what_the_server_has_lost_begins_anew(void **state)
{
    static const char *const TOKENS[] = {
        "http://elsewhere/-/uploads/1", "//elsewhere/1", "uploads/1", "/a b", "/a#b", ""};
    struct upload_past past = {.token = "/-/uploads/1", .count = 1, .stored_end = 4};
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(NOT_FOUND);
    begin_resumed(&past, -FAULT_GONE);
    PLAY(APPENDED(3)); /* less than it has confirmed */
    begin_resumed(&past, -FAULT_GONE);
    PLAY(OK); /* no upload at all */
    begin_resumed(&past, -FAULT_GONE);
    PLAY(OK); /* nor is it deleted */
    assert_int_equal(sink->ops->abort_token(sink, "a", "/d/other", &e), -FAULT_GONE);
    expect_seen("HEAD /d/other;");
    PLAY(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(TOKENS); i++) { /* credentials go to no other server */
        past.token = TOKENS[i];
        begin_resumed(&past, -FAULT_GONE);
    }
    past.token = NULL;
    begin_resumed(&past, -FAULT_GONE);
    expect_seen("");
}

static void an_upload_elsewhere_is_refused(void **state)
{
    struct upload *u;
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY("201 Created\r\nLocation: https://elsewhere/-/uploads/1");
    u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one", false, &e), -FAULT_FORMAT);
    sink->ops->upload_free(u);
    assert_int_equal(done_bad, 1);
}

static void failures_of_resumable_uploads(void **state)
{
    static const struct {
        const char *answer;
        int wanted;
    } ROWS[] = {{"412 Precondition Failed\r\nUpload-Complete: ?1", -FAULT_EXISTS},
                {"400 Bad Request\r\nUpload-Complete: ?1", -FAULT_CORRUPT},
                {"507 Full", -FAULT_FULL},
                {NOT_FOUND, -FAULT_GONE},
                {"204 No Content" AT(13), -FAULT_FORMAT}};
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        PLAY(BEGUN, APPENDED(8), APPENDED(13), ROWS[i].answer);
        struct upload *u = begin_resumed(NULL, 0);
        assert_int_equal(write_part(u, 1, "one two ", false, &e), 0);
        assert_int_equal(write_part(u, 2, "three", true, &e), 0);
        assert_int_equal(sink->ops->commit(u, &w, &e), ROWS[i].wanted);
        sink->ops->upload_free(u);
    }
}

static void a_small_object_goes_to_its_place_at_once(void **state)
{
    static const char TEXT[] = "one two three";
    const struct small_object object = {"a b/x.json", "application/json", TEXT, sizeof(TEXT) - 1};
    struct err e = {0};

    (void)state;
    options = OFFERED;
    PLAY(CREATED DIGEST);
    assert_int_equal(sink->ops->put(sink, &object, &e), 0);
    expect_seen("PUT /d%20x/a%20b/x.json [one two three];");
    PLAY(CREATED, SIZED(13));
    assert_int_equal(sink->ops->put(sink, &object, &e), 0);
    expect_seen("PUT /d%20x/a%20b/x.json [one two three];HEAD /d%20x/a%20b/x.json;");
    PLAY(CREATED, SIZED(12));
    assert_int_equal(sink->ops->put(sink, &object, &e), -FAULT_CORRUPT);
    PLAY(NOT_FOUND);
    assert_int_equal(sink->ops->put(sink, &object, &e), -FAULT_DENIED);
    assert_non_null(strstr(e.msg, "namespaces"));
}

static void trouble_with_options_alone_keeps_nothing_from_its_place(void **state)
{
    const struct upload_past past = {.token = "/-/uploads/1", .count = 1, .stored_end = 4};
    const struct object object = {.key = "a b/c/heap", .content_type = "application/zstd", .id = ID};
    struct upload *u = NULL;
    struct err e = {0};

    (void)state;
    options = "503 Busy\r\nRetry-After: 3600"; /* longer than a request is tried again */
    PLAY(PLAIN);
    sink->ops->upload_free(begin());
    expect_seen(PLAIN_SEEN);
    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&object, &past, &RESUMED}, &u, &e),
                     -FAULT_BUSY);
    options = OFFERED; /* it is asked again */
    PLAY(APPENDED(4));
    sink->ops->upload_free(begin_resumed(&past, 0));
}

static void another_version_of_the_draft_is_not_used(void **state)
{
    (void)state;
    options = "204 No Content\r\nUpload-Limit: min-size=0\r\nUpload-Draft-Interop-Version: 7";
    PLAY(PLAIN);
    sink->ops->upload_free(begin());
    expect_seen(PLAIN_SEEN);
}

static void a_probe_begins_an_upload_and_cancels_it(void **state)
{
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, "204 No Content");
    assert_int_equal(sink->ops->probe(sink, "a b/x", &e), 0);
    expect_seen("PUT /d%20x/a%20b/x;DELETE /-/uploads/1;");
    PLAY("507 Full");
    assert_int_equal(sink->ops->probe(sink, "a b/x", &e), -FAULT_FULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_part_is_a_request_and_the_last_one_verifies),
        TEST(without_its_digest_an_object_is_read_back),
        TEST(what_a_broken_request_brought_is_not_sent_again),
        TEST(another_process_goes_on_where_the_server_is),
        TEST(what_the_server_has_lost_begins_anew),
        TEST(an_upload_elsewhere_is_refused),
        TEST(failures_of_resumable_uploads),
        TEST(a_small_object_goes_to_its_place_at_once),
        TEST(another_version_of_the_draft_is_not_used),
        TEST(trouble_with_options_alone_keeps_nothing_from_its_place),
        TEST(a_probe_begins_an_upload_and_cancels_it),
        TEST(where_only_put_is_offered_it_goes_to_its_place),
        TEST(where_all_is_offered_folders_are_made_and_readers_see_it_at_once),
        TEST(many_parts_are_one_stream),
        TEST(an_empty_object_is_one_too),
        TEST(a_stream_that_is_refused_gives_all_parts_back),
        TEST(a_stream_that_is_broken_off_ends),
        TEST(an_answer_to_put_says_what_to_change),
        TEST(a_missing_folder_that_cannot_be_made_is_told),
        TEST(passing_trouble_is_tried_again),
        TEST(a_move_whose_answer_was_lost_is_found_done),
        TEST(what_reads_back_differently_is_corrupt),
        TEST(an_object_is_asked_for_its_size),
        TEST(reading_goes_on_where_the_connection_broke),
        TEST(a_server_without_ranges_can_be_read_too),
        TEST(reading_does_not_mix_two_objects),
        TEST(what_the_taker_says_ends_reading),
        TEST(listings_are_followed_down),
        TEST(where_there_is_no_listing_that_is_told),
        TEST(credentials_are_sent_and_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
