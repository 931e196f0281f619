/* SPDX-License-Identifier: Apache-2.0
 *
 * Options to targets.
 */
#include "notify/notify_options.h"

#include <assert.h>

int notify_options_read(const struct notify_options *o, struct notify_targets *ret, struct err *e)
{
    int r = 0;

    assert(o && ret && ret->count == 0);
    for (unsigned i = 0; i < o->targets.count && r == 0; i++)
        r = notify_targets_add(ret, o->targets.item[i], e);
    return r == 0 && o->file ? notify_targets_load(ret, o->file, e) : r;
}
