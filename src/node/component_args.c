/* SPDX-License-Identifier: Apache-2.0 */
#include "node/component_args.h"

int component_add_words(struct strv *args, const char *const *words)
{
    int r = 0;

    for (; *words && r == 0; words++)
        r = strv_add(args, *words);
    return r;
}

int component_add_option(struct strv *args, const char *name, const char *value)
{
    return value ? strv_printf(args, "--%s=%s", name, value) : 0;
}

int component_add_list(struct strv *args, const char *name, const struct opt_list *list)
{
    int r = 0;

    for (unsigned i = 0; i < list->count && r == 0; i++)
        r = component_add_option(args, name, list->item[i]);
    return r;
}

int component_add_log(struct strv *args, enum log_format format)
{
    return component_add_option(args, "log", format == LOG_JSON ? "json" : "text");
}
