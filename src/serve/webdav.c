/* SPDX-License-Identifier: Apache-2.0
 *
 * WebDAV as far as it reads (RFC 4918, class 1): OPTIONS, and PROPFIND of one thing or of a folder and what is in it.
 * The answer is made while it is sent.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/html.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/folder_list.h"
#include "serve/gateway.h"
#include "serve/object_answer.h"
#include "serve/object_name.h"
#include "serve/propfind.h"
#include "serve/root.h"
#include "serve/route.h"
#include "serve/upload_resume.h"

static const char XML[] = "application/xml; charset=utf-8";

/* A PROPFIND on its way, from its head to the last byte of its answer. */
struct search {
    struct request *request;
    struct buf body; /* of the request */
    struct propfind find;
    struct buf base;          /* path of the folder, encoded, with a '/' at its end */
    struct folder_list *list; /* NULL: of one thing, which is in out */
    struct buf out;
    bool ended;
};

/* One file or folder. */
struct item {
    const char *name; /* "" for the root */
    const char *href;
    const char *key;
    bool folder;
    uint64_t size;
    int64_t modified_ns;
};

static void search_free(void *ctx)
{
    struct search *s = ctx;

    if (!s)
        return;
    folder_list_free(s->list);
    propfind_done(&s->find);
    buf_done(&s->body);
    buf_done(&s->base);
    buf_done(&s->out);
    free(s);
}

/* The value as XML: 0; -ENOENT: the item has none; -ENOMEM. */
static int add_value(const struct search *s, const struct item *i, enum property property, struct buf *out)
{
    char text[CLOCK_TEXT_MAX], etag[ROOT_OBJECT_ETAG_MAX];

    switch (property) {
    case PROPERTY_TYPE:
        return i->folder ? buf_add_text(out, "<D:collection/>") : 0;
    case PROPERTY_SIZE:
        return i->folder ? -ENOENT : buf_printf(out, "%" PRIu64, i->size);
    case PROPERTY_MODIFIED:
        return buf_add_text(out, clock_format_http(i->modified_ns, text));
    case PROPERTY_CREATED:
        return buf_add_text(out, clock_format(i->modified_ns, text));
    case PROPERTY_ETAG:
        if (i->folder || s->request->serve->gateway) /* each would be a request to the store */
            return -ENOENT;
        root_object_etag(s->request->serve->root_fd, i->key, etag);
        return *etag ? propfind_escape(out, etag) : -ENOENT;
    case PROPERTY_NAME:
        return propfind_escape(out, i->name);
    case PROPERTY_CONTENT_TYPE:
        return i->folder ? -ENOENT : buf_add_text(out, object_name_type(&(struct object_name){.key = i->key}));
    }
    return -ENOENT;
}

static int add_property(const struct search *s, const struct item *i, const struct property_row *row, struct buf *found,
                        struct buf *missing)
{
    CLEANUP(buf_done) struct buf value = {0};
    int r = add_value(s, i, row->property, &value);

    if (r == -ENOENT)
        return s->find.all ? 0 : buf_printf(missing, "<D:%s/>", row->name);
    if (r < 0)
        return r;
    return value.size == 0 || s->find.names
               ? buf_printf(found, "<D:%s/>", row->name)
               : buf_printf(found, "<D:%s>%s</D:%s>", row->name, buf_text(&value), row->name);
}

static int add_properties(struct buf *out, const struct buf *properties, const char *status)
{
    return buf_printf(out, "<D:propstat><D:prop>%s</D:prop><D:status>HTTP/1.1 %s</D:status></D:propstat>\n",
                      buf_text(properties), status);
}

static int add_item(struct search *s, const struct item *i)
{
    CLEANUP(buf_done) struct buf found = {0}, missing = {0};
    int r = 0;

    for (const struct property_row *row = PROPERTY_ROWS; r == 0 && row->name; row++)
        if (s->find.wanted & row->property)
            r = add_property(s, i, row, &found, &missing);
    if (r < 0 || (r = buf_add_text(&missing, buf_text(&s->find.others))) < 0 ||
        (r = buf_printf(&s->out, "<D:response><D:href>%s</D:href>\n", i->href)) < 0)
        return r;
    if ((found.size > 0 || missing.size == 0) && (r = add_properties(&s->out, &found, "200 OK")) < 0)
        return r;
    if (missing.size > 0 && (r = add_properties(&s->out, &missing, "404 Not Found")) < 0)
        return r;
    return buf_add_text(&s->out, "</D:response>\n");
}

/* An entry of the folder. */
static int add_entry(struct search *s, const struct folder_entry *e)
{
    CLEANUP(buf_done) struct buf href = {0}, key = {0};
    const char *folder = s->request->key;
    size_t size = strlen(folder);
    int r;

    if ((r = buf_add_text(&href, buf_text(&s->base))) < 0 || (r = url_add_path(&href, e->name)) < 0 ||
        (e->folder && (r = buf_add_text(&href, "/")) < 0) ||
        (r = buf_printf(&key, "%s%s%s", folder, size > 0 && folder[size - 1] != '/' ? "/" : "", e->name)) < 0)
        return r;
    return add_item(s, &(struct item){.name = e->name,
                                      .href = buf_text(&href),
                                      .key = buf_text(&key),
                                      .folder = e->folder,
                                      .size = e->size,
                                      .modified_ns = e->modified_ns});
}

static int make(struct search *s)
{
    struct folder_entry e;
    int r = s->list ? folder_list_next(s->list, &e) : 0;

    if (r > 0)
        return add_entry(s, &e);
    if (r < 0)
        return r;
    s->ended = true;
    return buf_add_text(&s->out, "</D:multistatus>\n");
}

static ssize_t read_search(void *ctx, void *data, size_t size)
{
    struct search *s = ctx;
    int r;

    while (!s->ended && s->out.size < size)
        if ((r = make(s)) < 0)
            return r;
    if (size > s->out.size)
        size = s->out.size;
    if (size > 0)
        memcpy(data, s->out.data, size);
    buf_drop(&s->out, size);
    return (ssize_t)size;
}

/* The thing itself: the beginning of the answer. */
static int begin(struct search *s, const struct stat *st)
{
    CLEANUP_FREE char *key = strdup(s->request->key);
    size_t size = key ? strlen(key) : 0;
    bool folder = S_ISDIR(st->st_mode);
    int r;

    if (!key)
        return -ENOMEM;
    if (size > 0 && key[size - 1] == '/')
        key[size - 1] = '\0';
    if ((r = buf_add_text(&s->base, "/")) < 0 || (r = url_add_path(&s->base, key)) < 0 ||
        (*key && folder && (r = buf_add_text(&s->base, "/")) < 0) ||
        (r = buf_add_text(&s->out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n")) <
            0)
        return r;
    return add_item(s, &(struct item){.name = text_base_name(key),
                                      .href = buf_text(&s->base),
                                      .key = key,
                                      .folder = folder,
                                      .size = (uint64_t)st->st_size,
                                      .modified_ns = root_time_ns(&st->st_mtim)});
}

/* An object of a store elsewhere, else the folder of this name. As open_search. */
static int open_stored(struct search *s, bool deep, struct stat *ret)
{
    struct request *r = s->request;
    bool folder = !*r->key || text_ends(r->key, "/");
    struct object_info info;
    struct err e = {0};
    int result = folder || root_hides(r->key) ? -FAULT_NO_OBJECT : gateway_stat(r->serve->gateway, r->key, &info, &e);

    *ret = (struct stat){.st_mode = S_IFDIR};
    if (result == -FAULT_NO_OBJECT) { /* what lies in it is asked for in any case: else there is no folder */
        if (!folder_list_open(r, &s->list))
            return 1;
        if (!deep)
            folder_list_free(TAKE_PTR(s->list));
        return 0;
    }
    if (result < 0) {
        gateway_fail(r, result, &e);
        return 1;
    }
    if (!strchr(r->key, '/')) /* no namespace's folder after all */
        r->rights = caller_rights(r->serve->access, r->caller, "");
    if (!request_may(r, RIGHT_LIST))
        return 1;
    *ret = (struct stat){.st_mode = S_IFREG, .st_size = (off_t)info.size};
    ret->st_mtim.tv_sec = (time_t)(info.modified_ns / 1000000000);
    return 0;
}

/* 0, or 1 after it has answered itself. */
static int open_search(struct search *s, bool deep, struct stat *ret)
{
    struct request *r = s->request;
    CLEANUP_FD int fd = root_open(r->serve->root_fd, r->key, O_PATH);
    int result = fd < 0 ? fd : fstat(fd, ret) < 0 ? -errno : 0;
    size_t size = strlen(r->key);

    if (result == 0 && S_ISDIR(ret->st_mode))
        return !deep || folder_list_open(r, &s->list) ? 0 : 1;
    if (result == 0 && (!S_ISREG(ret->st_mode) || (size > 0 && r->key[size - 1] == '/')))
        result = -ENOENT;
    if (result < 0)
        object_answer_absent(r, result);
    return result < 0;
}

static void refuse_depth(struct request *r)
{
    static const char BODY[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                               "<D:error xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>\n";

    exchange_add_header(r->exchange, "Content-Type", XML);
    exchange_answer(r->exchange, 403, BODY, strlen(BODY));
}

static void answer(struct search *s)
{
    struct request *r = s->request;
    const char *depth = exchange_header(r->exchange, "Depth");
    struct stat st = {0};

    if ((r->serve->gateway ? open_stored : open_search)(s, text_eq(depth, "1"), &st) != 0)
        return;
    if (S_ISDIR(st.st_mode) && !text_eq(depth, "0") && !text_eq(depth, "1")) {
        refuse_depth(r);
        return;
    }
    if (begin(s, &st) < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Content-Type", XML);
    exchange_add_header(r->exchange, "Cache-Control", "private, no-cache");
    r->state_done = NULL; /* the answer's from here on */
    exchange_answer_stream(r->exchange, 207, -1,
                           &(struct exchange_stream){.read = read_search, .done = search_free, .ctx = s});
}

static void refuse_size(struct request *r)
{
    exchange_answer_text(r->exchange, 413, "a PROPFIND has at most %d bytes", PROPFIND_MAX);
}

static int on_body(struct exchange *x, const void *data, size_t size)
{
    struct request *r = exchange_state(x);
    struct search *s = r->state;
    int result = buf_add(&s->body, data, size);

    if (result == -ENOMEM)
        exchange_answer_text(x, 503, "out of memory");
    else if (result < 0)
        refuse_size(r);
    return result;
}

static void on_end(struct exchange *x)
{
    struct request *r = exchange_state(x);
    struct search *s = r->state;
    int result = propfind_parse(s->body.data, s->body.size, &s->find);

    if (result < 0)
        exchange_answer_text(x, result == -ENOMEM ? 503 : 400, "this is no PROPFIND");
    else
        answer(s);
}

static void answer_options(struct request *r)
{
    exchange_add_header(r->exchange, "DAV", "1");
    exchange_add_header(r->exchange, "MS-Author-Via", "DAV");
    exchange_add_header(r->exchange, "Allow", "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, PROPFIND");
    upload_resume_offer(r);
    gateway_direct_offer(r);
    exchange_answer(r->exchange, 200, "", 0);
}

void webdav_propfind(struct request *r)
{
    static const struct exchange_body BODY = {.data = on_body, .end = on_end};
    struct search *s;

    object_answer_namespace(r);
    /* Of the root each caller sees what they may. */
    if ((*r->key || caller_is_anonymous(r->caller)) && !(r->rights & RIGHT_WRITE) && !request_may(r, RIGHT_LIST))
        return;
    if (text_eq(exchange_method(r->exchange), "OPTIONS")) {
        answer_options(r);
        return;
    }
    if (*r->key && !request_may(r, RIGHT_LIST))
        return;
    if (exchange_body_size(r->exchange) > PROPFIND_MAX) {
        refuse_size(r);
        return;
    }
    if (!(s = calloc(1, sizeof(*s)))) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    s->request = r;
    s->body.ceiling = PROPFIND_MAX;
    r->state = s;
    r->state_done = search_free;
    exchange_receive(r->exchange, &BODY);
}
