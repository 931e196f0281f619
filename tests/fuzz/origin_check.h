/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds of an origin, whatever it was read from: texts that end, and a cause that may stand in a key.
 */
#pragma once

#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "place/origin.h"

static inline void origin_check(const struct origin *o)
{
    assert(strnlen(o->cause, sizeof(o->cause)) < sizeof(o->cause));
    assert(strspn(o->cause, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(o->cause));
    assert(strnlen(o->detail, sizeof(o->detail)) < sizeof(o->detail));
    assert(strnlen(o->time, sizeof(o->time)) < sizeof(o->time));
    assert(strnlen(o->file, sizeof(o->file)) < sizeof(o->file));
    assert(strnlen(o->jvm, sizeof(o->jvm)) < sizeof(o->jvm));
    assert(strnlen(o->command, sizeof(o->command)) < sizeof(o->command));
}
