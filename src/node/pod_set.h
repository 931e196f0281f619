/* SPDX-License-Identifier: Apache-2.0
 *
 * The pods of this node as several sources know them, each with the rule that fits; and the file that other components
 * read (place/pod_table.h). A pod that is gone stays for POD_GONE_MS. Knows no source: says who has the last word.
 */
#pragma once

#include "base/err.h"
#include "node/config.h"
#include "place/pod_logs.h"
#include "place/pod_row.h"

enum {
    POD_GONE_MS = 60 * 60 * 1000,
    POD_LABELS_WAIT_MS = 30 * 1000 /* from when a pod is first seen, until rules are applied without its labels */
};

struct pod_set_entry {
    struct pod_row row;
    uint64_t first_ms; /* monotonic */
    bool in_api, listed;
    bool in_logs, scanned;
};

struct pod_set {
    struct pod_set_entry *item; /* owned */
    size_t count, capacity;
    bool logs_work;        /* the folders of logs are there: a pod without one is gone, unless the API says otherwise */
    bool api_works;        /* what the API does not name is gone */
    bool labels_expected;  /* a source of labels works, or may yet */
    unsigned refused;      /* pods beyond the table's limit since it was last read */
    unsigned by_namespace; /* pods whose rule was found without their labels, by the last pod_set_apply */
};

void pod_set_done(struct pod_set *s);

/* Takes over what an earlier run wrote; nothing if there is nothing. -EBADMSG, -errno: it can't be read. */
int pod_set_load(struct pod_set *s, const char *path);

/* From the API. row: taken over. -ENOMEM. */
int pod_set_from_api(struct pod_set *s, struct pod_row *row, bool gone);
void pod_set_list_begins(struct pod_set *s);
void pod_set_list_ends(struct pod_set *s);

/* From the folders of logs, and from the runtime. -ENOMEM. */
int pod_set_from_logs(struct pod_set *s, const char *uid, const struct pod_logs_names *names, int64_t created_ns);
int pod_set_container(struct pod_set *s, const char *uid, const char *name, uint64_t restarts);
void pod_set_logs_removed(struct pod_set *s, const char *uid);
void pod_set_scan_begins(struct pod_set *s);
void pod_set_scan_ends(struct pod_set *s);

/* Finds each pod's rule, and drops those that are gone for long. Returns when the next one is due (clock_mono_ms;
 * UINT64_MAX: none). */
uint64_t pod_set_apply(struct pod_set *s, const struct config *c);

/* The text of the table. -ENOMEM, -EMSGSIZE. */
int pod_set_write(const struct pod_set *s, struct buf *ret);

struct pod_set_entry *pod_set_find(const struct pod_set *s, const char *uid);
