/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of a store by one listing, without reading a manifest: for what removes cases, pins them, or counts their
 * space. A folder that the default template made is a case, with or without manifests; elsewhere each object with a
 * manifest beside it is one. All else is not ours, and only counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/sink.h"

enum case_reason { CASE_STAYS, CASE_TOO_OLD, CASE_TOO_MANY, CASE_NAMESPACE_FULL, CASE_STORE_FULL, CASE_DISK_FULL };

struct listed_case {
    char *id;          /* "shop/cart-7f9c/20261121T015605Z-java-oom-0123456789abcdef", or an object's key */
    int64_t time_ns;   /* as the folder's name says; an object's: when its manifest was stored */
    int64_t newest_ns; /* when the last of its objects was stored */
    uint64_t bytes;
    unsigned objects, manifests;
    bool folder, pinned;
    uint64_t series;   /* hash of namespace, workload and cause: crash loops are found by it; 0: none */
    uint64_t workload; /* hash of namespace and workload, or of an object's folder */
    /* What a policy makes of it (ship/retain_plan.h). */
    bool middle;      /* of a crash loop: neither its first nor its last case, nor the first of a suspect */
    bool asked;       /* for its suspect */
    uint64_t suspect; /* hash of what is suspected to have filled the heap; 0: not known, or nothing */
    enum case_reason reason;
    const void *rule;
};

struct listed_space {
    char *namespace;
    uint64_t objects, bytes; /* that belong to no case */
};

struct case_list {
    struct listed_case *item; /* the oldest first */
    size_t count, capacity;
    struct listed_space *other;
    size_t other_count, other_capacity;
    size_t name_bytes;
};

enum { CASE_LIST_BYTES = 256 * 1024 * 1024 }; /* of names */

/* -EMSGSIZE beyond CASE_LIST_BYTES; the store's faults. l: zeroed. */
int case_list_read(struct case_list *l, struct sink *sink, struct err *e);
void case_list_done(struct case_list *l);

/* "20261121T015605Z-java-oom-0123456789abcdef": the time in the name of a case's folder, and where its cause lies.
 * False: it is none. Pure. */
bool case_folder_parse(const char *name, int64_t *ret_time_ns, const char **ret_cause, size_t *ret_cause_size);
