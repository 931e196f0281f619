/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of fields (base/json_fields.h). Checks the form of a manifest, not its truth: digests are compared
 * elsewhere.
 */
#include "ship/manifest.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/summary_json.h"
#include "base/text.h"

static bool is_digest(const char *text)
{
    return strspn(text, "0123456789abcdef") == SHA256_HEX_MAX - 1 && text[SHA256_HEX_MAX - 1] == '\0';
}

static int decode_digest(const json_t *value, void *at)
{
    const char *text = json_string_value(value);

    if (!text || !is_digest(text))
        return -EBADMSG;
    memcpy(at, text, SHA256_HEX_MAX);
    return 0;
}

static int encode_pause(const void *at, json_t **ret)
{
    const char *text = pause_name(*(const enum pause_by *)at);

    if (!text)
        return 0;
    *ret = json_string(text);
    return *ret ? 1 : -ENOMEM;
}

/* A newer version may write other values. */
static int decode_pause(const json_t *value, void *at)
{
    *(enum pause_by *)at = pause_find(json_string_value(value));
    return json_is_string(value) ? 0 : -EBADMSG;
}

static int encode_top(const void *at, json_t **ret)
{
    const struct manifest_top *top = *(struct manifest_top *const *)at;

    return top ? summary_rows_encode(top->row, top->count, ret) : 0;
}

static int decode_top(const json_t *value, void *at)
{
    CLEANUP_FREE struct manifest_top *top = calloc(1, sizeof(*top));

    if (!top)
        return -ENOMEM;
    if (summary_rows_decode(value, top->row, SUMMARY_ROWS_MAX, &top->count) < 0)
        return -EBADMSG;
    *(struct manifest_top **)at = TAKE_PTR(top);
    return 0;
}

#define AT(k, member) .kind = FIELD_##k, .offset = offsetof(struct manifest, member)
#define NEED(k, member) AT(k, member), .needed = true

const struct json_field MANIFEST_FIELDS[] = {
    {"schema", "text", "always \"" MANIFEST_SCHEMA "\"", .kind = FIELD_CONSTANT, .constant = MANIFEST_SCHEMA,
     .needed = true},
    {"id", "text", "identifies the file: 16 hex digits, the same for every attempt to ship it", AT(TEXT, id)},
    {"key", "text", "the object's key, relative to the store's prefix", NEED(TEXT, key)},
    {"kind", "text", "kind of evidence: `heap-dump`, `core`, `hs-err`, `file` …", AT(TEXT, kind)},
    {"cause", "text", "cause: `java-oom`, `signal`, `user`, `manual`, `unknown` … (docs/kinds.md)", AT(TEXT, cause)},
    {"name", "text", "the file's own name; bytes that are not UTF-8 as U+FFFD", AT(TEXT, name)},
    {"path", "text", "path of the file before it was shipped", AT(TEXT, path)},
    {"size", "number", "of the file, in bytes", NEED(COUNT, size)},
    {"sha256", "digest", "SHA-256 of the file, in hex", NEED(CHARS, sha256), .decode = decode_digest},
    {"codec", "text", "how the object is compressed: `zstd:LEVEL`, `gzip:LEVEL` or `none`", NEED(TEXT, codec)},
    {"block_size", "number", "bytes of the file in each frame of the object; left out if it has no frames",
     AT(NONZERO, block_size)},
    {"stored_size", "number", "of the object, in bytes", NEED(COUNT, stored_size)},
    {"stored_sha256", "digest", "SHA-256 of the object, in hex", NEED(CHARS, stored_sha256), .decode = decode_digest},
    {"partial", "text", "why the file is not whole; left out if it is", AT(TEXT, partial)},
    {"sensitive", "text",
     "why it needs more care than others: the core of a set-user-id program; left out if it does not "
     "(docs/core-dumps.md)",
     AT(TEXT, sensitive)},
    {"summary", "text",
     "what the evidence says, in one sentence (docs/digest.md); left out if that is unknown, as with `--no-digest`",
     AT(TEXT, summary)},
    {"top", "list",
     "of a heap: the five classes with most bytes, each with `name`, `count` (objects) and `bytes` (of all of them "
     "together)",
     AT(CUSTOM, top), .encode = encode_top, .decode = decode_top},
    {"pause_ms", "number",
     "for how long the process stood still for it, in milliseconds; left out if that is unknown, or if the process "
     "did not stand still",
     AT(MILLIS, pause.us)},
    {"pause_by", "text",
     "how pause_ms was measured. `ptrace`: salvage stopped the process. `safepoint`: HotSpot's counter of time at "
     "safepoints, collections in between included. `answer`: from the request to the JVM's answer, an upper bound. "
     "`file`: from the creation of a dump at an OutOfMemoryError to its last write, an upper bound",
     AT(CUSTOM, pause.by), .encode = encode_pause, .decode = decode_pause},
    {"consistent_bytes", "number",
     "of a core: this many bytes from its beginning, and the stacks, were copied during the pause; the rest was copied "
     "later, while the process ran; left out if all was copied during the pause",
     AT(NONZERO, pause.consistent)},
    {"verified", "text",
     "how the object was verified. `read`: the store was asked for its size and digest, or it was read back; `put`: "
     "that was impossible (or `--verify=put`), so the store's answers to the upload count",
     AT(TEXT, verified)},
    {"tool", "text", "what wrote the object: `salvage VERSION`", AT(TEXT, tool)},
    {"where.place", "text", "what it belongs to: `NAMESPACE/POD`, `ecs/CLUSTER/FAMILY/TASK` or `host/HOSTNAME`",
     AT(TEXT, where.place)},
    {"where.namespace", "text", "the pod's namespace", AT(TEXT, where.namespace)},
    {"where.pod", "text", "the pod's name", AT(TEXT, where.pod)},
    {"where.pod_uid", "text", "the pod's UID", AT(TEXT, where.pod_uid)},
    {"where.node", "text", "the node's name", AT(TEXT, where.node)},
    {"where.container", "text", "the container's name", AT(TEXT, where.container)},
    {"where.container_id", "text", "the container's id, as its runtime knows it", AT(TEXT, where.container_id)},
    {"where.image", "text", "the container's image", AT(TEXT, where.image)},
    {"where.image_digest", "text", "the image's digest, `sha256:…`", AT(TEXT, where.image_digest)},
    {"where.host", "text", "the host's name, as the process saw it", AT(TEXT, where.host)},
    {"where.owner", "text", "what the pod belongs to, by the node's table of pods: `Deployment/cart`",
     AT(TEXT, where.owner)},
    {"where.restarts", "number", "how often the container had been restarted, by the node's table of pods",
     AT(NONZERO, where.restarts)},
    {"where.cluster", "text", "ECS: the cluster's name", AT(TEXT, where.cluster)},
    {"where.family", "text", "ECS: the family of the task definition", AT(TEXT, where.family)},
    {"where.revision", "text", "ECS: the revision of the task definition", AT(TEXT, where.revision)},
    {"where.task", "text", "ECS: the task's id", AT(TEXT, where.task)},
    {"where.launch_type", "text", "ECS: `FARGATE` or `EC2`", AT(TEXT, where.launch_type)},
    {"where.instance", "text", "EC2: the instance's id", AT(TEXT, where.instance)},
    {"where.instance_type", "text", "EC2: the instance's type", AT(TEXT, where.instance_type)},
    {"where.region", "text", "AWS: the region", AT(TEXT, where.region)},
    {"where.zone", "text", "AWS: the availability zone", AT(TEXT, where.zone)},
    {"process.pid", "number", "the process's id in its own container", AT(NONZERO, process.pid)},
    {"process.uid", "number", "the user id that owned the file", AT(COUNT, process.uid)},
    {"process.jvm", "text", "the Java VM and its version", AT(TEXT, process.jvm)},
    {"process.command", "text", "the command line", AT(TEXT, process.command)},
    {"origin.detail", "text", "cause in the file's own words: `SIGSEGV (11)`, `java/lang/OutOfMemoryError: …`",
     AT(TEXT, origin.detail)},
    {"origin.time", "text", "time of its making in the file itself", AT(TEXT, origin.time)},
    {"origin.file", "text", "path of the dump that is named in the file itself", AT(TEXT, origin.file)},
    {"time.modified", "time", "when the file was last written to (RFC 3339, UTC, as all times)",
     AT(TIME, time.modified)},
    {"time.found", "time", "when the file was found", AT(TIME, time.found)},
    {"time.settled", "time", "when the file was complete", AT(TIME, time.settled)},
    {"time.shipped", "time", "when the object was in the store and verified", AT(TIME, time.shipped)},
    {0},
};

void manifest_done(struct manifest *m)
{
    json_fields_done(MANIFEST_FIELDS, m);
    free(m->top);
    *m = (struct manifest){0};
}

int manifest_set_summary(struct manifest *m, const struct summary *s)
{
    assert(m && s && !m->summary && !m->top && s->top_count <= SUMMARY_ROWS_MAX);
    if (*s->sentence && !(m->summary = strdup(s->sentence)))
        return -ENOMEM;
    if (s->top_count == 0)
        return 0;
    if (!(m->top = calloc(1, sizeof(*m->top))))
        return -ENOMEM;
    m->top->count = s->top_count;
    memcpy(m->top->row, s->top, sizeof(s->top));
    return 0;
}

int manifest_encode(const struct manifest *m, struct buf *ret)
{
    json_auto_t *root = NULL;
    CLEANUP_FREE char *text = NULL;

    if (json_fields_encode(MANIFEST_FIELDS, m, "", &root) < 0)
        return -ENOMEM;
    text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}

static int bad_field(int r, const struct json_field *f, struct err *e)
{
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory for the manifest");
    if (r == -ENOENT)
        return err_set(e, -FAULT_FORMAT, "this is not a manifest of ours: it has no \"%s\"", f->path);
    if (f->kind == FIELD_CONSTANT)
        return err_set(e, -FAULT_FORMAT,
                       "the manifest's schema is not " MANIFEST_SCHEMA ": read it with the salvage "
                       "that wrote it, or a newer one");
    return err_set(e, -FAULT_FORMAT, "the manifest is damaged: its \"%s\" is not a %s", f->path, f->type);
}

int manifest_decode(const char *json, size_t size, struct manifest *ret, struct err *e)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    const struct json_field *bad;
    json_auto_t *root = NULL;
    json_error_t error;
    int r;

    if (size > MANIFEST_MAX)
        return err_set(e, -FAULT_FORMAT, "this is not a manifest of ours: it is larger than 1 MiB");
    if (json && !json_read_is_shallow(json, size))
        return err_set(e, -FAULT_FORMAT, "this is not a manifest of ours: it is nested too deeply");
    root = json_loadb(json ? json : "", size, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory)
        return err_set(e, -ENOMEM, "out of memory for the manifest");
    if (!root)
        return err_set(e, -FAULT_FORMAT, "the manifest is not JSON: line %d: %s", error.line, error.text);
    if ((r = json_fields_decode(MANIFEST_FIELDS, root, &m, &bad)) < 0)
        return bad_field(r, bad, e);
    *ret = m;
    m = (struct manifest){0};
    return 0;
}
