/* SPDX-License-Identifier: Apache-2.0
 *
 * What the evidence says, while it is shipped (ship/digest_stage.h). Without an answer the evidence is shipped all the
 * same, and the caller hears why.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/case_facts.h"
#include "ship/job_internal.h"
#include "ship/key_template.h"

static void give_up(struct attempt *a, const struct err *e)
{
    digest_stage_free(a->digest);
    a->digest = NULL;
    if (a->job->undigested)
        a->job->undigested(a->job->ctx, e->msg);
}

/* No JVM's heap is that small: such a file is a test's, and is not worth a process. */
enum { HEAP_LEAST = 64 * 1024 };

static bool is_tiny(const struct attempt *a)
{
    enum content content = a->intake.whole.content;

    return (content == CONTENT_HPROF || content == CONTENT_OTHER) && a->intake.source == INTAKE_FILE &&
           text_eq(a->job->claim->kind->name, "heap-dump") && a->intake.identity.size < HEAP_LEAST;
}

static bool is_stream(const struct attempt *a)
{
    return a->intake.source == INTAKE_STREAM;
}

void attempt_begin_digest(struct attempt *a)
{
    const struct digest_source source = {
        .kind = a->job->claim->kind->name, .content = a->intake.whole.content, .fd = is_stream(a) ? -1 : a->job->fd};
    struct err e = {0};

    assert(!a->digest);
    if (!a->job->plan->digest || is_tiny(a) || !digest_stage_exists(&source))
        return;
    if (digest_stage_new(&source, &a->digest, &e) < 0)
        give_up(a, &e);
    else if (!is_stream(a))
        digest_stage_reach(a->digest, a->intake.offset); /* of a resumed file that was read before */
}

void attempt_digest_block(struct attempt *a, const void *block, size_t size)
{
    if (a->digest && is_stream(a))
        digest_stage_feed(a->digest, block, size);
    else if (a->digest)
        digest_stage_reach(a->digest, a->intake.offset);
}

void attempt_end_digest(struct attempt *a)
{
    if (a->digest)
        digest_stage_end(a->digest, a->intake.offset);
}

/* Beside the object, if it has a folder: without one it could be another object's, or be taken for a manifest. */
static int put_digest(const struct attempt *a, const struct buf *json, struct err *e)
{
    CLEANUP(buf_done) struct buf key = {0};
    const char *slash = strrchr(a->key, '/');
    struct sink *sink = a->job->sink;

    if (!slash || !template_match(TEMPLATE_DEFAULT, a->key))
        return 0;
    if (buf_printf(&key, "%.*s/" CASE_DIGEST, (int)(slash - a->key), a->key) < 0)
        return attempt_no_memory(e);
    return sink->ops->put(sink, &(struct small_object){buf_text(&key), "application/json", json->data, json->size}, e);
}

int attempt_store_digest(struct attempt *a, struct manifest *m, struct err *e)
{
    CLEANUP(digest_answer_done) struct digest_answer answer = {0};
    struct err why = {0};
    int r;

    if (!a->digest)
        return 0;
    if (digest_stage_collect(a->digest, &answer, &why) < 0) {
        give_up(a, &why);
        return 0;
    }
    if (answer.unfiltered && a->job->unfiltered)
        a->job->unfiltered(a->job->ctx);
    if (manifest_set_summary(m, &answer.summary) < 0)
        return attempt_no_memory(e);
    /* The sentence is in the manifest. */
    if (answer.json.size > 0 && (r = put_digest(a, &answer.json, &why)) < 0 && a->job->undigested) {
        struct err failure = {0};

        err_set(&failure, r, CASE_DIGEST " could not be stored: %.600s", why.msg);
        a->job->undigested(a->job->ctx, failure.msg);
    }
    return 0;
}
