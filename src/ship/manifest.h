/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The manifest of an object: kind, cause, origin, sizes and digests. JSON, written last: a manifest in
 * the store means that the object is whole. Readers ignore unknown fields; "schema" changes only if old readers would
 * misread it. docs/manifest.md is generated from the table of fields in manifest.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_fields.h"
#include "base/summary.h"
#include "linux/pause.h"

#define MANIFEST_SCHEMA "salvage.manifest/1"
#define MANIFEST_SUFFIX ".json"

enum { SHA256_HEX_MAX = 65, MANIFEST_MAX = 1024 * 1024, MANIFEST_TEXT_MAX = JSON_FIELD_TEXT_MAX };

/* The classes that fill a heap, the most bytes first. */
struct manifest_top {
    unsigned count;
    struct summary_row row[SUMMARY_ROWS_MAX];
};

/* All strings owned; NULL or "" where unknown (left out of the JSON). Times: ns since 1970, 0 unknown. */
struct manifest {
    char *id;                           /* identifies the file: 16 hex digits */
    char *key;                          /* of the object, relative to the store's prefix */
    char *kind;                         /* "heap-dump" */
    char *cause;                        /* "java-oom" */
    char *name;                         /* the file's own name; bytes that are not UTF-8 as U+FFFD */
    char *path;                         /* of the file before it was shipped */
    char *codec;                        /* "zstd:1", "gzip:6", "none" */
    char *verified;                     /* "read", "put"; NULL in old manifests */
    char *partial;                      /* why it is not whole; NULL if it is */
    char *sensitive;                    /* why it needs more care than others; NULL: it does not */
    char *summary;                      /* what the evidence says, in one sentence; foreign text */
    struct manifest_top *top;           /* owned; NULL: unknown */
    char *tool;                         /* "salvage 0.1.0" */
    uint64_t size;                      /* of the file, bytes */
    uint64_t stored_size;               /* of the object, bytes */
    char sha256[SHA256_HEX_MAX];        /* of the file */
    char stored_sha256[SHA256_HEX_MAX]; /* of the object */
    uint64_t block_size;                /* raw bytes per frame; 0: not in blocks */
    struct pause pause;                 /* of the process, for this evidence */
    struct {
        char *place; /* the value of {place} in the key */
        char *namespace, *pod, *pod_uid, *node, *container, *container_id, *image, *image_digest, *host;
        char *owner;       /* "Deployment/cart" */
        uint64_t restarts; /* of the container; 0: none, or unknown */
        char *cluster, *family, *revision, *task, *launch_type, *instance, *instance_type, *region, *zone;
    } where;
    struct {
        uint64_t pid; /* 0 unknown */
        uint64_t uid; /* the file's owner */
        char *jvm;    /* version */
        char *command;
    } process;
    struct {
        char *detail, *time, *file; /* from the evidence itself */
    } origin;
    struct {
        int64_t modified, found, settled, shipped;
    } time;
};

void manifest_done(struct manifest *m);

/* What a summary says, for manifests without one. 0 or -ENOMEM. */
int manifest_set_summary(struct manifest *m, const struct summary *s);

/* Appends the JSON, indented, with a newline at its end. Texts are cut at MANIFEST_TEXT_MAX bytes: a manifest with a
 * very long command line must be readable. 0, -ENOMEM, or -EMSGSIZE beyond ret's ceiling. */
int manifest_encode(const struct manifest *m, struct buf *ret);

/* Strict about types and digests; ignores unknown fields; requires what is needed to fetch and verify the object (key,
 * codec, sizes, digests). -FAULT_FORMAT with the reason, -ENOMEM; ret is untouched on failure. At most MANIFEST_MAX
 * bytes. */
int manifest_decode(const char *json, size_t size, struct manifest *ret, struct err *e);

extern const struct json_field MANIFEST_FIELDS[]; /* also for the generated docs */
