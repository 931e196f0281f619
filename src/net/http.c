/* SPDX-License-Identifier: Apache-2.0
 *
 * One libcurl easy handle, which keeps its connection between requests. HTTP/1.1 only: one request at a time needs no
 * more, and uploads are fastest so. libcurl is initialised by the first http_new, never by those who only link it.
 * What its failures mean is told in http_fault.c.
 */
#include "net/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/cabundle.h"
#include "net/http_fault.h"
#include "net/http_pace.h"
#include "net/httphead.h"

enum {
    TIMEOUT_MS = 30 * 1000,
    CONNECT_LEAST_MS = 1000,
    EXPECT_SIZE = 1024 * 1024, /* from here on a body waits for "100 Continue": a refusal is cheaper before it */
    EXPECT_MS = 1000,          /* but not for longer */
    BUFFER_SIZE = 256 * 1024,  /* each way */
    HEAD_MAX = 256 * 1024,
    CONNECTIONS_KEPT = 2,
    SOCKETS_MAX = 8, /* the kept ones, and two addresses of a host tried at once */
};

struct http {
    CURL *curl;
    char *ca_file;      /* as given */
    struct cabundle ca; /* what libcurl was told to trust; empty before the first request that needs it */
    uint64_t timeout_ms;
    bool direct;
    CURLcode last;                      /* what the last request came to */
    bool asked;                         /* for http_way; false where it came to no connection at all */
    curl_socket_t sockets[SOCKETS_MAX]; /* libcurl's, for a look at their queues; -1: free */
};

/* One request under way: what libcurl's callbacks see. */
struct transfer {
    struct http *h;
    const struct http_request *r;
    struct http_answer *answer;
    struct curl_slist list[HTTP_HEADERS_MAX + 1]; /* our own nodes: curl_slist_append would copy secrets */
    char *lines[HTTP_HEADERS_MAX];
    unsigned line_count;
    size_t sent; /* bytes of the body given to libcurl */
    bool connected;
    bool head_ended;   /* with an empty line */
    uint64_t moved_ms; /* when a byte last moved */
    uint64_t moved;    /* up and down, as libcurl counts */
    int unsent;        /* in the kernel's queue */
    struct http_pace pace;
    uint64_t heard;    /* bytes that the kernel has received */
    uint64_t heard_ms; /* when there last were more */
    int result;        /* why a callback broke off */
    const char *why;   /* the same in words; NULL: as result says */
    bool told;         /* by the request's own read or write, which know their story */
    char detail[CURL_ERROR_SIZE];
};

void http_add_header(struct http_request *r, const char *name, const char *value)
{
    assert(r->header_count < HTTP_HEADERS_MAX);
    r->headers[r->header_count++] = (struct http_header){.name = name, .value = value};
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

static void touch(struct transfer *t)
{
    t->moved_ms = clock_mono_ms();
}

/* The callbacks. One that breaks off says why in result. */

/* Ends a transfer that would not end by itself. */
static bool too_long(struct transfer *t, const char *why)
{
    if (!why)
        return false;
    t->why = why;
    t->result = -FAULT_FORMAT;
    return true;
}

static bool is_interim(const struct transfer *t)
{
    const char *status = strchr(buf_text(&t->answer->headers), ' ');
    return status && status[1] == '1';
}

static size_t on_header(char *line, size_t one, size_t size, void *ctx)
{
    struct transfer *t = ctx;
    (void)one;
    touch(t);
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        buf_clear(&t->answer->headers); /* 100 Continue was not the answer yet */
        t->head_ended = false;
        if (too_long(t, http_pace_status_line(&t->pace, t->moved_ms)))
            return 0;
    }
    if (t->head_ended) /* trailers, behind a chunked body: anybody's */
        return too_long(t, http_pace_trailer(&t->pace, size)) ? 0 : size;
    t->head_ended = *line == '\r' || *line == '\n';
    int r = buf_add(&t->answer->headers, line, size);
    if (r < 0) {
        t->result = r == -EMSGSIZE ? -FAULT_FORMAT : r;
        return 0;
    }
    if (t->head_ended)
        http_pace_head_end(&t->pace, is_interim(t), t->moved_ms);
    return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *ctx)
{
    struct transfer *t = ctx;
    struct http_answer *a = t->answer;
    (void)one;
    curl_easy_getinfo(t->h->curl, CURLINFO_RESPONSE_CODE, &a->status);
    uint64_t begun_ms = clock_mono_ms();
    int r;
    t->pace.kept = !t->r->write || a->status < 200 || a->status >= 300;
    if (!t->pace.kept)
        t->told = (r = t->r->write(t->r->ctx, data, size)) < 0;
    else if ((r = buf_add(&a->body, data, size)) == -EMSGSIZE)
        r = -FAULT_FORMAT;
    touch(t); /* the time that a full disk of ours took is not the store's */
    http_pace_body(&t->pace, size, t->moved_ms - begun_ms);
    if (r < 0) {
        t->result = r;
        return 0;
    }
    return size;
}

static size_t on_read(char *data, size_t one, size_t size, void *ctx)
{
    struct transfer *t = ctx;
    size *= one;
    if (t->r->read) {
        ssize_t n = t->r->read(t->r->ctx, data, size);
        touch(t);
        if (n < 0) {
            t->result = (int)n;
            t->told = true;
            return CURL_READFUNC_ABORT;
        }
        t->sent += (size_t)n;
        return (size_t)n;
    }
    size_t left = t->r->body_size - t->sent;
    if (size > left)
        size = left;
    if (size > 0)
        memcpy(data, (const char *)t->r->body + t->sent, size);
    t->sent += size;
    return size;
}

/* libcurl goes back to the start when a kept connection turns out to be dead, or after 417. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct transfer *t = ctx;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_FAIL;
    if (t->r->read)
        return offset == 0 && t->sent == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
    if ((uint64_t)offset > t->r->body_size)
        return CURL_SEEKFUNC_FAIL;
    t->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int on_connected(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *t = ctx;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    touch(t);
    t->connected = true;
    return CURL_PREREQFUNC_OK;
}

/* libcurl's own socket() forgets SOCK_CLOEXEC. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http *h = ctx;
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    (void)purpose;
    for (size_t i = 0; i < SOCKETS_MAX && fd >= 0; i++)
        if (h->sockets[i] < 0) {
            h->sockets[i] = fd;
            break;
        }
    return fd;
}

static int on_socket_end(void *ctx, curl_socket_t fd)
{
    struct http *h = ctx;
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (h->sockets[i] == fd)
            h->sockets[i] = -1;
    return close(fd);
}

/* What libcurl has written may lie in the kernel's queue for long on a slow line: bytes move while that shrinks. */
static bool kernel_moved(struct transfer *t)
{
    int unsent = 0;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        int queued = 0;
        if (t->h->sockets[i] >= 0 && ioctl(t->h->sockets[i], SIOCOUTQ, &queued) == 0)
            unsent += queued;
    }
    bool moved = unsent != t->unsent;
    t->unsent = unsent;
    return moved;
}

/* Else it is silence that ends it, not the pace. */
static bool is_moving(const struct transfer *t)
{
    return clock_mono_ms() - t->moved_ms < t->h->timeout_ms / 2;
}

/* Whether bytes come all the time, and libcurl has nothing to show for it: a line that does not end. */
static bool is_heard(const struct transfer *t)
{
    return t->heard_ms > 0 && clock_mono_ms() - t->heard_ms < t->h->timeout_ms / 4;
}

static void listen_closely(struct transfer *t)
{
    uint64_t heard = 0;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof(info);
        if (t->h->sockets[i] >= 0 && getsockopt(t->h->sockets[i], IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            heard += info.tcpi_bytes_received;
    }
    if (heard > t->heard && t->heard > 0)
        t->heard_ms = clock_mono_ms();
    t->heard = heard;
}

/* Called at least once a second. While connecting, libcurl's own limit holds. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct transfer *t = ctx;
    (void)down_all, (void)up_all;
    uint64_t moved = (uint64_t)down + (uint64_t)up;
    if (!t->connected)
        return 0;
    listen_closely(t);
    if (is_moving(t) && too_long(t, http_pace_check(&t->pace, clock_mono_ms())))
        return 1;
    if (moved != t->moved || kernel_moved(t)) {
        t->moved = moved;
        touch(t);
        return 0;
    }
    if (clock_mono_ms() - t->moved_ms < t->h->timeout_ms)
        return 0;
    if (!is_heard(t) || !too_long(t, "it sends a line that does not come to an end"))
        t->result = -FAULT_STALLED;
    return 1;
}

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* What holds for all requests of a handle. */
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
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, h);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_socket_end);
    SET(CURLOPT_CLOSESOCKETDATA, h);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_NOPROGRESS, 0L);
    return r;
}

int http_new(const struct http_options *o, struct http **ret, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http *h = calloc(1, sizeof(*h));
    if (!h)
        return err_set(e, -ENOMEM, "out of memory");
    h->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
    h->direct = o->direct;
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        h->sockets[i] = -1;
    h->ca_file = o->ca_file ? strdup(o->ca_file) : NULL;
    h->curl = curl_easy_init();
    CURLcode r = h->curl && !h->ca_file == !o->ca_file ? set_up(h) : CURLE_OUT_OF_MEMORY;
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
    curl_easy_cleanup(h->curl);
    free(h->ca_file);
    free(h);
}

/* Tells libcurl whom to trust, once: nobody but them. A request without TLS goes without. */
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

static void drop_lines(struct transfer *t)
{
    for (unsigned i = 0; i < t->line_count; i++) {
        explicit_bzero(t->lines[i], strlen(t->lines[i]));
        free(t->lines[i]);
    }
}

/* "Name: value". A control character in a value would let a name from a stranger write headers of its own. */
static int add_line(struct transfer *t, const struct http_header *header, struct err *e)
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
    t->lines[t->line_count] = line;
    t->line_count++;
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

static struct curl_slist *link_lines(struct transfer *t)
{
    static char no_expect[] = "Expect:";
    unsigned count = 0;
    for (; count < t->line_count; count++)
        t->list[count].data = t->lines[count];
    if (too_small_to_wait(t->r))
        t->list[count++].data = no_expect;
    for (unsigned i = 0; i + 1 < count; i++)
        t->list[i].next = &t->list[i + 1];
    return count > 0 ? t->list : NULL;
}

static CURLcode set_request(CURL *c, struct transfer *t)
{
    CURLcode r = set_method(c, t->r);
    SET(CURLOPT_TIMEOUT_MS, t->r->limit_ms > LONG_MAX ? LONG_MAX : (long)t->r->limit_ms);
    SET(CURLOPT_URL, t->r->url);
    SET(CURLOPT_HTTPHEADER, link_lines(t));
    SET(CURLOPT_ERRORBUFFER, t->detail);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKDATA, t);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_XFERINFODATA, t);
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

static int perform(struct transfer *t, struct err *e)
{
    CURL *c = t->h->curl;
    CURLcode code = set_request(c, t);
    if (code == CURLE_OK)
        code = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &t->answer->status);
    unset_request(c);
    if (code == CURLE_OK && !t->head_ended)
        code = CURLE_PARTIAL_FILE; /* libcurl lets a head pass that the connection's end cut short */
    t->h->last = code;
    t->h->asked = true;
    if (code == CURLE_OK && t->answer->status == 407 && !t->h->direct)
        return http_fault_unwelcome(t->r->url, e);
    if (code == CURLE_OK) {
        t->answer->retry_after_ms =
            httphead_retry_after_ms(buf_text(&t->answer->headers), t->answer->headers.size, clock_wall_ns());
        return 0;
    }
    t->answer->status = 0;
    if (t->told)
        return t->result;
    hide_password(t->detail);
    int missing = code == CURLE_OUT_OF_MEMORY || code == CURLE_COULDNT_CONNECT ? lacks_descriptors() : 0;
    if (missing < 0)
        return err_set(e, missing,
                       "no descriptor is left for a connection: %s: raise the limit (ulimit -n, LimitNOFILE)",
                       strerror(-missing));
    return http_fault_tell(c,
                           &(struct http_failure){.code = code,
                                                  .result = t->result,
                                                  .why = t->why,
                                                  .url = t->r->url,
                                                  .ca_file = t->h->ca_file,
                                                  .trusted = t->h->ca.file ? t->h->ca.file : t->h->ca.folder,
                                                  .detail = t->detail,
                                                  .timeout_ms = t->h->timeout_ms,
                                                  .direct = t->h->direct,
                                                  .limit_ms = t->connected ? t->r->limit_ms : 0},
                           e);
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

bool http_may_pass(int result, long status)
{
    return result == -FAULT_UNREACHABLE || (result == 0 && (status == 429 || status >= 500));
}

int http_perform(struct http *h, const struct http_request *r, struct http_answer *answer, struct err *e)
{
    struct transfer t = {.h = h,
                         .r = r,
                         .answer = answer,
                         .pace = {.timeout_ms = h->timeout_ms, .kept = !r->write, .patient = r->patient}};
    buf_clear(&answer->headers);
    buf_clear(&answer->body);
    answer->headers.ceiling = HEAD_MAX;
    answer->status = 0;
    answer->retry_after_ms = 0;
    int result = trust(h, r->url, e);
    for (unsigned i = 0; i < r->header_count && result == 0; i++)
        if (r->headers[i].value || r->headers[i].secret)
            result = add_line(&t, &r->headers[i], e);
    if (result == 0) {
        touch(&t);
        result = perform(&t, e);
    }
    drop_lines(&t);
    return result;
}
