/* SPDX-License-Identifier: Apache-2.0
 *
 * What this server itself has just done to the store, written to the index at once, so that the next page shows it. The
 * thread that reads the store is asked as well (catalogue_changed): a listing that began before would undo this.
 */
#include <assert.h>

#include "base/fault.h"
#include "base/mem.h"
#include "serve/catalogue_internal.h"

/* A failure is no harm: the thread finds out. */
static void end(struct catalogue *c, int result, struct err *e)
{
    bool changed = c->index->changes > 0;

    result = result == 0 ? index_commit(c->index, e) : index_rollback(c->index, result);
    if (result == -FAULT_CORRUPT)
        catalogue_damaged(c);
    else if (result == 0 && changed)
        catalogue_bump(c);
}

void catalogue_set_pin(struct catalogue *c, const char *id, bool pinned)
{
    struct err e;

    assert(c && id);
    if (index_begin(c->index, &e) == 0)
        end(c, index_pin(c->index, id, pinned, &e), &e);
}

void catalogue_drop(struct catalogue *c, const struct strv *keys)
{
    struct err e;
    int r = 0;

    assert(c && keys);
    if (index_begin(c->index, &e) < 0)
        return;
    for (size_t i = 0; r == 0 && i < keys->count; i++)
        r = index_drop(c->index, keys->item[i], &e);
    end(c, r, &e);
}

static int find_pin(struct index *x, const char *id, bool *ret, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int r = sql_prepare(x->read.db, "SELECT pinned FROM cases WHERE path = ?", &s, e);

    if (r < 0)
        return r;
    sql_text(s, 1, id);
    if ((r = sql_step(s, e)) == 0)
        return err_set(e, -FAULT_NO_OBJECT, "there is no such case");
    if (r > 0)
        *ret = sqlite3_column_int(s, 0) != 0;
    return r < 0 ? r : 0;
}

int catalogue_find_pin(struct catalogue *c, const char *id, bool *ret, struct err *e)
{
    assert(c && id && ret);
    return catalogue_leave(c, find_pin(catalogue_enter(c), id, ret, e));
}
