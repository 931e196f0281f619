/* SPDX-License-Identifier: Apache-2.0
 *
 * An S3 store: endpoint, credentials, and what the store was found not to support. Signs requests, follows the bucket
 * to its region, reads renewed credentials. Sends nothing (store/s3/s3_call.h does).
 *
 * Shared by the threads of an upload; each uses a struct http of its own. What several sinks of a store have learned
 * (credentials, region, what it does not support) they share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "net/sign.h"
#include "store/s3/s3_dialect.h"
#include "store/sink.h"

struct s3; /* begins with its struct sink */

/* Endpoint, region, CA and style: c's, else the dialect's settings (https:// may be left out in an endpoint), else the
 * dialect's owner (s3_endpoint.h); the region then the endpoint's, or a default. Settings that are not honoured go to
 * c->notice, or are refused. -FAULT_USAGE, -FAULT_CREDENTIALS …, -ENOMEM. */
int s3_open(const struct sink_config *c, const struct s3_dialect *d, const struct sink_ops *ops, struct s3 **ret,
            struct err *e);
void s3_close(struct s3 *s);

/* As sink_ops.share. */
int s3_share(struct s3 *of, struct s3 **ret, struct err *e);

/* As sink_origin. */
int s3_origin(const struct sink_config *c, const struct s3_dialect *d, char **ret, struct err *e);

/* err_set with the dialect's name before the message. */
int s3_fail(const struct s3 *s, struct err *e, int code, const char *format, ...) __attribute__((format(printf, 4, 5)));

const struct s3_dialect *s3_dialect(const struct s3 *s);
const char *s3_bucket(const struct s3 *s);
const char *s3_prefix(const struct s3 *s); /* "", or with '/' at its end */
const struct user_headers *s3_user_headers(const struct s3 *s);
unsigned s3_uploads(const struct s3 *s); /* parts in flight */
bool s3_has_tls(const struct s3 *s);
struct http *s3_http(const struct s3 *s);                              /* of the thread that the sink belongs to */
int s3_http_new(const struct s3 *s, struct http **ret, struct err *e); /* for a further thread */

/* A request that can be sent, and for messages what it was made from. */
struct s3_signed {
    char *url;
    struct signature signature;
    struct secret *token; /* NULL without */
    char *origin, *access_key;
    const char *source; /* of the credentials; borrowed from their provider */
    char region[32];
    int64_t time_ns, expires_ns;
    unsigned renewals;
};

/* request: method, query, headers and payload_sha256; the rest is filled in here. key: relative, NULL for the bucket.
 * Renews credentials ahead of their end. 0 or -ENOMEM. */
int s3_sign(struct s3 *s, const char *key, struct sign_request *request, struct s3_signed *ret);
void s3_signed_done(struct s3_signed *r);

/* A URL instead of a request that is sent. request: method, query and headers, which its bearer sends as they are. 0 or
 * -ENOMEM. */
struct s3_wish {
    const char *key;
    uint64_t valid_s; /* less where our credentials end before */
};
int s3_presign_request(struct s3 *s, const struct s3_wish *wish, struct sign_request *request, struct secret **ret_url,
                       struct err *e);

/* As sink_ops.presign. */
int s3_presign(struct s3 *s, const struct presign *what, struct secret **ret_url, struct err *e);

/* The store reports the bucket in `region`; the request was signed for `used`. 0: later requests go there; -EINVAL: it
 * is the same region, or no valid one. */
int s3_move(struct s3 *s, const char *used, const char *region);

/* The credentials that a request was signed with have expired; `renewals` is that request's. 0: there are others now;
 * -FAULT_EXPIRED, without a message: the same ones came back; or cred_get's failure. */
int s3_renew(struct s3 *s, unsigned renewals, struct err *e);

/* The store's clock shows there_ns now: what is signed from now on has its time. */
void s3_set_clock(struct s3 *s, int64_t there_ns);

bool s3_lacks(const struct s3 *s, enum s3_lack what);
void s3_set_lacking(struct s3 *s, enum s3_lack what);
