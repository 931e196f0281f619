/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of notices, for each command that has them.
 */
#pragma once

#include "base/opt.h"
#include "notify/notify_target.h"

struct notify_options {
    struct opt_list targets;
    const char *file;
    uint64_t every_ms;
    const char *public_url;
};

/* Rows for a command's table of options; `o`: the type of its options, `n`: the notify_options in it. */
/* clang-format off */
#define NOTIFY_OPTIONS(o, n)                                                                                           \
    {OPT_HEADING, .name = "Notices"},                                                                                  \
    {OPT_LIST, 0, "notify", "[NAMESPACE=]FORM[:URL]", NULL, offsetof(o, n.targets),                                      \
     "send a notice of each case once it is in the store: json:URL (a CloudEvent), alertmanager:URL, slack:URL, "       \
     "teams:URL, discord:URL, exec:PROGRAM (the notice as JSON on its standard input), or kubernetes (an Event on the " \
     "pod) and kubernetes-annotation (salvage.dev/last-case); NAMESPACE may be a glob; may be repeated. A webhook's URL is a secret, and a command line can be read by others: prefer --notify-file "   \
     "or SALVAGE_NOTIFY"},                                                                                             \
    {OPT_STRING, 0, "notify-file", "FILE", NULL, offsetof(o, n.file), "such targets from a file, one in each line"},   \
    {OPT_DURATION, 0, "notify-every", "DURATION", "10m", offsetof(o, n.every_ms),                                      \
     "in a crash loop: at most one notice in this time for each cause and workload; it counts the others"},            \
    {OPT_STRING, 0, "public-url", "URL", NULL, offsetof(o, n.public_url),                                              \
     "the server with pages about the store (salvage serve), as people reach it, for links in notices"}
/* clang-format on */

/* 0, also if there are none; -FAULT_USAGE. ret: zeroed; notify_targets_done it in any case. */
int notify_options_read(const struct notify_options *o, struct notify_targets *ret, struct err *e);
