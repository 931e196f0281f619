/* SPDX-License-Identifier: Apache-2.0
 *
 * Where notices go: "[NAMESPACE=]FORM:URL", such as "shop=slack:https://hooks.slack.com/services/…". The URL of a
 * chat's webhook is a secret: it is never logged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "notify/notice.h"

struct target_form {
    const char *name; /* "slack" */
    const char *content_type;
    const char *path; /* added to the URL; NULL: none */
    const char *help; /* for the docs */
    /* The body of the request, within the service's limits. 0 or -ENOMEM. */
    int (*body)(const struct notice *n, int64_t now_ns, struct buf *ret);
};

extern const struct target_form TARGET_FORMS[]; /* ends with name NULL */

enum { TARGET_ID_MAX = 17, TARGET_NAME_MAX = 300, TARGETS_MAX = 32 };

struct target {
    const struct target_form *form;
    char *namespace;            /* a glob; NULL: all */
    char *url;                  /* secret; of "exec": the program's path */
    char id[TARGET_ID_MAX];     /* of form and URL, for names of folders */
    char name[TARGET_NAME_MAX]; /* "slack hooks.slack.com", for the log */
};

struct targets {
    struct target target[TARGETS_MAX];
    size_t count;
};

/* Adds one. -FAULT_USAGE, with a message that does not repeat the URL; -ENOMEM. */
int targets_add(struct targets *t, const char *text, struct err *e);

/* Adds those of a file: one in each line; empty lines and lines that begin with '#' are skipped. */
int targets_load(struct targets *t, const char *path, struct err *e);

void targets_done(struct targets *t);

bool target_wants(const struct target *t, const struct notice *n);
bool target_is_command(const struct target *t);
