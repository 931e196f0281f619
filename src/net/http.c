/* SPDX-License-Identifier: Apache-2.0
 *
 * One libcurl easy handle, which keeps its connection between requests. HTTP/1.1 only: one request at a time needs no
 * more, and uploads are fastest so. libcurl is initialised by the first http_new, never by those who only link it. The
 * transfer itself is http_transfer.c's, what its failures mean http_fault.c's.
 */
#include "net/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/bandwidth.h"
#include "net/cabundle.h"
#include "net/http_fault.h"
#include "net/http_handle.h"
#include "net/httphead.h"

enum {
    TIMEOUT_MS = 30 * 1000,
    CONNECT_LEAST_MS = 1000,
    EXPECT_SIZE = 1024 * 1024, /* from here on a body waits for "100 Continue": a refusal is cheaper before it */
    EXPECT_MS = 1000,          /* but not for longer */
    BUFFER_SIZE = 256 * 1024,  /* each way */
    HEAD_MAX = 256 * 1024,
    CONNECTIONS_KEPT = 2,
};

void http_add_header(struct http_request *r, const char *name, const char *value)
{
    assert(r->header_count < HTTP_HEADERS_MAX);
    r->headers[r->header_count++] = (struct http_header){.name = name, .value = value};
}

void http_add_secret(struct http_request *r, const char *name, const struct secret *secret)
{
    assert(r->header_count < HTTP_HEADERS_MAX);
    r->headers[r->header_count++] = (struct http_header){.name = name, .secret = secret};
}

void http_answer_done(struct http_answer *a)
{
    buf_done(&a->headers);
    buf_done(&a->body);
}

const char *http_header(const struct http_answer *a, const char *name, char *out, size_t size)
{
    return httphead_get(buf_text(&a->headers), a->headers.size, name, out, size);
}

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* The options for all requests of a handle. */
static CURLcode set_up(struct http *h)
{
    CURL *c = h->curl;
    uint64_t connect_ms = h->timeout_ms / 3 < CONNECT_LEAST_MS ? CONNECT_LEAST_MS : h->timeout_ms / 3;
    CURLcode r = CURLE_OK;
#define SET(option, value) (r = r ? r : curl_easy_setopt(c, option, value))
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* don't wait for a resolver that hangs */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L); /* "..", "." in a key: signed as they are */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_USERAGENT, "salvage/" SALVAGE_VERSION);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms > LONG_MAX ? LONG_MAX : (long)connect_ms);
    SET(CURLOPT_EXPECT_100_TIMEOUT_MS, (long)EXPECT_MS);
    SET(CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (h->direct) {
        SET(CURLOPT_PROXY, ""); /* whatever the environment says */
        SET(CURLOPT_NOPROXY, "*");
    }
    SET(CURLOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return r ? r : http_transfer_set_callbacks(c);
}

int http_new(const struct http_options *o, struct http **ret, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http *h = calloc(1, sizeof(*h));
    if (!h)
        return err_set(e, -ENOMEM, "out of memory");
    h->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
    h->clock_ms = o->clock_ms ? o->clock_ms : clock_mono_ms;
    h->transport = o->transport;
    h->transport_ctx = o->transport_ctx;
    h->direct = o->direct;
    h->bandwidth = o->bandwidth;
    h->ca_file = o->ca_file ? strdup(o->ca_file) : NULL;
    h->curl = curl_easy_init();
    CURLcode r = h->curl && !h->ca_file == !o->ca_file ? set_up(h) : CURLE_OUT_OF_MEMORY;
    r = r ? r : http_sockets_init(&h->sockets, h->curl);
    if (r != CURLE_OK) {
        http_free(h);
        return r == CURLE_OUT_OF_MEMORY ? err_set(e, -ENOMEM, "out of memory")
                                        : err_set(e, -EINVAL, "libcurl: %s", curl_easy_strerror(r));
    }
    *ret = h;
    return 0;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    bandwidth_sender_done(h->bandwidth, &h->sender);
    curl_easy_cleanup(h->curl);
    free(h->ca_file);
    free(h);
}

/* Gives libcurl the CAs to trust, once: no others. A request without TLS needs none. */
static int trust(struct http *h, const char *url, struct err *e)
{
    CURL *c = h->curl;
    struct cabundle ca = {0};
    if (h->ca.file || h->ca.folder)
        return 0;
    int found = cabundle_find(h->ca_file, "", &ca, e);
    if (found < 0 && text_starts(url, "https:"))
        return found;
    CURLcode r = CURLE_OK;
    SET(CURLOPT_CAINFO, ca.file);
    SET(CURLOPT_CAPATH, ca.folder);
    SET(CURLOPT_PROXY_CAINFO, ca.file); /* a proxy of https:// */
    SET(CURLOPT_PROXY_CAPATH, ca.folder);
    if (r != CURLE_OK)
        return err_set(e, -ENOMEM, "out of memory");
    h->ca = ca;
    return 0;
}

static void header_lines_done(struct http_header_lines *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        explicit_bzero(l->line[i], strlen(l->line[i]));
        free(l->line[i]);
    }
}

/* "Name: value". A control character in a value could begin another header: values may be foreign text. */
static int add_line(struct http_header_lines *l, const struct http_header *header, struct err *e)
{
    const char *value = header->secret ? secret_expose(header->secret) : header->value;
    for (const char *p = value; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            return err_set(e, -FAULT_FORMAT, "header %s: its value has a control character in it", header->name);
    size_t size = strlen(header->name) + strlen(value) + sizeof(": ");
    char *line = malloc(size);
    if (!line)
        return err_set(e, -ENOMEM, "out of memory");
    if (*value)
        snprintf(line, size, "%s: %s", header->name, value);
    else
        snprintf(line, size, "%s;", header->name); /* libcurl's way to send an empty one */
    l->line[l->count++] = line;
    return 0;
}

static CURLcode set_method(CURL *c, const struct http_request *r)
{
    bool put = text_eq(r->method, "PUT") || text_eq(r->method, "POST");
    bool body = r->read || r->body || put;
    curl_off_t size = r->read ? -1 : r->body ? (curl_off_t)r->body_size : 0;
    /* This one first: it takes libcurl back to plain GET, from whatever the last request was. */
    CURLcode e = curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    if (text_eq(r->method, "HEAD"))
        e = e ? e : curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else if (body)
        e = e ? e : curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    e = e ? e : curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, size);
    return e ? e : curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
}

/* libcurl would have any body wait for "100 Continue". */
static bool too_small_to_wait(const struct http_request *r)
{
    return !r->read && r->body_size < EXPECT_SIZE;
}

static struct curl_slist *link_lines(struct http_header_lines *l, const struct http_request *r)
{
    static char no_expect[] = "Expect:";
    unsigned count = 0;
    for (; count < l->count; count++)
        l->list[count].data = l->line[count];
    if (too_small_to_wait(r))
        l->list[count++].data = no_expect;
    for (unsigned i = 0; i + 1 < count; i++)
        l->list[i].next = &l->list[i + 1];
    return count > 0 ? l->list : NULL;
}

static CURLcode set_request(CURL *c, const struct http_request *request, struct http_header_lines *lines, char *detail)
{
    CURLcode r = set_method(c, request);
    SET(CURLOPT_TIMEOUT_MS, request->limit_ms > LONG_MAX ? LONG_MAX : (long)request->limit_ms);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_HTTPHEADER, link_lines(lines, request));
    SET(CURLOPT_ERRORBUFFER, detail);
    return r;
}

/* libcurl keeps pointers into the transfer, which ends with its function. */
static void unset_request(CURL *c)
{
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
}

/* libcurl says "out of memory" or "couldn't connect" also where it only lacks descriptors. What a connection takes is
 * tried: 0, or -EMFILE, -ENFILE. */
static int lacks_descriptors(void)
{
    enum { CONNECTION_NEEDS = 4 }; /* a wake-up pair, a socket, and what a resolver has open */
    int fd[CONNECTION_NEEDS], count = 0, r = 0;

    while (count < CONNECTION_NEEDS && r == 0) {
        fd[count] = open("/", O_PATH | O_CLOEXEC);
        if (fd[count] >= 0)
            count++;
        else
            r = errno == EMFILE || errno == ENFILE ? -errno : -ENOENT;
    }
    while (count > 0)
        close(fd[--count]);
    return r == -ENOENT ? 0 : r;
}

/* libcurl repeats the address of a proxy that it can't read, with the password in it. */
static void hide_password(char *text)
{
    char *at, *begin;

    while ((at = strchr(text, '@'))) {
        for (begin = at;
             begin > text && !strchr(" '\"", begin[-1]) && (begin - text < 3 || memcmp(begin - 3, "://", 3) != 0);)
            begin--;
        memmove(begin, at + 1, strlen(at + 1) + 1);
        text = begin;
    }
}

static int explain(struct http *h, const struct http_transfer *t, char *detail, struct err *e)
{
    hide_password(detail);
    int missing = h->last == CURLE_OUT_OF_MEMORY || h->last == CURLE_COULDNT_CONNECT ? lacks_descriptors() : 0;
    if (missing < 0)
        return err_set(e, missing,
                       "no descriptor is left for a connection: %s: raise the limit (ulimit -n, LimitNOFILE)",
                       strerror(-missing));
    return http_fault_explain(h->curl,
                              &(struct http_failure){.code = h->last,
                                                     .result = t->result,
                                                     .why = t->why,
                                                     .url = t->request->url,
                                                     .ca_file = h->ca_file,
                                                     .trusted = h->ca.file ? h->ca.file : h->ca.folder,
                                                     .detail = detail,
                                                     .timeout_ms = h->timeout_ms,
                                                     .direct = h->direct,
                                                     .limit_ms = t->connected ? t->request->limit_ms : 0},
                              e);
}

int http_call_end(struct http *h, struct http_call *c, CURLcode code, struct err *e)
{
    const struct http_transfer *t = &c->transfer;
    struct http_answer *answer = t->answer;

    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    unset_request(h->curl);
    header_lines_done(&c->lines);
    if (code == CURLE_OK && !t->head_ended)
        code = CURLE_PARTIAL_FILE; /* libcurl lets a head pass that the connection's end cut short */
    h->last = code;
    h->asked = true;
    if (code == CURLE_OK && answer->status == 407 && !h->direct)
        return http_fault_unwelcome(t->request->url, e);
    if (code == CURLE_OK) {
        answer->retry_after_ms =
            httphead_retry_after_ms(buf_text(&answer->headers), answer->headers.size, clock_wall_ns());
        return 0;
    }
    answer->status = 0;
    return t->callers_result ? t->result : explain(h, t, c->detail, e);
}

static bool has_passed(CURL *c, CURLINFO what)
{
    curl_off_t us = 0;

    return curl_easy_getinfo(c, what, &us) == CURLE_OK && us > 0;
}

void http_way(const struct http *h, struct http_way *ret)
{
    char *address = NULL, *scheme = NULL;

    *ret = (struct http_way){.ended_at = HTTP_NOT_ASKED};
    if (!h->asked)
        return;
    if (curl_easy_getinfo(h->curl, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address)
        snprintf(ret->address, sizeof(ret->address), "%s", address);
    curl_easy_getinfo(h->curl, CURLINFO_PRIMARY_PORT, &ret->port);
    curl_easy_getinfo(h->curl, CURLINFO_SCHEME, &scheme);
    if (h->last == CURLE_OK)
        ret->ended_at = HTTP_DONE;
    else if (h->last == CURLE_COULDNT_RESOLVE_HOST || h->last == CURLE_COULDNT_RESOLVE_PROXY ||
             !has_passed(h->curl, CURLINFO_NAMELOOKUP_TIME_T))
        ret->ended_at = HTTP_NAME;
    else if (!*ret->address) /* CURLINFO_CONNECT_TIME is set only when TLS is through, too */
        ret->ended_at = HTTP_CONNECT;
    else if (scheme && strcasecmp(scheme, "https") == 0 && !has_passed(h->curl, CURLINFO_APPCONNECT_TIME_T))
        ret->ended_at = HTTP_TLS;
    else
        ret->ended_at = HTTP_ANSWER;
}

static void reset(struct http_answer *answer)
{
    buf_clear(&answer->headers);
    buf_clear(&answer->body);
    answer->headers.ceiling = HEAD_MAX;
    answer->status = 0;
    answer->retry_after_ms = 0;
}

int http_call_begin(struct http *h, struct http_call *c, CURLcode *ret_code, struct err *e)
{
    const struct http_request *r = c->transfer.request;
    int result = trust(h, r->url, e);
    CURLcode code;

    assert(r->method && r->url && r->header_count <= HTTP_HEADERS_MAX && !(r->body && r->read));
    reset(c->transfer.answer);
    for (unsigned i = 0; i < r->header_count && result == 0; i++)
        if (r->headers[i].value || r->headers[i].secret)
            result = add_line(&c->lines, &r->headers[i], e);
    if (result < 0) {
        header_lines_done(&c->lines);
        return result;
    }
    c->transfer.curl = h->curl;
    c->transfer.sockets = &h->sockets;
    c->transfer.timeout_ms = h->timeout_ms;
    c->transfer.clock_ms = h->clock_ms;
    c->transfer.bandwidth = h->bandwidth;
    c->transfer.sender = &h->sender;
    code = set_request(h->curl, r, &c->lines, c->detail);
    *ret_code = code ? code : http_transfer_begin(&c->transfer);
    return 0;
}

int http_perform(struct http *h, const struct http_request *r, struct http_answer *answer, struct err *e)
{
    struct http_call c = {.transfer = {.request = r, .answer = answer}};
    CURLcode code;
    int result;

    if (h->transport) {
        reset(answer);
        return h->transport(h->transport_ctx, r, answer, e);
    }
    if ((result = http_call_begin(h, &c, &code, e)) < 0)
        return result;
    code = code ? code : curl_easy_perform(h->curl);
    return http_call_end(h, &c, code, e);
}
