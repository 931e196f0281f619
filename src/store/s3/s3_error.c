/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of codes (Amazon S3 API Reference, "Error responses"; OBS API Reference, "Error codes"; those of MinIO and
 * Ceph where they have their own), and the sentences.
 */
#include "store/s3/s3_error.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* Which sentence the message ends with. */
enum sentence {
    SENTENCE_PLAIN,
    SENTENCE_DENIED,
    SENTENCE_SIGNATURE,
    SENTENCE_KEY_UNKNOWN,
    SENTENCE_TOKEN,
    SENTENCE_EXPIRED,
    SENTENCE_CLOCK,
    SENTENCE_NO_BUCKET,
    SENTENCE_NO_OBJECT,
    SENTENCE_GONE,
    SENTENCE_EXISTS,
    SENTENCE_FULL,
    SENTENCE_BUSY,
    SENTENCE_CORRUPT,
    SENTENCE_REGION,
};

struct meaning {
    int fault;
    enum sentence sentence;
};

static const struct {
    const char *code;
    struct meaning meaning;
} CODES[] = {
    {"AccessDenied", {FAULT_DENIED, SENTENCE_DENIED}},
    {"AccessForbidden", {FAULT_DENIED, SENTENCE_DENIED}},
    {"AccountProblem", {FAULT_DENIED, SENTENCE_DENIED}},
    {"FrozenUserId", {FAULT_DENIED, SENTENCE_DENIED}},
    {"DeregisterUserId", {FAULT_DENIED, SENTENCE_DENIED}},
    {"AllAccessDisabled", {FAULT_DENIED, SENTENCE_DENIED}},
    {"SignatureDoesNotMatch", {FAULT_DENIED, SENTENCE_SIGNATURE}},
    {"InvalidAccessKeyId", {FAULT_DENIED, SENTENCE_KEY_UNKNOWN}},
    {"InvalidToken", {FAULT_DENIED, SENTENCE_TOKEN}},
    {"InvalidTokenId", {FAULT_DENIED, SENTENCE_TOKEN}},
    {"ExpiredToken", {FAULT_EXPIRED, SENTENCE_EXPIRED}},
    {"ExpiredTokenException", {FAULT_EXPIRED, SENTENCE_EXPIRED}},
    {"TokenRefreshRequired", {FAULT_EXPIRED, SENTENCE_EXPIRED}},
    {"RequestTimeTooSkewed", {FAULT_DENIED, SENTENCE_CLOCK}},
    {"RequestExpired", {FAULT_DENIED, SENTENCE_CLOCK}},
    {"InvalidObjectState", {FAULT_REFUSED, SENTENCE_PLAIN}}, /* archived: must be restored first */
    {"NoSuchBucket", {FAULT_NO_BUCKET, SENTENCE_NO_BUCKET}},
    {"NoSuchKey", {FAULT_NO_OBJECT, SENTENCE_NO_OBJECT}},
    {"NoSuchVersion", {FAULT_NO_OBJECT, SENTENCE_NO_OBJECT}},
    {"NoSuchUpload", {FAULT_GONE, SENTENCE_GONE}},
    {"InvalidPart", {FAULT_GONE, SENTENCE_GONE}},
    {"PreconditionFailed", {FAULT_EXISTS, SENTENCE_EXISTS}},
    {"QuotaExceeded", {FAULT_FULL, SENTENCE_FULL}},
    {"InsufficientStorage", {FAULT_FULL, SENTENCE_FULL}},
    {"InsufficientCapacity", {FAULT_FULL, SENTENCE_FULL}},
    {"InsufficientStorageSpace", {FAULT_FULL, SENTENCE_FULL}},
    {"XMinioStorageFull", {FAULT_FULL, SENTENCE_FULL}},
    {"XMinioAdminBucketQuotaExceeded", {FAULT_FULL, SENTENCE_FULL}},
    {"BadDigest", {FAULT_CORRUPT, SENTENCE_CORRUPT}},
    {"InvalidDigest", {FAULT_CORRUPT, SENTENCE_CORRUPT}},
    {"XAmzContentSHA256Mismatch", {FAULT_CORRUPT, SENTENCE_CORRUPT}},
    {"XAmzContentChecksumMismatch", {FAULT_CORRUPT, SENTENCE_CORRUPT}},
    {"IncompleteBody", {FAULT_CORRUPT, SENTENCE_CORRUPT}},
    {"SlowDown", {FAULT_BUSY, SENTENCE_BUSY}},
    {"InternalError", {FAULT_BUSY, SENTENCE_BUSY}},
    {"ServiceUnavailable", {FAULT_BUSY, SENTENCE_BUSY}},
    {"RequestTimeout", {FAULT_BUSY, SENTENCE_BUSY}},
    {"OperationAborted", {FAULT_BUSY, SENTENCE_BUSY}},
    {"ConditionalRequestConflict", {FAULT_BUSY, SENTENCE_BUSY}},
    {"Throttling", {FAULT_BUSY, SENTENCE_BUSY}},
    {"ThrottlingException", {FAULT_BUSY, SENTENCE_BUSY}},
    {"TooManyRequests", {FAULT_BUSY, SENTENCE_BUSY}},
    {"RequestLimitExceeded", {FAULT_BUSY, SENTENCE_BUSY}},
    {"XMinioServerNotInitialized", {FAULT_BUSY, SENTENCE_BUSY}},
    {"AuthorizationHeaderMalformed", {FAULT_REFUSED, SENTENCE_REGION}},
    {"PermanentRedirect", {FAULT_REFUSED, SENTENCE_REGION}},
    {"TemporaryRedirect", {FAULT_REFUSED, SENTENCE_REGION}},
    {"IllegalLocationConstraintException", {FAULT_REFUSED, SENTENCE_REGION}},
};

/* An answer without a code (HEAD has no body, a proxy has its own page), or with one that isn't in the table. */
static struct meaning by_status(const struct s3_failure *f)
{
    switch (f->status) {
    case 301:
    case 302:
    case 307:
    case 308:
        return (struct meaning){FAULT_REFUSED, SENTENCE_REGION};
    case 401:
    case 403:
        return (struct meaning){FAULT_DENIED, SENTENCE_DENIED};
    case 404:
        if (f->upload)
            return (struct meaning){FAULT_GONE, SENTENCE_GONE};
        return f->key ? (struct meaning){FAULT_NO_OBJECT, SENTENCE_NO_OBJECT}
                      : (struct meaning){FAULT_NO_BUCKET, SENTENCE_NO_BUCKET};
    case 412:
        return (struct meaning){FAULT_EXISTS, SENTENCE_EXISTS};
    case 507:
        return (struct meaning){FAULT_FULL, SENTENCE_FULL};
    case 408:
    case 429:
        return (struct meaning){FAULT_BUSY, SENTENCE_BUSY};
    case 501:
    case 505:
        return (struct meaning){FAULT_REFUSED, SENTENCE_PLAIN};
    default:
        return f->status >= 500 ? (struct meaning){FAULT_BUSY, SENTENCE_BUSY}
                                : (struct meaning){FAULT_REFUSED, SENTENCE_PLAIN};
    }
}

static struct meaning meaning_of(const struct s3_failure *f)
{
    struct meaning m = by_status(f);

    for (size_t i = 0; i < ARRAY_SIZE(CODES); i++)
        if (strcmp(f->error.code, CODES[i].code) == 0)
            m = CODES[i].meaning;
    if (m.sentence == SENTENCE_KEY_UNKNOWN && f->token) { /* OBS's code for an expired token */
        m.sentence = SENTENCE_TOKEN;
        if (f->expires_ns > 0 && f->now_ns >= f->expires_ns)
            m = (struct meaning){FAULT_EXPIRED, SENTENCE_EXPIRED};
    }
    if (f->upload && m.fault == FAULT_NO_OBJECT) /* Ceph's code for an upload that is gone */
        m = (struct meaning){FAULT_GONE, SENTENCE_GONE};
    return m;
}

bool s3_error_not_implemented(long status, const char *code)
{
    return status == 501 || strcmp(code, "NotImplemented") == 0;
}

bool s3_error_may_be_unknown(long status, const char *code)
{
    for (size_t i = 0; i < ARRAY_SIZE(CODES); i++)
        if (strcmp(code, CODES[i].code) == 0)
            return false;
    return status == 400 || s3_error_not_implemented(status, code);
}

/* "object 'k' in bucket 'b' at http://…" */
static const char *place(const struct s3_failure *f, char out[400])
{
    if (f->key)
        snprintf(out, 400, "object '%.60s%.160s' in bucket '%.63s' at %.80s", f->prefix, f->key, f->bucket, f->origin);
    else
        snprintf(out, 400, "bucket '%.63s' at %.80s", f->bucket, f->origin);
    return out;
}

/* " (403 AccessDenied: its message, request 4711)": what the store's support will ask for. */
static const char *detail(const struct s3_failure *f, char out[320])
{
    const struct s3_error *x = &f->error;

    snprintf(out, 320, " (%ld%s%s%s%.150s%s%s)", f->status, *x->code ? " " : "", x->code, *x->message ? ": " : "",
             x->message, *x->request_id ? ", request " : "", x->request_id);
    return out;
}

static int explain_region(const struct s3_failure *f, int fault, const char *more, struct err *e)
{
    if (*f->error.region)
        return err_set(e, -fault, "bucket '%.63s' is not in region %s but in %.31s: give --region %.31s%s", f->bucket,
                       f->region, f->error.region, f->error.region, more);
    return err_set(e, -fault, "%.80s does not answer for bucket '%.63s' in region %s: check --region and --endpoint%s",
                   f->origin, f->bucket, f->region, more);
}

static int explain_clock(const struct s3_failure *f, int fault, const char *more, struct err *e)
{
    char ours[CLOCK_TEXT_MAX], theirs[CLOCK_TEXT_MAX];
    int64_t there;

    clock_format(f->now_ns, ours);
    if (f->date && clock_parse_http(f->date, &there) == 0)
        return err_set(e, -fault, "the clocks are too far apart: %s here, %s at %.80s: set the clock of this machine%s",
                       ours, clock_format(there, theirs), f->origin, more);
    return err_set(e, -fault, "the clock of this machine (%s) is too far from that of %.80s: set it%s", ours, f->origin,
                   more);
}

static int explain_expired(const struct s3_failure *f, int fault, const char *more, struct err *e)
{
    char at[CLOCK_TEXT_MAX];

    if (f->expires_ns > 0)
        return err_set(e, -fault, "the session token of access key %s (%s) expired at %s: renew it%s", f->access_key,
                       f->source, clock_format(f->expires_ns, at), more);
    return err_set(e, -fault, "the session token of access key %s (%s) has expired: renew it%s", f->access_key,
                   f->source, more);
}

static int explain(const struct s3_failure *f, struct meaning m, struct err *e)
{
    char where_buf[400], more_buf[320];
    const char *where = place(f, where_buf), *more = detail(f, more_buf);

    switch (m.sentence) {
    case SENTENCE_DENIED:
        return err_set(e, -m.fault,
                       "access key %s (%s) is denied %s on %s: allow it in the key's or the bucket's policy%s",
                       f->access_key, f->source, f->action, where, more);
    case SENTENCE_SIGNATURE:
        return err_set(e, -m.fault, "the secret key is wrong for access key %s (%s) at %s: correct it%s", f->access_key,
                       f->source, f->origin, more);
    case SENTENCE_KEY_UNKNOWN:
        return err_set(e, -m.fault, "access key %s (%s) is not known at %s: check it, and --endpoint%s", f->access_key,
                       f->source, f->origin, more);
    case SENTENCE_TOKEN:
        return err_set(e, -m.fault,
                       "the session token is not valid for access key %s (%s) at %s: renew it, or check --endpoint%s",
                       f->access_key, f->source, f->origin, more);
    case SENTENCE_EXPIRED:
        return explain_expired(f, m.fault, more, e);
    case SENTENCE_CLOCK:
        return explain_clock(f, m.fault, more, e);
    case SENTENCE_NO_BUCKET:
        return err_set(e, -m.fault, "bucket '%.63s' does not exist at %s: create it or check --endpoint and --region%s",
                       f->bucket, f->origin, more);
    case SENTENCE_NO_OBJECT:
        return err_set(e, -m.fault, "no %s: check its name with 'salvage ls'%s", where, more);
    case SENTENCE_GONE:
        return err_set(e, -m.fault, "the store no longer knows the upload of %s: it has to begin anew%s", where, more);
    case SENTENCE_EXISTS:
        return err_set(e, -m.fault, "%s is there already%s", where, more);
    case SENTENCE_FULL:
        return err_set(e, -m.fault, "no room for %s: free space there or raise the quota%s", where, more);
    case SENTENCE_BUSY:
        return err_set(e, -m.fault, "the store is not ready for %s on %s: it may pass by itself%s", f->action, where,
                       more);
    case SENTENCE_CORRUPT:
        return err_set(e, -m.fault, "%s arrived damaged: look for a faulty proxy or network in between%s", where, more);
    case SENTENCE_REGION:
        return explain_region(f, m.fault, more, e);
    case SENTENCE_PLAIN:
        break;
    }
    return err_set(e, -m.fault, "the store refuses %s on %s%s%s", f->action, where,
                   *f->error.code ? "" : ", without saying why: check --endpoint", more);
}

int s3_error_explain(const struct s3_failure *f, struct err *e)
{
    int r = explain(f, meaning_of(f), e);

    if (e)
        e->retry_after_ms = f->retry_after_ms;
    return err_prefix(e, r, "%s", f->dialect);
}
