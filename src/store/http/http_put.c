/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes before and behind a PUT: folders (MKCOL, RFC 4918, 9.3), a temporary name and MOVE (9.9). Where the
 * server offers neither, PUT alone must do; nginx and Apache put an object in its place only when it is whole.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/http/http_store.h"

enum { ID_DIGITS = 16 };
static const char INFIX[] = ".part-";

/* A request without a body. */
struct question {
    const char *method, *key;
    const char *destination; /* NULL: none */
    const struct upload_events *events;
};

static int ask(struct http_store *s, const struct question *q, long *ret_status, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, q->key);
    struct http_request request;
    int r = http_store_request(s, q->method, url, &request, e);

    if (r < 0)
        return r;
    if (q->destination)
        http_add_header(&request, "Destination", q->destination);
    r = http_store_send(s->http, &request, q->events, &answer, e);
    if (r < 0)
        return r;
    *ret_status = answer.status;
    /* wrong credentials fail every request: report them before the evidence is sent */
    return answer.status == 401 ? http_store_fail(s, &request, &answer, e) : 0;
}

static char *destination_of(const struct http_store *s, const char *key, enum destination form)
{
    CLEANUP_FREE char *encoded = url_encode(key, strlen(key), 1);
    const char *from = form == DESTINATION_PATH ? s->path : s->base, *scheme = "";
    char *destination;

    if (form == DESTINATION_PLAIN_URL && text_starts(from, "https://")) {
        from += strlen("https://");
        scheme = "http://";
    }
    return encoded && asprintf(&destination, "%s%s/%s", scheme, from, encoded) >= 0 ? destination : NULL;
}

/* A MOVE of what does not exist changes nothing; only a server that does MOVE finds that out. */
static int probe_move(struct http_store *s, const struct upload_events *events, struct err *e)
{
    CLEANUP_FREE char *destination = destination_of(s, "salvage-probe-2", s->destination);
    long status;
    int r;

    if (s->move != MOVE_UNKNOWN)
        return 0;
    if (!destination)
        return err_set(e, -ENOMEM, "out of memory");
    r = ask(s, &(struct question){"MOVE", "salvage-probe-1", destination, events}, &status, e);
    if (r < 0)
        return r;
    s->move = status == 404 || status == 409 ? MOVE_OFFERED : MOVE_REFUSED;
    return 0;
}

/* Makes each level of the prefix; a level that exists or may not be made is no failure. */
static int make_prefix(struct http_store *s, struct err *e)
{
    size_t above = (size_t)(s->path - s->base);

    for (const char *p = s->path; *p; p = p + 1 + strcspn(p + 1, "/")) {
        CLEANUP(http_answer_done) struct http_answer answer = {0};
        CLEANUP_FREE char *url = NULL;
        struct http_request request;
        int r;

        if (asprintf(&url, "%.*s/", (int)(above + (size_t)(p - s->path) + 1 + strcspn(p + 1, "/")), s->base) < 0)
            url = NULL;
        if ((r = http_store_request(s, "MKCOL", url, &request, e)) < 0 ||
            (r = http_perform(s->http, &request, &answer, e)) < 0)
            return r;
    }
    return 0;
}

/* folder ends with '/', or is "" at the prefix. 409 means that the one above is missing (RFC 4918, 9.3.1). */
static int make_folder(struct http_store *s, const char *folder, const struct upload_events *events, long *ret_status,
                       struct err *e)
{
    const struct question make = {.method = "MKCOL", .key = folder, .events = events};
    CLEANUP_FREE char *above = strdup(folder);
    size_t size = strlen(folder);
    int r = ask(s, &make, ret_status, e);

    if (!above)
        return err_set(e, -ENOMEM, "out of memory");
    if (r < 0 || *ret_status != 409)
        return r;
    if (size == 0)
        return make_prefix(s, e);
    while (size > 1 && above[size - 2] != '/')
        size--;
    above[size - 1] = '\0';
    r = make_folder(s, above, events, ret_status, e);
    if (r < 0)
        return r;
    return ask(s, &make, ret_status, e);
}

static int prepare_folder(struct http_store *s, const char *key, const struct upload_events *events, struct err *e)
{
    const char *slash = strrchr(key, '/');
    CLEANUP_FREE char *folder = slash ? strndup(key, (size_t)(slash + 1 - key)) : strdup("");
    long status = 0;
    int r;

    if (!folder)
        return err_set(e, -ENOMEM, "out of memory");
    s->folder_sure = !text_eq(folder, s->folder);
    if (!s->folder_sure)
        return 0;
    r = make_folder(s, folder, events, &status, e);
    if (r < 0)
        return r;
    if (status < 200 || status > 299) {
        /* 405 means either that it exists or that the server does no MKCOL */
        r = ask(s, &(struct question){.method = "HEAD", .key = folder, .events = events}, &status, e);
        if (r < 0)
            return r;
    }
    s->folder_missing = status == 404;
    free(s->folder);
    s->folder = TAKE_PTR(folder);
    return 0;
}

int http_put_prepare(struct http_store *s, const struct object *o, const struct upload_events *events, char **ret_key,
                     struct err *e)
{
    char *name;
    int r;

    assert(o->key && o->id);
    r = prepare_folder(s, o->key, events, e);
    if (r == 0)
        r = probe_move(s, events, e);
    if (r < 0)
        return r;
    if (asprintf(&name, "%s%s%s", o->key, s->move == MOVE_OFFERED ? INFIX : "", s->move == MOVE_OFFERED ? o->id : "") <
        0)
        return err_set(e, -ENOMEM, "out of memory");
    *ret_key = name;
    return 0;
}

/* One try. */
static int ask_once(struct http_store *s, const char *method, const char *key, struct http_answer *answer,
                    struct err *e)
{
    CLEANUP_FREE char *url = http_store_url(s, key);
    struct http_request request;
    int r = http_store_request(s, method, url, &request, e);

    if (r < 0)
        return r;
    r = http_perform(s->http, &request, answer, e);
    if (r == 0 && (answer->status == 401 || (answer->status >= 500 && answer->status != 501)))
        r = http_store_fail(s, &request, answer, e);
    return r;
}

/* A folder can't be replaced by a file, so a PUT to one that is there changes nothing: 409, 404 or 405 say so. What is
 * before the store's handler (rights, a server without WebDAV) shows all the same. A 405 can mean either: then MOVE,
 * asked of what does not exist, says whether this is WebDAV at all. */
int http_put_probe(struct http_store *s, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, "");
    struct http_request request;
    int r = ask_once(s, "HEAD", "", &answer, e);

    if (r < 0 || (answer.status != 403 && !http_store_ok(&answer)))
        return r; /* it may be made by the first PUT */
    if ((r = ask_once(s, "PUT", "", &answer, e)) < 0)
        return r;
    if (answer.status != 403 && answer.status != 405 && answer.status != 501)
        return 0;
    if (answer.status == 405 && ((r = probe_move(s, NULL, e)) < 0 || s->move == MOVE_OFFERED))
        return r;
    if ((r = http_store_request(s, "PUT", url, &request, e)) < 0)
        return r;
    return http_put_fail(s, &request, &answer, e);
}

bool http_put_is_temporary(const char *name)
{
    size_t size = strlen(name), tail = strlen(INFIX) + ID_DIGITS;

    return size > tail && text_starts(name + size - tail, INFIX) &&
           strspn(name + size - ID_DIGITS, "0123456789abcdef") == ID_DIGITS;
}

int http_put_fail(struct http_store *s, const struct http_request *r, const struct http_answer *a, struct err *e)
{
    if (a->status == 404 || a->status == 409 || a->status == 500)
        free(TAKE_PTR(s->folder));
    /* nginx answers 500 if a folder is missing */
    if (s->folder_missing && (a->status == 404 || a->status == 409 || a->status == 500))
        return err_set(e, -FAULT_REFUSED,
                       "http: %ld for PUT %s: its folder does not exist and could not be made: set "
                       "create_full_put_path on, add MKCOL to dav_methods, or make the folder yourself",
                       a->status, r->url);
    switch (a->status) {
    case 405:
    case 501:
        return err_set(e, -FAULT_REFUSED,
                       "http: %ld for PUT %s: the server does not take PUT here: set dav_methods PUT", a->status,
                       r->url);
    case 404:
    case 409:
        return err_set(
            e, -FAULT_REFUSED,
            "http: %ld for PUT %s: the server cannot put it there: is there a folder of that name, or is one "
            "missing (set create_full_put_path on)?",
            a->status, r->url);
    case 411:
        return err_set(e, -FAULT_REFUSED,
                       "http: 411 for PUT %s: the server takes no uploads of unknown length (chunked transfer coding)",
                       r->url);
    case 413:
        return err_set(e, -FAULT_REFUSED,
                       "http: 413 for PUT %s: the server takes no file that large: raise client_max_body_size", r->url);
    default:
        return http_store_fail(s, r, a, e);
    }
}

static int put_data(struct http_store *s, const struct small_object *o, const struct upload_events *events,
                    long *ret_status, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, o->key);
    struct http_request request;
    int r = http_store_request(s, "PUT", url, &request, e);

    if (r < 0)
        return r;
    http_add_header(&request, "Content-Type", o->content_type);
    request.body = o->data;
    request.body_size = o->size;
    /* A 500 would come again at once: don't retry. */
    r = s->folder_missing ? http_perform(s->http, &request, &answer, e)
                          : http_store_send(s->http, &request, events, &answer, e);
    *ret_status = r < 0 ? 0 : answer.status;
    if (r == 0 && !http_store_ok(&answer))
        r = http_put_fail(s, &request, &answer, e);
    if (r == 0)
        s->folder_missing = false;
    http_store_digest(&answer, &s->stored);
    return r;
}

int http_put_data(struct http_store *s, const struct small_object *o, const struct upload_events *events, struct err *e)
{
    long status = 0;
    int r = put_data(s, o, events, &status, e);

    /* The folder may have been removed since it was last checked. */
    if (r == 0 || s->folder_sure || (status != 404 && status != 409))
        return r;
    r = prepare_folder(s, o->key, events, e);
    return r < 0 ? r : put_data(s, o, events, &status, e);
}

/* Tries one form of Destination. Apache refuses a path with 400, and a URL whose name or scheme is not its own with
 * 502, which does not pass by itself. */
static int move_once(struct http_store *s, const struct http_move *m, const struct upload_events *events,
                     long *ret_status, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *destination = destination_of(s, m->to, s->destination), *url = http_store_url(s, m->from);
    struct http_request request;
    int r = http_store_request(s, "MOVE", url, &request, e);

    if (r == 0 && !destination)
        r = err_set(e, -ENOMEM, "out of memory");
    if (r < 0)
        return r;
    http_add_header(&request, "Destination", destination);
    r = s->destination == DESTINATION_PATH ? http_store_send(s->http, &request, events, &answer, e)
                                           : http_perform(s->http, &request, &answer, e);
    *ret_status = r < 0 ? 0 : answer.status;
    return r;
}

int http_put_finish(struct http_store *s, const struct http_move *m, const struct upload_events *events, struct err *e)
{
    char etag[ETAG_MAX];
    uint64_t there;
    long status = 400;

    if (text_eq(m->from, m->to))
        return 0;
    for (; s->destination < DESTINATION_NONE; s->destination++) {
        int r = move_once(s, m, events, &status, e);

        if (r < 0 || (status >= 200 && status <= 299))
            return r;
        if (status != 400 && (status != 502 || s->destination == DESTINATION_PATH))
            break;
    }
    /* An earlier try may have done it, and only its answer was lost. */
    if (status == 404 && http_store_head(s, m->to, &there, etag, e) == 0 && there == m->size)
        return 0;
    if (s->destination == DESTINATION_NONE)
        s->move = MOVE_REFUSED;
    return err_set(e, -FAULT_REFUSED, "http: %ld for MOVE of %s/%s to %s: see the server's error log%s", status,
                   s->base, m->from, m->to,
                   s->destination == DESTINATION_NONE
                       ? ". It takes neither a path nor our URL as Destination: behind a "
                         "proxy, have the proxy rewrite that header to the server's URL"
                       : "");
}
