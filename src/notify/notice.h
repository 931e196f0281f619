/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A notice: what died, why, where its evidence is. As JSON it waits in the queue, is the data of a
 * CloudEvent, and the input of a command.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_fields.h"
#include "base/summary.h"

enum { NOTICE_MAX = 64 * 1024, NOTICE_CLASSES = 3 };

/* The classes with most bytes. */
struct notice_top {
    unsigned count;
    struct summary_row row[NOTICE_CLASSES];
};

/* All strings owned; NULL where unknown. */
struct notice {
    char *id;       /* of the case: "shop/cart-7f9c/20261121T015605Z-java-oom-0123456789abcdef" */
    char *sentence; /* what died, and why */
    char *summary;  /* what the evidence says; NULL: unknown */
    char *place;    /* "shop/cart-7f9c" */
    char *namespace, *workload, *pod, *pod_uid, *container, *cause, *kind;
    char *object;          /* its URL in the store, for `salvage get` */
    char *link;            /* a page about it; NULL: there is none */
    int64_t time_ns;       /* of the death */
    uint64_t size;         /* of the evidence, bytes */
    uint64_t stored_size;  /* in the store */
    uint64_t exit_code;    /* of the process that died; 0: unknown */
    uint64_t more;         /* so many others like it since the last notice */
    struct notice_top top; /* of a heap */
};

extern const struct json_field NOTICE_FIELDS[]; /* also for the docs */

void notice_done(struct notice *n);

/* A new object; NULL without memory. */
json_t *notice_json(const struct notice *n);

/* The same as text, in one line. 0, -ENOMEM. */
int notice_encode(const struct notice *n, struct buf *ret);

/* -FAULT_FORMAT, -ENOMEM; ret is untouched on failure. */
int notice_decode(const char *json, size_t size, struct notice *ret, struct err *e);

/* Whether two are alike: the same cause of death of the same workload. */
int notice_alike(const struct notice *a, const struct notice *b);

/* The same cause of death of the same container of the same pod. */
int notice_alike_in_pod(const struct notice *a, const struct notice *b);

/* ", and 14 more like this" into out[NOTICE_MORE_MAX], "" for none; returns out. */
enum { NOTICE_MORE_MAX = 64 };
const char *notice_more(const struct notice *n, char *out);

/* "byte[] 611.2 MiB, com.shop.Order 301.0 MiB" into out[NOTICE_CLASSES_MAX], "" if they are unknown; returns out. */
enum { NOTICE_CLASSES_MAX = 600 };
const char *notice_classes(const struct notice *n, char *out);
