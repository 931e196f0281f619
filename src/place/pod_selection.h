/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pods a component of the node agent is for: those to which one of its rules applies, by the table of pods
 * (place/pod_table.h). A pod that is not in the table yet is waited for, and then its namespace decides, as without a
 * table. Remembers what it said, so that a change of the table that changes an answer is noticed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "place/pod_logs.h"

enum {
    POD_SELECTION_WAIT_MS = 10 * 1000,   /* for a pod's row */
    POD_SELECTION_PENDING_MS = 45 * 1000 /* for its rule: longer than the table is undecided */
};

struct pod_selection;

/* All borrowed. */
struct pod_selection_config {
    const char *table;                 /* NULL: namespaces alone decide */
    const struct opt_list *rules;      /* names */
    const struct opt_list *namespaces; /* base/glob_list.h; NULL or empty: none is selected by its namespace */
    const char *pod_logs;              /* which namespace a UID is of, where the table does not say */
};

/* -ENOMEM. */
int pod_selection_new(const struct pod_selection_config *c, struct pod_selection **ret);
void pod_selection_free(struct pod_selection *s);
DEFINE_CLEANUP(struct pod_selection *, pod_selection_free)

/* 1: the pod is selected, 0: it is not; -EINPROGRESS: its row or its rule is waited for, ask again; -EAGAIN: even its
 * namespace is not known; the reason is in e. ret_names: the pod's, as the table or the kubelet has them; set if not
 * negative. wait false: what is not known is decided by the namespace. */
int pod_selection_has_uid(struct pod_selection *s, const char *uid, bool wait, struct pod_logs_names *ret_names,
                          struct err *e);
int pod_selection_has_pod(struct pod_selection *s, const struct pod_logs_names *pod, bool wait, struct err *e);

/* Reads the table if it was replaced. True: an answer is another one now than when it was given; once. */
bool pod_selection_refresh(struct pod_selection *s);

/* When a pod that is waited for is to be asked for again, monotonic; UINT64_MAX: none is. */
uint64_t pod_selection_due_ms(const struct pod_selection *s);

/* For loops that wait: readable when the table may have been replaced; pod_selection_refresh reads it off. -1: there is
 * no table, or no inotify. */
int pod_selection_fd(struct pod_selection *s);
