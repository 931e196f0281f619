/* SPDX-License-Identifier: Apache-2.0
 *
 * Names for what pause.h lists.
 */
#include "linux/pause.h"

#include <stdio.h>

#include "base/text.h"

static const char *const NAMES[PAUSE_KINDS] = {
    [PAUSE_PTRACE] = "ptrace", [PAUSE_SAFEPOINT] = "safepoint", [PAUSE_ANSWER] = "answer", [PAUSE_FILE] = "file"};

const char *pause_name(enum pause_by by)
{
    return NAMES[by];
}

enum pause_by pause_find(const char *name)
{
    for (unsigned i = PAUSE_UNKNOWN + 1; name && i < PAUSE_KINDS; i++)
        if (text_eq(NAMES[i], name))
            return (enum pause_by)i;
    return PAUSE_UNKNOWN;
}

const char *pause_print(const struct pause *p, char *out)
{
    const char *bound = p->by == PAUSE_ANSWER || p->by == PAUSE_FILE ? "<" : "";
    double ms = (double)p->us / 1000;

    if (p->by == PAUSE_UNKNOWN)
        snprintf(out, PAUSE_TEXT_MAX, "-");
    else if (ms < 1000)
        snprintf(out, PAUSE_TEXT_MAX, "%s%.*f ms", bound, ms < 10, ms);
    else
        snprintf(out, PAUSE_TEXT_MAX, "%s%.1f s", bound, ms / 1000);
    return out;
}

struct pause pause_of(enum pause_by by, uint64_t us)
{
    return (struct pause){.by = by, .us = us ? us : 1};
}
