/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of fields, and four kinds of values that can be written and read: encoding, decoding, freeing and the
 * docs all walk it. Knows what a manifest looks like, not whether it is true: digests are compared elsewhere.
 */
#include "ship/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"

enum kind {
    SCHEMA, /* MANIFEST_SCHEMA itself */
    TEXT,   /* char *; left out if NULL or "" */
    DIGEST, /* char[SHA256_HEX_MAX]; left out if "" */
    COUNT,  /* uint64_t; 0 is a number like any other */
    KNOWN,  /* uint64_t; left out if 0 */
    TIME,   /* int64_t ns, as text to the millisecond; left out if 0 */
    MILLIS, /* uint64_t us, as a number of ms; left out if 0 */
    PAUSED, /* enum pause_by, as text; left out if unknown */
};

static const double MILLIS_MAX = 1e12; /* 30 years */

#define AT(k, member) .at = {.kind = (k), .offset = offsetof(struct manifest, member)}
#define NEED(k, member) .at = {.kind = (k), .needed = true, .offset = offsetof(struct manifest, member)}

const struct manifest_field MANIFEST_FIELDS[] = {
    {"schema", "text", "always \"" MANIFEST_SCHEMA "\"", .at = {.kind = SCHEMA, .needed = true}},
    {"id", "text", "which file this was: 16 hex digits, the same for every attempt to ship it", AT(TEXT, id)},
    {"key", "text", "the object's key, relative to the store's prefix", NEED(TEXT, key)},
    {"kind", "text", "what it is: `heap-dump`, `core`, `hs-err`, `file` …", AT(TEXT, kind)},
    {"cause", "text", "why it was made: `java-oom`, `signal`, `user`, `manual`, `unknown` … (docs/kinds.md)",
     AT(TEXT, cause)},
    {"name", "text", "the file's own name; bytes that are not UTF-8 as U+FFFD", AT(TEXT, name)},
    {"path", "text", "where the file lay", AT(TEXT, path)},
    {"size", "number", "of the file, in bytes", NEED(COUNT, size)},
    {"sha256", "digest", "SHA-256 of the file, in hex", NEED(DIGEST, sha256)},
    {"codec", "text", "how the object is compressed: `zstd:LEVEL`, `gzip:LEVEL` or `none`", NEED(TEXT, codec)},
    {"block_size", "number", "bytes of the file in each frame of the object; left out if it has no frames",
     AT(KNOWN, block_size)},
    {"stored_size", "number", "of the object, in bytes", NEED(COUNT, stored_size)},
    {"stored_sha256", "digest", "SHA-256 of the object, in hex", NEED(DIGEST, stored_sha256)},
    {"partial", "text", "why the file is not whole; left out if it is", AT(TEXT, partial)},
    {"pause_ms", "number",
     "for how long the process stood still for it, in milliseconds; left out where that is not known, or where nothing "
     "stood still",
     AT(MILLIS, pause.us)},
    {"pause_by", "text",
     "how that is known. `ptrace`: salvage held the process. `safepoint`: HotSpot's own count of its time at "
     "safepoints, "
     "collections in between included. `answer`: from the request to the JVM's answer, at most so long. `file`: from "
     "the "
     "creation of a dump that the JVM wrote by itself to its last write, at most so long",
     AT(PAUSED, pause.by)},
    {"consistent_bytes", "number",
     "of a core: so many bytes from its beginning are of the moment of the pause, and so are the stacks; what follows "
     "was copied later, while the process ran; left out if all is of one moment",
     AT(KNOWN, pause.consistent)},
    {"verified", "text",
     "`read`: what was stored was asked for, or read back; `put`: it could not be (or `--verify=put`), so the answers "
     "to the upload count",
     AT(TEXT, verified)},
    {"tool", "text", "what wrote the object: `salvage VERSION`", AT(TEXT, tool)},
    {"where.place", "text", "whose it is: `NAMESPACE/POD`, `ecs/CLUSTER/FAMILY/TASK` or `host/HOSTNAME`",
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
    {"where.cluster", "text", "ECS: the cluster's name", AT(TEXT, where.cluster)},
    {"where.family", "text", "ECS: the family of the task definition", AT(TEXT, where.family)},
    {"where.revision", "text", "ECS: the revision of the task definition", AT(TEXT, where.revision)},
    {"where.task", "text", "ECS: the task's id", AT(TEXT, where.task)},
    {"where.launch_type", "text", "ECS: `FARGATE` or `EC2`", AT(TEXT, where.launch_type)},
    {"where.instance", "text", "EC2: the instance's id", AT(TEXT, where.instance)},
    {"where.instance_type", "text", "EC2: the instance's type", AT(TEXT, where.instance_type)},
    {"where.region", "text", "AWS: the region", AT(TEXT, where.region)},
    {"where.zone", "text", "AWS: the availability zone", AT(TEXT, where.zone)},
    {"process.pid", "number", "the process's id in its own container", AT(KNOWN, process.pid)},
    {"process.uid", "number", "the user id that owned the file", AT(COUNT, process.uid)},
    {"process.jvm", "text", "the Java VM and its version", AT(TEXT, process.jvm)},
    {"process.command", "text", "the command line", AT(TEXT, process.command)},
    {"origin.detail", "text",
     "what the file itself says it was made for: `SIGSEGV (11)`, `java/lang/OutOfMemoryError: …`",
     AT(TEXT, origin.detail)},
    {"origin.time", "text", "when it was made, as the file itself says it", AT(TEXT, origin.time)},
    {"origin.file", "text", "the name that the file itself says it was written to", AT(TEXT, origin.file)},
    {"time.modified", "time", "when the file was last written to (RFC 3339, UTC, as all times)",
     AT(TIME, time.modified)},
    {"time.found", "time", "when the file was found", AT(TIME, time.found)},
    {"time.settled", "time", "when the file was complete", AT(TIME, time.settled)},
    {"time.shipped", "time", "when the object was in the store and verified", AT(TIME, time.shipped)},
    {0},
};

static void *member(struct manifest *m, const struct manifest_field *f)
{
    return (char *)m + f->at.offset;
}

static const void *member_const(const struct manifest *m, const struct manifest_field *f)
{
    return (const char *)m + f->at.offset;
}

void manifest_done(struct manifest *m)
{
    for (const struct manifest_field *f = MANIFEST_FIELDS; f->path; f++)
        if (f->at.kind == TEXT)
            free(*(char **)member(m, f));
    *m = (struct manifest){0};
}

/* 1 with a value, 0 if it is to be left out, -ENOMEM. */
static int encode_value(const struct manifest *m, const struct manifest_field *f, json_t **ret)
{
    const void *p = member_const(m, f);
    char time[CLOCK_TEXT_MAX];
    const char *text = NULL;
    uint64_t n;

    switch ((enum kind)f->at.kind) {
    case SCHEMA:
        text = MANIFEST_SCHEMA;
        break;
    case TEXT:
        text = *(const char *const *)p;
        break;
    case DIGEST:
        text = p;
        break;
    case TIME:
        if (*(const int64_t *)p)
            text = clock_format(*(const int64_t *)p, time);
        break;
    case COUNT:
    case KNOWN:
        n = *(const uint64_t *)p;
        if (n == 0 && f->at.kind == KNOWN)
            return 0;
        *ret = json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
        return *ret ? 1 : -ENOMEM;
    case MILLIS:
        n = *(const uint64_t *)p;
        if (n == 0)
            return 0;
        *ret = json_real((double)n / 1000);
        return *ret ? 1 : -ENOMEM;
    case PAUSED:
        text = pause_name(*(const enum pause_by *)p);
        break;
    }
    if (!text || !*text)
        return 0;
    *ret = jsonout_text(text, MANIFEST_TEXT_MAX);
    return *ret ? 1 : -ENOMEM;
}

int manifest_encode(const struct manifest *m, struct buf *ret)
{
    json_auto_t *root = json_object();
    CLEANUP_FREE char *text = NULL;

    if (!root)
        return -ENOMEM;
    for (const struct manifest_field *f = MANIFEST_FIELDS; f->path; f++) {
        json_t *value;
        int r = encode_value(m, f, &value);

        if (r > 0)
            r = jsonout_put(root, f->path, value);
        if (r < 0)
            return r;
    }
    text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
    if (!text)
        return -ENOMEM;
    return buf_printf(ret, "%s\n", text);
}

/* The value at a path, NULL if there is none. -EBADMSG if the path leads through something that is no object. */
static int get(const json_t *root, const char *path, const json_t **ret)
{
    const char *dot = strchr(path, '.');
    char group[32];

    if (dot) {
        snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
        root = json_object_get(root, group);
        if (root && !json_is_object(root))
            return -EBADMSG;
        path = dot + 1;
    }
    *ret = json_object_get(root, path);
    return 0;
}

static bool is_digest(const char *text)
{
    return strspn(text, "0123456789abcdef") == SHA256_HEX_MAX - 1 && text[SHA256_HEX_MAX - 1] == '\0';
}

static int decode_value(const json_t *value, const struct manifest_field *f, struct manifest *m)
{
    const char *text = json_string_value(value); /* NULL if it is not a string */
    void *p = member(m, f);
    int64_t time_ns;

    switch ((enum kind)f->at.kind) {
    case SCHEMA:
        return text_eq(text, MANIFEST_SCHEMA) ? 0 : -EBADMSG;
    case TEXT:
        if (!text || (f->at.needed && !*text))
            return -EBADMSG;
        if (!*text)
            return 0;
        *(char **)p = strdup(text);
        return *(char **)p ? 0 : -ENOMEM;
    case DIGEST:
        if (!text || !is_digest(text))
            return -EBADMSG;
        memcpy(p, text, SHA256_HEX_MAX);
        return 0;
    case TIME:
        if (!text || clock_parse(text, &time_ns) < 0)
            return -EBADMSG;
        *(int64_t *)p = time_ns - time_ns % 1000000; /* as far as encoding keeps it */
        return 0;
    case COUNT:
    case KNOWN:
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return -EBADMSG;
        *(uint64_t *)p = (uint64_t)json_integer_value(value);
        return 0;
    case MILLIS:
        if (!json_is_number(value) || json_number_value(value) < 0 || json_number_value(value) > MILLIS_MAX)
            return -EBADMSG;
        *(uint64_t *)p = (uint64_t)(json_number_value(value) * 1000 + 0.5);
        return 0;
    case PAUSED: /* a newer one may know more ways */
        *(enum pause_by *)p = pause_find(text);
        return text ? 0 : -EBADMSG;
    }
    return -EBADMSG;
}

static int decode_field(const json_t *root, const struct manifest_field *f, struct manifest *m, struct err *e)
{
    const json_t *value = NULL;
    int r = get(root, f->path, &value);

    if (r == 0 && !value) {
        if (!f->at.needed)
            return 0;
        return err_set(e, -FAULT_FORMAT, "this is not a manifest of ours: it has no \"%s\"", f->path);
    }
    if (r == 0)
        r = decode_value(value, f, m);
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory for the manifest");
    if (r < 0 && f->at.kind == SCHEMA)
        return err_set(e, -FAULT_FORMAT,
                       "the manifest's schema is not " MANIFEST_SCHEMA ": read it with the salvage "
                       "that wrote it, or a newer one");
    return r < 0 ? err_set(e, -FAULT_FORMAT, "the manifest is damaged: its \"%s\" is not a %s", f->path, f->type) : 0;
}

int manifest_decode(const char *json, size_t size, struct manifest *ret, struct err *e)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    json_auto_t *root = NULL;
    json_error_t error;

    if (size > MANIFEST_MAX)
        return err_set(e, -FAULT_FORMAT, "this is not a manifest of ours: it is larger than 1 MiB");
    root = json_loadb(json ? json : "", size, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory)
        return err_set(e, -ENOMEM, "out of memory for the manifest");
    if (!root)
        return err_set(e, -FAULT_FORMAT, "the manifest is not JSON: line %d: %s", error.line, error.text);
    for (const struct manifest_field *f = MANIFEST_FIELDS; f->path; f++) {
        int r = decode_field(root, f, &m, e);

        if (r < 0)
            return r;
    }
    *ret = m;
    m = (struct manifest){0};
    return 0;
}
