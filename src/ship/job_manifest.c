/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest beside the object: an earlier attempt's shows that the object is stored; ours is put last.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/describe.h"
#include "ship/job_internal.h"

static int append_data(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

/* A manifest has milliseconds. */
static bool same_millisecond(int64_t a_ns, int64_t b_ns)
{
    return a_ns / 1000000 == b_ns / 1000000;
}

int attempt_already_stored(struct attempt *a, struct job_result *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf path = {0}, json = {.ceiling = MANIFEST_MAX};
    CLEANUP(manifest_done) struct manifest m = {0};
    struct sink *sink = a->job->sink;
    struct object_info info;
    struct err ignored;
    int r;

    assert(a->key && a->job->source == INTAKE_FILE);
    if (buf_printf(&path, "%s" MANIFEST_SUFFIX, a->key) < 0)
        return attempt_no_memory(e);
    r = sink->ops->stat(sink, buf_text(&path), &info, e);
    /* Without the right to list, S3 answers 403, not 404, for a key that does not exist: the upload will show. */
    if (r < 0)
        return r == -FAULT_NO_OBJECT || r == -FAULT_DENIED ? 0 : r;
    r = sink->ops->read(sink, &(struct object_reader){.key = buf_text(&path), .fn = append_data, .ctx = &json}, e);
    if (r < 0)
        return r == -FAULT_NO_OBJECT ? 0 : r;
    if (manifest_decode(buf_text(&json), json.size, &m, &ignored) < 0 || !text_eq(m.id, claim_case_id(a->job->claim)) ||
        m.size != a->intake.identity.size || !same_millisecond(m.time.modified, a->intake.identity.mtime_ns))
        return 0; /* not ours, or not of this file: store it again */
    r = sink->ops->stat(sink, a->key, &info, e);
    if (r < 0 || info.size != m.stored_size)
        return r == -FAULT_NO_OBJECT || r == 0 ? 0 : r;
    ret->manifest = m;
    ret->mtime_ns = a->intake.identity.mtime_ns;
    ret->already = true;
    m = (struct manifest){0};
    return 1;
}

/* The JVM stands still while it writes a dump at an OutOfMemoryError: for at most the time between the file's creation
 * and its last write. A file that was copied to this place has other times: no pause is given then. */
static void pause_by_file(const struct attempt *a, struct manifest *m)
{
    const struct identity *file = &a->intake.identity;

    if (m->pause.by == PAUSE_UNKNOWN && a->job->source != INTAKE_STREAM &&
        text_eq(a->job->claim->kind->name, "heap-dump") && text_eq(a->job->claim->cause, "java-oom") &&
        file->birth_ns > 0 && file->mtime_ns > file->birth_ns)
        m->pause = pause_of(PAUSE_FILE, (uint64_t)(file->mtime_ns - file->birth_ns) / 1000);
}

int attempt_write_manifest(struct attempt *a, const struct whole *whole, struct manifest *m, struct err *e)
{
    CLEANUP(buf_done) struct buf path = {0}, json = {0};
    struct sink *sink = a->job->sink;
    const struct described described = {a->job->claim, &a->origin, a->job->who, &a->facts, &a->codec};
    char reason[200];
    int r;
    const char *partial = a->job->partial ? a->job->partial(a->job->ctx) : NULL;

    assert(a->key && a->committed && a->verified);
    /* The reason that the caller knows says more than what is missing in the format. */
    if (!partial)
        partial = intake_partial(&a->intake, reason, sizeof(reason));
    if (describe_manifest(&described, a->key, m) < 0)
        return attempt_no_memory(e);
    m->size = a->intake.identity.size;
    m->stored_size = whole->size;
    m->block_size = a->codec.ops == &CODEC_NONE ? 0 : JOB_BLOCK_SIZE;
    digest_hex(&a->intake.digest, m->sha256);
    memcpy(m->stored_sha256, whole->sha256, sizeof(m->stored_sha256));
    m->time.modified = a->intake.identity.mtime_ns;
    if (a->job->pause)
        a->job->pause(a->job->ctx, &m->pause);
    pause_by_file(a, m);
    if ((partial && !(m->partial = strdup(partial))) || !(m->verified = strdup(a->verified)))
        return attempt_no_memory(e);
    if ((r = attempt_store_digest(a, m, e)) < 0)
        return r;
    m->time.shipped = clock_wall_ns();
    if (buf_printf(&path, "%s" MANIFEST_SUFFIX, a->key) < 0 || manifest_encode(m, &json) < 0)
        return attempt_no_memory(e);
    return sink->ops->put(sink, &(struct small_object){buf_text(&path), "application/json", json.data, json.size}, e);
}
