/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Facts about where we run, from ECS's and EC2's metadata services, the container runtime.
 * One table, which copying, encoding, decoding and freeing walk. Values are strangers' words: one that is no decent
 * line of text counts as unknown.
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
    bool asked; /* a metadata service should be there: what is unknown may be known another time */
};

void facts_done(struct facts *f);

struct fact_field {
    const char *name; /* "cluster" */
    size_t offset;    /* of its char * */
};
extern const struct fact_field FACT_FIELDS[]; /* ends with name NULL */

/* Sets one that is unknown yet. Text that is empty, longer than FACT_MAX, not UTF-8 or has control characters in it is
 * passed over; NULL too. 0 or -ENOMEM. */
int facts_set(char **field, const char *text);

/* Takes over what is unknown in `into`; `asked` if either is. `from` loses what was taken. */
void facts_merge(struct facts *into, struct facts *from);

/* Deep. 0 or -ENOMEM. */
int facts_copy(const struct facts *f, struct facts *ret);

/* What holds for every container of the machine: instance, region, zone. Deep. 0 or -ENOMEM. */
int facts_of_machine(const struct facts *f, struct facts *ret);

/* As JSON, one line: for the way between loop and worker, and for the next attempt. 0, -ENOMEM, or -EMSGSIZE beyond
 * ret's ceiling. */
int facts_encode(const struct facts *f, struct buf *ret);

/* 0, -EBADMSG, -ENOMEM; ret is untouched on failure. Unknown names are passed over. */
int facts_decode(const char *json, size_t size, struct facts *ret);
