/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What is known of a pod of this node, as one line of JSON: a row of the table that `salvage node` keeps
 * (place/pod_table.h). Names of namespaces, pods and rules are checked; labels and annotations are what users wrote.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strv.h"
#include "place/containerid.h"
#include "place/layout.h"

enum {
    POD_ROW_MAX = 1024 * 1024,       /* bytes of a line: more than its texts take, each byte written as an escape */
    POD_LABELS_MAX = 128,            /* likewise of annotations */
    POD_PAIRS_BYTES_MAX = 32 * 1024, /* of all labels together */
    POD_CONTAINERS_MAX = 64,
    POD_VOLUMES_MAX = 64,
    POD_TEXT_MAX = 4096, /* bytes of one text; longer ones are left out */
    POD_RULE_MAX = 48
};

/* Prefix of the annotations that are kept. */
#define POD_ANNOTATION_PREFIX "salvage.dev/"

/* Texts are owned; NULL: unknown. */
struct pod_container {
    char *name, *id, *image; /* id: 64 hex digits of the running one, else of the last one */
    uint64_t restarts;
};

struct pod_row {
    char uid[PODUID_MAX], namespace[LAYOUT_NAME_MAX], name[LAYOUT_NAME_MAX];
    char rule[POD_RULE_MAX];         /* of the configuration, that fits; "": none */
    bool pending;                    /* the rule can't be known yet: labels may decide, and are not known */
    bool known;                      /* labels, annotations, owner and volumes come from the API */
    bool host_network;               /* the pod's host name is the node's */
    int64_t created_ns, gone_ns;     /* since 1970; gone: 0 while it is there */
    char *owner_kind, *owner_name;   /* "Deployment", "cart": what people called it */
    char *phase;                     /* "Running" */
    struct strv labels;              /* "NAME=VALUE" */
    struct strv annotations;         /* the same, only those of POD_ANNOTATION_PREFIX, with it */
    struct strv volumes;             /* names of its emptyDirs */
    struct pod_container *container; /* owned; also init containers */
    size_t containers, capacity;
};

void pod_row_done(struct pod_row *p);

/* The value of a label or annotation; NULL without it. Borrowed. */
const char *pod_row_value(const struct strv *pairs, const char *name);

/* The container of this name, or of this id; NULL if there is none. Borrowed. */
struct pod_container *pod_row_container(const struct pod_row *p, const char *name);
struct pod_container *pod_row_container_of_id(const struct pod_row *p, const char *id);

/* Adds a container of this name, or finds it. NULL without memory, or beyond POD_CONTAINERS_MAX. */
struct pod_container *pod_row_add_container(struct pod_row *p, const char *name);

/* Sets a text: NULL, "" and those beyond POD_TEXT_MAX make it unknown. 0 or -ENOMEM. */
int pod_row_set(char **field, const char *text);

/* One line with its end. 0, -ENOMEM, -EMSGSIZE (beyond POD_ROW_MAX, or ret's ceiling). */
int pod_row_encode(const struct pod_row *p, struct buf *ret);

/* ret: to be freed by pod_row_done; untouched on failure. -EBADMSG, -ENOMEM. Unknown names are ignored. */
int pod_row_decode(const char *line, size_t size, struct pod_row *ret);
