/* SPDX-License-Identifier: Apache-2.0
 *
 * Converts options back to arguments, for a child process with the same options.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/opt.h"
#include "base/strv.h"

static int add_choice(struct strv *to, const struct opt *o, int index)
{
    const char *name = o->arg;

    for (; index > 0; index--)
        name += strcspn(name, "|") + 1;
    return strv_printf(to, "--%s=%.*s", o->name, (int)strcspn(name, "|"), name);
}

static int add_option(struct strv *to, const struct opt *o, const void *field)
{
    const struct opt_list *list = field;
    const char *text;
    int r = 0;

    switch (o->type) {
    case OPT_FLAG:
        return strv_printf(to, *(const bool *)field ? "--%s" : "--no-%s", o->name);
    case OPT_STRING:
        text = *(const char *const *)field;
        return text ? strv_printf(to, "--%s=%s", o->name, text) : 0;
    case OPT_LIST:
        for (unsigned i = 0; r == 0 && i < list->count; i++)
            r = strv_printf(to, "--%s=%s", o->name, list->item[i]);
        return r;
    case OPT_UINT:
    case OPT_SIZE:
        return strv_printf(to, "--%s=%" PRIu64, o->name, *(const uint64_t *)field);
    case OPT_DURATION:
        return strv_printf(to, "--%s=%" PRIu64 "ms", o->name, *(const uint64_t *)field);
    case OPT_CHOICE:
        return add_choice(to, o, *(const int *)field);
    case OPT_END:
    case OPT_HEADING:
    case OPT_EXCLUDES:
        break;
    }
    return 0;
}

int opt_arguments(const struct opt *table, const void *options, struct strv *to)
{
    int r = 0;

    for (; r == 0 && table->type != OPT_END; table++)
        r = add_option(to, table, (const char *)options + table->offset);
    return r;
}
