/* SPDX-License-Identifier: Apache-2.0
 *
 * Known by hashes: a list of texts would be as long as pods like.
 */
#include "watch/pod_refusals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/log.h"
#include "place/pod_row.h"

static uint64_t hash_of(const char *text, uint64_t before)
{
    return XXH3_64bits_withSeed(text, strlen(text), before);
}

void pod_refusals_add(struct pod_refusals *r, const struct pod_row *pod, const char *folder, const char *error)
{
    struct pod_refusal one = {hash_of(pod->uid, 0), hash_of(error, hash_of(folder, 0)), true};

    for (size_t i = 0; i < r->count; i++)
        if (r->item[i].pod == one.pod && r->item[i].what == one.what)
            return;
    if (array_reserve(&r->item, r->count + 1, &r->capacity, sizeof(*r->item), POD_REFUSALS_MAX) < 0)
        return;
    r->item[r->count++] = one;
    log_event(EVENT_POD_FOLDER_REFUSED, LOG_STR("namespace", pod->namespace), LOG_STR("pod", pod->name),
              LOG_STR("folder", folder), LOG_STR("error", error));
}

void pod_refusals_mark(struct pod_refusals *r, const char *pod_uid)
{
    uint64_t pod = hash_of(pod_uid, 0);

    for (size_t i = 0; i < r->count; i++)
        r->item[i].seen |= r->item[i].pod == pod;
}

void pod_refusals_forget(struct pod_refusals *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->count; i++)
        if (r->item[i].seen) {
            r->item[kept] = r->item[i];
            r->item[kept++].seen = false;
        }
    r->count = kept;
}

void pod_refusals_done(struct pod_refusals *r)
{
    free(r->item);
    *r = (struct pod_refusals){0};
}

const char *pod_refusals_reason(int error, bool volume)
{
    switch (error) {
    case -EXDEV:
        return volume ? "something else is mounted there, or it is on a network file system"
                      : "something is mounted there: an emptyDir is named as volume:NAME";
    case -ENOTDIR:
    case -ELOOP:
        return "it is no folder";
    case -ENOENT:
        return volume ? "the kubelet has no such folder (--kubelet)" : "no process of the container is visible here";
    case -EACCES:
    case -EPERM:
        return volume ? "it may not be opened: DAC_OVERRIDE is needed"
                      : "it may not be opened: hostPID, SYS_PTRACE and DAC_OVERRIDE are needed";
    case -EEXIST:
        return "it is watched already";
    default:
        return strerror(-error);
    }
}
