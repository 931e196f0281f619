/* SPDX-License-Identifier: Apache-2.0
 *
 * What evidence says, put into a manifest of others, which is otherwise left as it is: fields of later versions, too.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/summary.h"
#include "store/sink.h"

/* json: a manifest without a summary. Appended to ret. -EALREADY: it has one; -FAULT_FORMAT, -ENOMEM. */
int manifest_with_summary(const struct buf *json, const struct summary *s, struct buf *ret, struct err *e);

/* The same in the store, of the object of this key. Its manifest may have been removed, or be another by now; one that
 * is removed at the same moment does not stay. -EALREADY, -FAULT_NO_OBJECT, the store's faults. */
int manifest_store_summary(struct sink *sink, const char *key, const struct summary *s, struct err *e);
