/* SPDX-License-Identifier: Apache-2.0
 *
 * A case that a command line names.
 */
#include "cmd/case_operand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

static char *take_last_part(struct url *u)
{
    u->path[text_size_without_slashes(u->path)] = '\0';
    return url_take_last_part(u);
}

/* "…/FOLDER/OBJECT" as FOLDER, if that is a case's. */
static int widen(struct case_operand *o, struct err *e)
{
    CLEANUP_FREE char *whole = strdup(o->config.url.path), *name = take_last_part(&o->config.url);

    if (!whole || !name)
        return err_set(e, -ENOMEM, "out of memory");
    if (case_is_folder(name)) {
        free(o->id);
        o->id = TAKE_PTR(name);
    } else {
        free(o->config.url.path);
        o->config.url.path = TAKE_PTR(whole);
    }
    return 0;
}

static int name_by_url(struct case_operand *o, bool whole, struct err *e)
{
    if (!(o->id = take_last_part(&o->config.url)))
        return err_set(e, -ENOMEM, "out of memory");
    return whole && !case_is_folder(o->id) ? widen(o, e) : 0;
}

static int name_by_key(struct case_operand *o, const char *key, bool whole, struct err *e)
{
    char *slash;

    if (!(o->id = strdup(key)))
        return err_set(e, -ENOMEM, "out of memory");
    o->id[text_size_without_slashes(o->id)] = '\0';
    slash = strrchr(o->id, '/');
    if (!whole || !slash || case_is_folder(slash + 1))
        return 0;
    *slash = '\0';
    if (!case_is_folder(o->id))
        *slash = '/';
    return 0;
}

static int open_named(const struct plan_options *plan, const char *operand, bool whole, struct case_operand *o,
                      struct err *e)
{
    bool by_url = strstr(operand, "://") != NULL;
    int r;

    if (!by_url && !plan->to)
        return err_set(e, -FAULT_USAGE, "%s: in which store? Give the whole URL, or --to URL", operand);
    if ((r = plan_sink_config(&o->config, plan, by_url ? operand : plan->to, e)) < 0)
        return r;
    if ((r = by_url ? name_by_url(o, whole, e) : name_by_key(o, operand, whole, e)) < 0)
        return r;
    if (!*o->id)
        return err_set(e, -FAULT_USAGE, "%s: which case? `salvage ls URL` shows them", operand);
    if ((r = sink_open(&o->config, &o->sink, e)) < 0 ||
        (r = case_objects_list(o->sink, o->id, case_is_folder(o->id), &o->objects, e)) < 0)
        return r;
    return o->objects.keys.count > 0
               ? 0
               : err_set(e, -FAULT_NO_OBJECT, "%s: there is no such case, and no such object", operand);
}

int case_operand_open(const struct plan_options *plan, const char *operand, bool whole, struct case_operand *ret,
                      struct err *e)
{
    struct case_operand o = {0};
    int r = open_named(plan, operand, whole, &o, e);

    if (r < 0) {
        case_operand_done(&o);
        return r;
    }
    *ret = o;
    return 0;
}

void case_operand_done(struct case_operand *o)
{
    sink_close(o->sink);
    sink_config_done(&o->config);
    case_objects_done(&o->objects);
    free(o->id);
    *o = (struct case_operand){0};
}
