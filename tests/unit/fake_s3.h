/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of uploads to S3: a store without a network, that does what its rules say and else what S3 does, and a
 * journal of what it was asked. Waits take no time. After cmocka.h.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/http.h"
#include "store/s3/s3_upload.h"
#include "store/sink.h"

enum { FAKE_PART = S3_PART_MIN, FAKE_LAST = 1000, FAKE_RULES_MAX = 8, FAKE_LOG_MAX = 200 };

#define FAKE_ERROR(code) "<Error><Code>" code "</Code></Error>"
#define FAKE_ETAG "\"0123456789abcdef0123456789abcdef\""

/* The next `times` requests of that sort are answered so. */
struct fake_rule {
    const char *what; /* as in the log: "PUT 2", "COMPLETE", "HEAD" … */
    int times;        /* what is left of them */
    int lost;         /* no answer: this fault, negative */
    long status;
    const char *headers; /* whole lines */
    const char *body;
};

static struct {
    pthread_mutex_t lock;
    struct fake_rule rules[FAKE_RULES_MAX];
    unsigned rule_count;
    char log[FAKE_LOG_MAX][32]; /* "CREATE", "PUT 1", "PUT 2 unsigned", "COMPLETE", "HEAD", "ABORT", "ASK", "PUT" */
    unsigned log_count;
    struct buf completed;   /* the body of the last COMPLETE */
    char condition[8];      /* If-None-Match of the last PUT or COMPLETE */
    unsigned waits;         /* before another try, or a notice */
    unsigned done, dropped; /* parts given back: with an ETag, without */
    char token[64];         /* that the owner was told */
    char part_etags[16][S3_PART_ETAG_MAX];
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void fake_rule(struct fake_rule r)
{
    assert_true(fake.rule_count < FAKE_RULES_MAX);
    fake.rules[fake.rule_count++] = r;
}

/* How many requests of that sort there were; "" counts all. */
static inline unsigned fake_count(const char *what)
{
    unsigned count = 0;

    for (unsigned i = 0; i < fake.log_count; i++)
        count += !*what || text_eq(fake.log[i], what);
    return count;
}

static inline const char *fake_header(const struct http_request *r, const char *name)
{
    for (unsigned i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

static inline void fake_name(const struct http_request *r, char out[32])
{
    const char *number = strstr(r->url, "partNumber="), *sha256 = fake_header(r, "x-amz-content-sha256");
    bool id = strstr(r->url, "uploadId=");

    if (text_eq(r->method, "POST"))
        snprintf(out, 32, "%s", id ? "COMPLETE" : "CREATE");
    else if (text_eq(r->method, "DELETE"))
        snprintf(out, 32, "ABORT");
    else if (text_eq(r->method, "GET"))
        snprintf(out, 32, id ? "ASK" : "GET");
    else if (number)
        snprintf(out, 32, "PUT %d%s", atoi(number + strlen("partNumber=")),
                 text_eq(sha256, "UNSIGNED-PAYLOAD") ? " unsigned" : "");
    else
        snprintf(out, 32, "%s", r->method);
}

static inline int fake_answer(struct http_answer *a, long status, const char *headers, const char *body)
{
    a->status = status;
    if (headers)
        assert_int_equal(buf_add_text(&a->headers, headers), 0);
    if (body)
        assert_int_equal(buf_add_text(&a->body, body), 0);
    return 0;
}

static inline int fake_default(const char *what, struct http_answer *a)
{
    if (text_eq(what, "CREATE"))
        return fake_answer(a, 200, NULL,
                           "<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>");
    if (text_eq(what, "COMPLETE"))
        return fake_answer(
            a, 200, NULL,
            "<CompleteMultipartUploadResult><ETag>&quot;whole-2&quot;</ETag></CompleteMultipartUploadResult>");
    if (text_starts(what, "PUT"))
        return fake_answer(a, 200,
                           "ETag: \"opaque-"
                           "part\"\r\n",
                           NULL);
    if (text_eq(what, "HEAD"))
        return fake_answer(a, 200, "Content-Length: 5243880\r\nETag: \"whole-2\"\r\n", NULL);
    return fake_answer(a, text_eq(what, "ABORT") ? 204 : 200, NULL, NULL);
}

static inline int fake_transport(void *ctx, const struct http_request *r, struct http_answer *a, struct err *e)
{
    const char *condition = fake_header(r, "If-None-Match");
    struct fake_rule *rule = NULL;
    char what[32];
    int result;

    (void)ctx;
    pthread_mutex_lock(&fake.lock);
    fake_name(r, what);
    if (fake.log_count < FAKE_LOG_MAX)
        snprintf(fake.log[fake.log_count++], sizeof(fake.log[0]), "%s", what);
    if (text_eq(what, "COMPLETE")) {
        buf_clear(&fake.completed);
        buf_add(&fake.completed, r->body, r->body_size);
    }
    if (text_eq(what, "COMPLETE") || text_eq(what, "PUT"))
        snprintf(fake.condition, sizeof(fake.condition), "%s", condition ? condition : "");
    for (unsigned i = 0; i < fake.rule_count && !rule; i++)
        if (fake.rules[i].times > 0 && text_eq(fake.rules[i].what, what))
            rule = &fake.rules[i];
    if (rule)
        rule->times--;
    if (rule && rule->lost < 0)
        result = err_set(e, rule->lost, "lost");
    else
        result = rule ? fake_answer(a, rule->status, rule->headers, rule->body) : fake_default(what, a);
    pthread_mutex_unlock(&fake.lock);
    return result;
}

/* --- the upload's owner ------------------------------------------------------------------------------------------- */

static inline void fake_token(void *ctx, const char *token)
{
    (void)ctx;
    snprintf(fake.token, sizeof(fake.token), "%s", token);
}

static inline void fake_done(void *ctx, struct part *p, const char *etag)
{
    (void)ctx;
    if (etag && p->number <= 16)
        snprintf(fake.part_etags[p->number - 1], S3_PART_ETAG_MAX, "%s", etag);
    fake.done += etag != NULL;
    fake.dropped += etag == NULL;
}

static inline int fake_wait(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx, (void)e, (void)delay_ms;
    __atomic_fetch_add(&fake.waits, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static unsigned char *fake_data;
static struct part fake_parts[2];

/* An object of two parts, or of a last one alone. */
static const struct object FAKE_OBJECT = {.key = "app.hprof", .id = "id", .part_size = FAKE_PART};
static const struct upload_events FAKE_EVENTS = {.token = fake_token, .done = fake_done};
static const struct whole FAKE_WHOLE = {.size = FAKE_PART + FAKE_LAST};

struct fake_upload {
    struct sink *sink;
    struct upload *u;
    struct err e;
};

static inline int fake_begin(struct fake_upload *f, const char *endpoint, const struct upload_past *past)
{
    struct sink_config c = {.endpoint = (char *)endpoint, .uploads = 2, .http = {.transport = fake_transport}};
    int r;

    assert_int_equal(url_parse("s3://bucket/prefix", &c.url, &f->e), 0);
    assert_int_equal(sink_open(&c, &f->sink, &f->e), 0);
    url_done(&c.url);
    r = f->sink->ops->upload_new(f->sink, &(struct upload_start){&FAKE_OBJECT, past, &FAKE_EVENTS}, &f->u, &f->e);
    if (r == 0)
        f->u->flight.patience = (struct request_patience){.wait = fake_wait};
    return r;
}

static inline void fake_end(struct fake_upload *f)
{
    if (f->u)
        s3_upload_free(f->u);
    if (f->sink)
        sink_close(f->sink);
}

static inline int fake_write(struct fake_upload *f, unsigned number, bool last)
{
    struct part *p = &fake_parts[number > 1];

    *p = (struct part){.number = number, .last = last, .size = last ? FAKE_LAST : FAKE_PART, .data = fake_data};
    return s3_upload_write(f->u, p, &f->e);
}

/* Both parts, written and waited for. */
static inline int fake_write_all(struct fake_upload *f)
{
    int r = fake_write(f, 1, false);

    return r < 0 ? r : fake_write(f, 2, true);
}

static inline int fake_set_up(void **state)
{
    (void)state;
    buf_done(&fake.completed);
    memset(&fake.rules, 0, sizeof(fake) - offsetof(__typeof__(fake), rules));
    if (!fake_data)
        fake_data = calloc(1, FAKE_PART);
    if (clearenv() != 0)
        return -1;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    return fake_data ? 0 : -1;
}

static inline int fake_tear_down(void **state)
{
    (void)state;
    buf_done(&fake.completed);
    free(fake_data);
    fake_data = NULL;
    return 0;
}
