/* SPDX-License-Identifier: Apache-2.0
 *
 * Where notices go: "[NAMESPACE=]FORM:URL", such as "shop=slack:https://hooks.slack.com/services/…", or "kubernetes"
 * alone. The URL of a
 * chat's webhook is a secret: it is never logged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "notify/notice.h"

enum notify_via { NOTIFY_BY_REQUEST, NOTIFY_BY_PROGRAM, NOTIFY_BY_KUBE_EVENT, NOTIFY_BY_KUBE_ANNOTATION };

struct notify_form {
    const char *name; /* "slack" */
    const char *content_type;
    const char *path; /* added to the URL; NULL: none */
    const char *help; /* for the docs */
    enum notify_via via;
    /* The body of the request, within the service's limits. 0 or -ENOMEM. NULL: notify/kube_sender.h makes it. */
    int (*body)(const struct notice *n, int64_t now_ns, struct buf *ret);
};

extern const struct notify_form NOTIFY_FORMS[]; /* ends with name NULL */

enum { NOTIFY_TARGET_ID_MAX = 17, NOTIFY_TARGET_NAME_MAX = 300, NOTIFY_TARGETS_MAX = 32 };

struct notify_target {
    const struct notify_form *form;
    char *namespace;                   /* a glob; NULL: all */
    char *url;                         /* secret; of "exec": the program's path; of "kubernetes" "": this pod's */
    char id[NOTIFY_TARGET_ID_MAX];     /* of form and URL, for names of folders */
    char name[NOTIFY_TARGET_NAME_MAX]; /* "slack hooks.slack.com", for the log */
};

struct notify_targets {
    struct notify_target target[NOTIFY_TARGETS_MAX];
    size_t count;
};

/* Adds one. -FAULT_USAGE, with a message that does not repeat the URL; -ENOMEM. */
int notify_targets_add(struct notify_targets *t, const char *text, struct err *e);

/* Adds those of a file: one in each line; empty lines and lines that begin with '#' are skipped. */
int notify_targets_load(struct notify_targets *t, const char *path, struct err *e);

void notify_targets_done(struct notify_targets *t);

bool notify_target_wants(const struct notify_target *t, const struct notice *n);
bool notify_target_is_command(const struct notify_target *t);
bool notify_target_is_kubernetes(const struct notify_target *t); /* only cases of pods go there */
