/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of uploads on a command line, and what they mean.
 */
#pragma once

#include "base/opt.h"
#include "serve/uploads.h"

struct upload_options {
    uint64_t object_max, abandoned_ms;
    const char *reserve;    /* "2%", "10GiB" */
    struct opt_list quotas; /* "shop=100GiB", "*=20GiB" */
};

#define UPLOAD_OPTIONS(type, field)                                                                                    \
    {OPT_HEADING, .name = "Uploads"},                                                                                  \
        {OPT_SIZE,                                                                                                     \
         0,                                                                                                            \
         "object-max",                                                                                                 \
         "SIZE",                                                                                                       \
         NULL,                                                                                                         \
         offsetof(type, field.object_max),                                                                             \
         "the largest object that is taken; 0: no limit"},                                                             \
        {OPT_STRING,                                                                                                   \
         0,                                                                                                            \
         "reserve",                                                                                                    \
         "SIZE|PERCENT",                                                                                               \
         "2%",                                                                                                         \
         offsetof(type, field.reserve),                                                                                \
         "with --root: uploads leave this much of the disk free: 2%, 10GiB"},                                          \
        {OPT_LIST,                                                                                                     \
         0,                                                                                                            \
         "quota",                                                                                                      \
         "NAMESPACE=SIZE",                                                                                             \
         NULL,                                                                                                         \
         offsetof(type, field.quotas),                                                                                 \
         "with --root: the share of a namespace on the disk; '*=SIZE': of each other one; may be repeated"},           \
    {                                                                                                                  \
        OPT_DURATION, 0, "abandoned", "DURATION", "1d", offsetof(type, field.abandoned_ms),                            \
            "with --root: an upload that can be resumed goes when nothing came for this long; 0: never"                \
    }

/* -FAULT_USAGE, -ENOMEM. Borrows from o. */
int upload_options_read(const struct upload_options *o, struct upload_config *ret, struct err *e);
void upload_config_done(struct upload_config *c);
