/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Facts about where we run, from ECS's and EC2's metadata services and the container runtime. Copying,
 * encoding, decoding and freeing walk one table. Values are untrusted: one that is not a printable line of text counts
 * as unknown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { FACT_MAX = 512, FACTS_MAX = 32 * 1024 }; /* bytes of one value; of all of them as JSON */

/* All owned; NULL unknown. */
struct facts {
    char *cluster, *family, *revision, *task; /* of an ECS task: short names, not ARNs */
    char *launch_type;                        /* "FARGATE", "EC2" */
    char *container, *container_id, *image, *image_digest;
    char *instance, *instance_type; /* of EC2 */
    char *region, *zone;
    bool asked; /* a metadata service should exist: unknown facts may be known later */
};

void facts_done(struct facts *f);

struct fact_field {
    const char *name; /* "cluster" */
    size_t offset;    /* of its char * */
};
extern const struct fact_field FACT_FIELDS[]; /* ends with name NULL */

/* Sets a fact that is still unknown. Ignores NULL and text that is empty, longer than FACT_MAX, not UTF-8 or has
 * control characters. 0 or -ENOMEM. */
int facts_set(char **field, const char *text);

/* Moves facts that are unknown in `into` from `from`; `asked` is true if either is. */
void facts_merge(struct facts *into, struct facts *from);

/* A deep copy. 0 or -ENOMEM. */
int facts_copy(const struct facts *f, struct facts *ret);

/* A deep copy of the facts that all containers of the machine share: instance, region, zone. 0 or -ENOMEM. */
int facts_of_machine(const struct facts *f, struct facts *ret);

/* As JSON on one line, to pass from loop to worker, and for the next attempt. 0, -ENOMEM, or -EMSGSIZE beyond ret's
 * ceiling. */
int facts_encode(const struct facts *f, struct buf *ret);

/* 0, -EBADMSG, -ENOMEM; ret is untouched on failure. Unknown names are ignored. */
int facts_decode(const char *json, size_t size, struct facts *ret);
