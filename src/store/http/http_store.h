/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the HTTP store share: its requests, how they are sent, and what an answer means. A stock nginx
 * with `dav_methods PUT` is the measure; MOVE, MKCOL and DELETE are used where they are offered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "net/digest_field.h"
#include "net/http.h"
#include "store/http/http_auth.h"
#include "store/sink.h"

/* Whether the server takes uploads in several requests: it then puts each object in its place when it is whole. */
enum resumable { RESUMABLE_UNKNOWN, RESUMABLE_OFFERED, RESUMABLE_NONE };

/* Whether the server lets us send parts to the bucket behind it (gateway_protocol.h), and whether that works. */
enum direct { DIRECT_NONE, DIRECT_OFFERED, DIRECT_PROVEN };

enum move { MOVE_UNKNOWN, MOVE_OFFERED, MOVE_REFUSED };

/* What a MOVE names its target by: a path alone (RFC 4918, 8.3, allows it; behind a proxy the server knows neither
 * scheme nor name that we use), the whole URL (Apache wants it), or that as http://, which is what Apache is asked by a
 * proxy that ends TLS before it. */
enum destination { DESTINATION_PATH, DESTINATION_URL, DESTINATION_PLAIN_URL, DESTINATION_NONE };

struct http_store {
    struct sink sink;
    char *base;                  /* "https://host/prefix", encoded, no '/' behind it; owned */
    const char *path;            /* its path: "" or "/prefix"; points into base */
    struct http_options options; /* a copy, owned */
    struct http *http;           /* the connection for all but streams */
    struct http_auth *auth;      /* NULL: no credentials */
    struct user_headers headers;
    unsigned uploads;
    enum resumable resumable;
    enum direct direct;
    uint64_t direct_again_ms; /* the bucket could not be reached: not to be tried before */
    enum move move;
    enum destination destination; /* the first form that the server has not refused */
    char *folder;                 /* the key's that was last made sure of; owned */
    bool folder_sure;             /* and that was right now */
    bool through;                 /* where the server redirects to cannot be reached: it is asked to send by itself */
    struct digest_field stored;   /* what the last answer to http_put_data says was stored */
    bool folder_missing;          /* it is not there, and it could not be made: PUT may do it */
};

/* Base, '/', and the encoded key; malloc'ed. */
char *http_store_url(const struct http_store *s, const char *key);

/* A request with our credentials and the user's headers. url: borrowed until the request is done; NULL: it could not be
 * made. 0 or -ENOMEM. */
int http_store_request(const struct http_store *s, const char *method, const char *url, struct http_request *ret,
                       struct err *e);

/* Sends over h. Passing trouble (also by status: 429, 5xx) is tried again (store/request_retry.h), unless the request
 * has a read or a write. 0 with any other status. */
int http_store_send(struct http *h, const struct http_request *r, const struct upload_events *events,
                    struct http_answer *answer, struct err *e);

/* True for 2xx. */
bool http_store_ok(const struct http_answer *a);

/* The fault and the message for an answer that is not ok. */
int http_store_fail(const struct http_store *s, const struct http_request *r, const struct http_answer *a,
                    struct err *e);

/* The Repr-Digest of an answer; none if it is malformed or not there. */
void http_store_digest(const struct http_answer *a, struct digest_field *ret);

/* HEAD: -FAULT_NO_OBJECT; -FAULT_FORMAT if there is no size in the answer. etag: "" if there is none. */
enum { ETAG_MAX = 256 };
int http_store_head(struct http_store *s, const char *key, uint64_t *ret_size, char etag[ETAG_MAX], struct err *e);

/* As sink_ops.load, over h. */
int http_store_load(const struct http_store *s, struct http *h, const char *key, struct buf *ret, struct err *e);

/* As sink_ops.read. */
int http_store_read(struct http_store *s, const struct object_reader *reader, struct err *e);

/* Makes the folder of the object's key where that can be done, and finds out about MOVE, before a PUT. Returns what to
 * PUT to in *ret_key (malloc'ed): a temporary name made of its id (16 hex digits), or the key where there is no MOVE.
 */
int http_put_prepare(struct http_store *s, const struct object *o, const struct upload_events *events, char **ret_key,
                     struct err *e);
/* PUTs a small body. */
int http_put_data(struct http_store *s, const struct small_object *o, const struct upload_events *events,
                  struct err *e);
/* The fault of a PUT's answer that is not ok. The folder is made sure of again before the next one. */
int http_put_fail(struct http_store *s, const struct http_request *r, const struct http_answer *a, struct err *e);
/* As sink_ops.probe. */
int http_put_probe(struct http_store *s, struct err *e);
/* Gives an object that was PUT its final name, if it has another. */
struct http_move {
    const char *from, *to; /* keys */
    uint64_t size;
};
int http_put_finish(struct http_store *s, const struct http_move *m, const struct upload_events *events, struct err *e);
/* Whether a name is one that http_put_prepare makes. */
bool http_put_is_temporary(const char *name);

/* As sink_ops.list. */
int http_list(struct sink *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
              void *ctx, struct err *e);

/* sink_ops' upload functions (http_upload.c). An upload takes one of two ways; each embeds this at its beginning. */
struct upload_way {
    int (*write)(struct upload *u, struct part *p, struct err *e);
    int (*commit)(struct upload *u, const struct whole *w, struct err *e);
    void (*abort)(struct upload *u);
    void (*free)(struct upload *u);
};
struct upload {
    const struct upload_way *way;
    struct http_store *store;
    const struct object *object;
    const struct upload_events *events;
    bool confirmed; /* the server's answer had the digest of the whole */
};
int http_upload_new(struct sink *s, const struct upload_start *start, struct upload **ret, struct err *e);
int http_upload_write(struct upload *u, struct part *p, struct err *e);
int http_upload_commit(struct upload *u, const struct whole *w, struct err *e);
int http_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e);
void http_upload_abort(struct upload *u);
void http_upload_free(struct upload *u);

/* One chunked PUT (http_stream.c). */
int http_upload_stream_new(struct http_store *s, const struct upload_start *start, struct upload **ret, struct err *e);

/* Several requests (http_resume.c). find: asks the server once, by OPTIONS, and sets s->resumable. start: what is about
 * to begin; may be NULL. */
int http_resume_find(struct http_store *s, const struct upload_start *start, struct err *e);
int http_resume_new(struct http_store *s, const struct upload_start *start, struct upload **ret, struct err *e);
/* A small object under its own name. 0: the answer had its digest; 1: its size is right, which was asked for. */
int http_resume_put(struct http_store *s, const struct small_object *o, const struct upload_events *events,
                    struct err *e);
/* The fault of an answer to such a request that is not ok. */
int http_resume_fail(const struct http_store *s, const struct http_request *r, const struct http_answer *a,
                     struct err *e);
/* As sink_ops.probe and sink_ops.abort_token. */
int http_resume_probe(struct http_store *s, const char *key, struct err *e);
int http_resume_abort(struct sink *s, const char *key, const char *token, struct err *e);

/* Parts straight to the bucket (http_direct.c; note, probe, is_token and abort: gateway_client.c). note: looks for the
 * offer in an answer to OPTIONS. wanted: whether an upload is to go that way; with a past, whether it is of that kind.
 * new: -FAULT_EXISTS, -FAULT_REFUSED: it has to pass through the server. */
void http_direct_note(struct http_store *s, const struct http_answer *answer);
bool http_direct_wanted(const struct http_store *s, const struct upload_start *start);
int http_direct_new(struct http_store *s, const struct upload_start *start, struct upload **ret, struct err *e);
/* As sink_ops.probe, of server and bucket; new's failures, and -FAULT_DENIED: the server may know more if it is asked
 * otherwise. */
int http_direct_probe(struct http_store *s, const char *key, struct err *e);
bool http_direct_is_token(const char *token);
int http_direct_abort(struct http_store *s, const char *key, const char *token, struct err *e);
