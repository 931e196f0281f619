/* SPDX-License-Identifier: Apache-2.0
 *
 * A destination: a bucket, a file server, a folder, behind one const table. An object goes in as parts, in order; it
 * can be seen by readers only after commit, and counts as stored only after verify. Blocking; a sink belongs to one
 * thread, and may have threads of its own below it. Every call here retries passing trouble (-FAULT_BUSY,
 * -FAULT_UNREACHABLE …) a few times within about ten seconds; after that the caller goes on later, from the journal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"
#include "net/url.h"
#include "store/user_header.h"

struct sink_config {
    struct url url;
    char *endpoint;         /* S3, OBS, Azure: "http://host:port"; NULL: the owner's */
    char *region;           /* NULL: found by itself */
    char *credentials_file; /* HTTP: "user:password", "bearer TOKEN" or the bare token; NULL: from the environment */
    bool path_style;        /* S3, OBS; endpoints that are addresses, "localhost" or not AWS's use it by themselves */
    struct user_headers headers;
    struct http_options http; /* ca_file and bandwidth are the struct's owner's */
    unsigned uploads;         /* parts in flight at most, at least 1 */
    /* Gets a sentence for people about each setting that is not honoured, while the sink is opened. May be NULL. */
    void (*notice)(const char *text);
};

struct sink {
    const struct sink_ops *ops;
};

/* An object's properties, as the store reports them. */
struct object_info {
    uint64_t size;
    char sha256[65];     /* as we left it in the object's metadata, "" if the store keeps none */
    char etag[201];      /* without quotes; "" where the store gives none */
    int64_t modified_ns; /* 0: not known */
};

/* A piece of an object. data is the sink's from sink_write on: it goes back through done. */
struct part {
    unsigned number; /* from 1 */
    bool last;       /* no more behind it; the only part of a small object is number 1 and last */
    size_t size;     /* only the last may be smaller than the sink's least, or 0 (an empty object) */
    unsigned char *data;
    void *ctx; /* the caller's: what the journal needs */
};

/* Callbacks to the upload's owner. May be called from the sink's threads, one call at a time; none after upload_free.
 */
struct upload_events {
    void *ctx;
    /* The store's name for this upload: keep it. */
    void (*token)(void *ctx, const char *token);
    /* etag: the store has confirmed the part; NULL: failed or dropped. The part is the owner's again. */
    void (*done)(void *ctx, struct part *part, const char *etag);
    /* Trouble; will try again by itself. */
    void (*waiting)(void *ctx, const struct err *e, uint64_t delay_ms);
};

/* What the caller knows of the object before its bytes. */
struct object {
    const char *key; /* relative to the store's prefix */
    const char *content_type;
    const char *id;     /* for temporary names */
    uint64_t part_size; /* every part but the last has this many bytes or more */
    uint64_t size_max;  /* the object can come to no more; 0: not known */
    bool exclusive; /* others write this key, too: commit fails with -FAULT_EXISTS if there is an object of it, where
                       the store can tell (S3: If-None-Match) */
};

/* An earlier run's finished parts, 1 … count. */
struct upload_past {
    const char *token;
    unsigned count;
    const char *const *etags; /* as upload_events.done has given them */
    const uint64_t *sizes;
    uint64_t stored_end;       /* bytes in them together */
    const char *stored_digest; /* SHA-256 of those bytes, hex: for sinks that can read them back */
    bool at_end; /* they are all, and commit comes next: it finds out by itself whether the upload is still there */
};

/* What an upload begins with; all must live as long as the upload. */
struct upload_start {
    const struct object *object;
    const struct upload_past *past; /* NULL: from the beginning */
    const struct upload_events *events;
};

/* The object's whole, known at its end. */
struct whole {
    uint64_t size;
    char sha256[65];
};

/* An object that is written at once. Borrowed. */
struct small_object {
    const char *key; /* relative to the store's prefix */
    const char *content_type;
    const void *data;
    size_t size;
};

/* What is read of an object, and what takes the bytes. */
struct object_reader {
    const char *key; /* relative to the store's prefix */
    uint64_t offset; /* from here on */
    uint64_t limit;  /* so many bytes are wanted, 0: to its end. A hint: more may come, fn then breaks off */
    const struct object_info *known; /* from stat: the object must still be that one. A hint that saves a request */
    uint64_t *ret_size;              /* gets the object's whole size before fn is called; may be NULL */
    int (*fn)(void *ctx, const void *data, size_t size); /* 0, or negative to break off: the reading then fails so */
    void *ctx;
};

/* Which unfinished uploads are abandoned. */
struct upload_sweep {
    int64_t before_ns;                        /* begun before that */
    bool (*mine)(void *ctx, const char *key); /* and of a key that this accepts */
    void *ctx;
};

struct sink_listing_entry {
    const char *key; /* relative to the store's prefix */
    uint64_t size;
    int64_t time_ns;
};

/* Where a listing begins. */
struct sink_list_from {
    const char *prefix; /* relative, may be "" */
    const char *after;  /* keys behind this one in the order of their bytes; NULL: all */
};

enum { SINK_LISTED_MAX = 1000 * 1000 }; /* objects in one listing */

/* A URL that lets its bearer do one thing, for a while, without credentials. Borrowed. */
struct presign {
    const char *method, *key;
    uint64_t valid_s;                               /* less where our credentials end before */
    const char *content_type, *content_disposition; /* that the store answers with; NULL: the object's own */
};

/* An upload whose parts others send, who have no credentials, by a URL for each. */
struct handed_upload {
    char *token;   /* the store's name for it; malloc'ed */
    bool sums_md5; /* parts are bound to their MD5, as the store knows no other digest; else to their SHA-256 */
};

/* The one part that a URL lets its bearer send. Borrowed. */
struct handed_part {
    const char *key, *token;
    unsigned number;
    uint64_t size, valid_s; /* valid_s: as in presign */
    const char *digest;     /* base64 */
    bool sums_md5;
};

/* A request that its bearer sends as it is, with the part as its body. */
enum { HANDED_HEADERS_MAX = 24 };
struct handed_request {
    struct secret *url;
    char *name[HANDED_HEADERS_MAX], *value[HANDED_HEADERS_MAX]; /* owned */
    unsigned count;
};
int handed_request_add(struct handed_request *r, const char *name, const char *value); /* 0, -ENOMEM, -EMSGSIZE */
void handed_request_done(struct handed_request *r);

struct upload; /* one object on its way */

struct sink_ops {
    const char *name;  /* "s3" */
    uint64_t part_min; /* bytes of a part that is not the last */
    uint64_t part_max;
    unsigned parts_max;
    bool resumes; /* an upload can go on in another process */

    int (*open)(const struct sink_config *c, struct sink **ret, struct err *e);
    int (*origin)(const struct sink_config *c, char **ret, struct err *e); /* as sink_origin; NULL: there is none */
    void (*close)(struct sink *s);
    /* Another sink of the same store, for another thread, in any order closed: it has the credentials of the first, and
     * what that has learned of the store, and asks for nothing. NULL: it is opened as the first was. */
    int (*share)(struct sink *of, struct sink **ret, struct err *e);

    /* Whether an object of this key could be stored now: one try, the smallest request that shows it, and nothing is
     * left behind. S3 begins an upload and aborts it; a server's folder is asked; a folder gets a file without a name.
     */
    int (*probe)(struct sink *s, const char *key, struct err *e);

    /* 0; -FAULT_NO_OBJECT. */
    int (*stat)(struct sink *s, const char *key, struct object_info *ret, struct err *e);
    /* A small object at once, in the place of any that is there; verified by its size or digest. */
    int (*put)(struct sink *s, const struct small_object *o, struct err *e);
    /* Takes away a small object of ours; one that is not there counts as done. */
    int (*remove)(struct sink *s, const char *key, struct err *e);
    /* Every object below the prefix (relative, may be ""), in no order; fn, one call at a time, returns 0 or negative
     * to break off. A listing that does not come to an end is a fault (SINK_LISTED_MAX). */
    int (*list)(struct sink *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
                void *ctx, struct err *e);
    /* One folder: its objects, and its folders as keys with '/' at their end, without size and time. folder ends with
     * '/' or is "". In no order, some folders perhaps twice; what has none calls nothing. NULL: only `list` is there.
     */
    int (*list_folder)(struct sink *s, const char *folder, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
                       void *ctx, struct err *e);
    /* As `list`, from there on. NULL: the store can't begin in the middle. */
    int (*list_after)(struct sink *s, const struct sink_list_from *from,
                      int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e);
    /* The object to its end; goes on by itself where a connection breaks. */
    int (*read)(struct sink *s, const struct object_reader *reader, struct err *e);

    /* A small object whole, in as few requests as can be, appended to ret; -EMSGSIZE beyond ret's ceiling. May be
     * called on several threads at once after `list`: *connection is what a thread keeps from one call to the next,
     * NULL at first; load_end frees it. */
    int (*load)(struct sink *s, void **connection, const char *key, struct buf *ret, struct err *e);
    void (*load_end)(void *connection);

    /* Sends nothing. NULL: the store has no such URLs. */
    int (*presign)(struct sink *s, const struct presign *what, struct secret **ret_url, struct err *e);

    /* Begins an upload whose parts others send; upload_new with their ETags as its past, and commit, end it. NULL: the
     * store has none. -FAULT_REFUSED: with these settings it cannot be (a header with a secret in it belongs to each
     * part). hand_part sends nothing: what is made holds for this part's bytes alone. */
    int (*hand_begin)(struct sink *s, const struct object *o, struct handed_upload *ret, struct err *e);
    int (*hand_part)(struct sink *s, const struct handed_part *what, struct handed_request *ret, struct err *e);

    /* With a past: 0, or -FAULT_GONE if nothing of it is left, the caller then begins anew. */
    int (*upload_new)(struct sink *s, const struct upload_start *start, struct upload **ret, struct err *e);
    /* Takes the part; blocks while as many as allowed are in flight. A failure may be an earlier part's. */
    int (*write)(struct upload *u, struct part *p, struct err *e);
    /* Waits for all parts, then makes the object visible and durable. */
    int (*commit)(struct upload *u, const struct whole *w, struct err *e);
    /* Compares what the store reports with what was sent: after 0 the local copy may go. -FAULT_CORRUPT. Without read
     * no request is made: only the answers to the upload count. 1: the same if the store lets us write and not read; e
     * then has what it does not allow (unchanged without read). */
    int (*verify)(struct upload *u, const struct whole *w, bool read, struct err *e);
    /* Takes back what the store holds of it; best effort. Not after commit. */
    void (*abort)(struct upload *u);
    void (*upload_free)(struct upload *u); /* leaves in the store what a resume needs; waits for the sink's threads */

    /* Aborts an upload of an earlier run by its token. NULL where there is nothing to abort. */
    int (*abort_token)(struct sink *s, const char *key, const char *token, struct err *e);
    /* Aborts such uploads below the prefix; *ret_count: how many. NULL for a store without uploads to abort. */
    int (*sweep)(struct sink *s, const struct upload_sweep *sweep, unsigned *ret_count, struct err *e);
};

extern const struct sink_ops SINK_S3, SINK_OBS, SINK_AZ, SINK_HTTP, SINK_FILE;

int sink_open(const struct sink_config *c, struct sink **ret, struct err *e);
void sink_close(struct sink *s);
void sink_config_done(struct sink_config *c);

/* Where requests go: "https://bucket.s3.eu-west-1.amazonaws.com", or NULL for a folder; malloc'ed. Asks for no
 * credentials. Fails as sink_open does for endpoint and region; -ENOMEM. */
int sink_origin(const struct sink_config *c, char **ret, struct err *e);

/* "s3://bucket/prefix/key", as a user would pass it to `get`; malloc'ed. */
char *sink_object_url(const struct sink_config *c, const char *key);
