/* SPDX-License-Identifier: Apache-2.0 */
#include "store/az/az_error.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
    const char *code;
    enum fault fault;
} CODES[] = {
    {"AccountBeingCreated", FAULT_BUSY},
    {"BlobAlreadyExists", FAULT_EXISTS},
    {"BlobImmutableDueToPolicy", FAULT_EXISTS},
    {"BlobNotFound", FAULT_NO_OBJECT},
    {"ConditionNotMet", FAULT_EXISTS},
    {"ContainerBeingDeleted", FAULT_NO_BUCKET},
    {"ContainerDisabled", FAULT_NO_BUCKET},
    {"ContainerNotFound", FAULT_NO_BUCKET},
    {"Crc64Mismatch", FAULT_CORRUPT},
    {"InternalError", FAULT_BUSY},
    {"InvalidBlobOrBlock", FAULT_GONE},
    {"InvalidBlockList", FAULT_GONE},
    {"Md5Mismatch", FAULT_CORRUPT},
    {"OperationTimedOut", FAULT_BUSY},
    {"ResourceNotFound", FAULT_NO_OBJECT},
    {"ServerBusy", FAULT_BUSY},
    {"TargetConditionNotMet", FAULT_EXISTS},
};

static enum fault fault_of(const struct az_failure *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(CODES); i++)
        if (text_eq(f->code, CODES[i].code))
            return CODES[i].fault;
    if (f->status == 429 || f->status == 408 || f->status >= 500)
        return FAULT_BUSY;
    switch (f->status) {
    case 401:
    case 403:
        return FAULT_DENIED;
    case 404:
        return f->key ? FAULT_NO_OBJECT : FAULT_NO_BUCKET;
    case 412:
        return FAULT_EXISTS;
    default:
        return FAULT_REFUSED;
    }
}

/* As in a SAS, and as roles are called. */
static const struct {
    const char *verb, *permission, *role;
} ACTIONS[] = {
    [AZ_READ] = {"reading", "read (r)", "Storage Blob Data Reader"},
    [AZ_WRITE] = {"writing", "create and write (cw)", "Storage Blob Data Contributor"},
    [AZ_LIST] = {"listing", "list (l)", "Storage Blob Data Reader"},
    [AZ_DELETE] = {"deleting", "delete (d)", "Storage Blob Data Contributor"},
};

static int explain_denied(const struct az_failure *f, const char *where, const char *more, struct err *e)
{
    if (f->sas)
        return err_set(e, -FAULT_DENIED, "%s %s is denied to the SAS of %s: it must allow %s, for this container%s",
                       ACTIONS[f->action].verb, where, f->source, ACTIONS[f->action].permission, more);
    return err_set(e, -FAULT_DENIED, "%s %s is denied to the %s: give it the role '%s'%s", ACTIONS[f->action].verb,
                   where, f->source, ACTIONS[f->action].role, more);
}

static int explain(const struct az_failure *f, struct err *e)
{
    int fault = (int)fault_of(f);
    char where[320], more[360];

    snprintf(where, sizeof(where), "'%.63s%s%.200s'", f->container, f->key ? "/" : "", f->key ? f->key : "");
    snprintf(more, sizeof(more), " (%ld%s%s%s%.200s)", f->status, *f->code ? " " : "", f->code, *f->message ? ": " : "",
             f->message);
    switch (fault) {
    case FAULT_DENIED:
        return explain_denied(f, where, more, e);
    case FAULT_NO_BUCKET:
        return err_set(e, -fault, "there is no container '%.63s' at %.200s: make it, or check the URL%s", f->container,
                       f->origin, more);
    case FAULT_NO_OBJECT:
        return err_set(e, -fault, "no %s: check its name with 'salvage ls'%s", where, more);
    case FAULT_EXISTS:
        return err_set(e, -fault, "%s is there already%s", where, more);
    case FAULT_GONE:
        return err_set(e, -fault, "the store no longer knows the upload of %s: it has to begin anew%s", where, more);
    case FAULT_CORRUPT:
        return err_set(e, -fault, "%s arrived damaged: look for a faulty proxy or network in between%s", where, more);
    case FAULT_BUSY:
        return err_set(e, -fault, "the store is not ready for %s %s: it may pass by itself%s", ACTIONS[f->action].verb,
                       where, more);
    default:
        return err_set(e, -fault, "the store refuses %s %s%s%s", ACTIONS[f->action].verb, where,
                       *f->code ? "" : ", without saying why: check the URL and --endpoint", more);
    }
}

int az_error_explain(const struct az_failure *f, struct err *e)
{
    assert(f->code && f->message && f->origin && f->container && f->source);
    int r = explain(f, e);

    e->retry_after_ms = f->retry_after_ms;
    return err_prefix(e, r, "az");
}
