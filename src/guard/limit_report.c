/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.json: why a case was made, and which limits were changed for it. Part of guard/limit_override.h.
 */
#include <jansson.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "guard/limit_override.h"

enum { TEXT_MAX = 512 };

static json_t *settings(const struct limit_override *l, bool hold)
{
    json_t *array = json_array();

    for (unsigned i = 0; array && i < l->count; i++) {
        const struct limit_override_setting *s = &l->setting[i];

        if (s->hold == hold)
            json_array_append_new(array,
                                  json_pack("{s:o, s:s, s:s, s:s}", "cgroup", jsonout_text(s->cgroup, TEXT_MAX), "file",
                                            limit_override_file_name(s->file), "before", s->before, "after", s->after));
    }
    return array;
}

static json_t *why(const struct err *e)
{
    return e->msg[0] ? jsonout_text(e->msg, TEXT_MAX) : json_null();
}

static json_t *bytes(uint64_t n)
{
    return n > INT64_MAX ? json_null() : json_integer((json_int_t)n);
}

char *limit_override_describe(const struct limit_overrides *l, const struct limit_override_outcome *o,
                              const char *target, pid_t pid, const char *because)
{
    const struct limit_override_policy *p = &l->policy;
    char time[CLOCK_TEXT_MAX];
    json_auto_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o}", "schema", "salvage.guard-case/1", "time",
                  clock_format(clock_wall_ns(), time), "why", jsonout_text(because, TEXT_MAX), "target",
                  jsonout_text(target, TEXT_MAX), "pid", (int)pid, "limit", bytes(o->limit), "used", bytes(o->used));

    if (!root)
        return NULL;
    json_object_set_new(root, "lend",
                        !p->lend ? json_null()
                                 : json_pack("{s:o, s:o, s:o, s:o}", "asked", bytes(p->lend), "bytes", bytes(o->raised),
                                             "settings", settings(&o->override, false), "error", why(&o->lend)));
    json_object_set_new(root, "hold",
                        !p->hold_ms ? json_null()
                                    : json_pack("{s:o, s:o, s:o}", "deadline_ms", bytes(p->hold_ms), "settings",
                                                settings(&o->override, true), "error", why(&o->hold)));
    return json_dumps(root, JSON_COMPACT);
}
