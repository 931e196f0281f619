/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of age and bytes.
 */
#include "watch/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

struct copy {
    int64_t time_ns; /* time of the rename to STATE/kept */
    uint64_t size;   /* bytes that it occupies: of a sparse file, less than its size */
    char name[256];
};

int retention_set_bytes(struct retention *r, const char *text, struct err *e)
{
    uint64_t bytes = 0;
    bool automatic = text_eq(text, "auto");

    if (!automatic && !text_eq(text, "none") && text_parse_size(text, &bytes) < 0)
        return err_set(e, -FAULT_USAGE, "--retain-bytes: '%s' is not a size (like 20G), nor 'auto' or 'none'", text);
    r->bytes = bytes;
    r->automatic = automatic;
    return 0;
}

int retention_set_keep_free(struct retention *r, const char *text, struct err *e)
{
    size_t size = strlen(text);
    uint64_t value = 0;
    char number[4] = "";
    bool percent = size > 1 && size <= sizeof(number) && text[size - 1] == '%';

    if (percent)
        memcpy(number, text, size - 1);
    if (percent ? text_parse_uint(number, 99, &value) < 0 : !text_eq(text, "none") && text_parse_size(text, &value) < 0)
        return err_set(e, -FAULT_USAGE,
                       "--keep-free: '%.60s' is not a part of the volume (like 17%%), nor a size, nor 'none'", text);
    r->keep_free = percent ? 0 : value;
    r->keep_free_percent = percent ? (unsigned)value : 0;
    return 0;
}

bool retention_limits_room(const struct retention *r)
{
    return r->automatic || r->bytes || r->tenant_bytes || r->keep_free || r->keep_free_percent;
}

uint64_t retention_due(const struct retention *r, int64_t found_ns, int64_t now_ns, uint64_t now_ms)
{
    uint64_t age_ms = now_ns > found_ns ? (uint64_t)(now_ns - found_ns) / 1000000 : 0;
    uint64_t least_ms = r->age_ms < RETENTION_TRY_MS ? r->age_ms : RETENTION_TRY_MS;
    uint64_t left_ms = r->age_ms > age_ms ? r->age_ms - age_ms : 0;

    if (r->age_ms == 0)
        return UINT64_MAX;
    return now_ms + (left_ms > least_ms ? left_ms : least_ms);
}

static int older_first(const void *a, const void *b)
{
    const struct copy *x = a, *y = b;

    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* A rename sets a file's ctime. */
static int list_copies(DIR *dir, struct copy **ret, size_t *ret_count)
{
    CLEANUP_FREE struct copy *copies = NULL;
    size_t count = 0, room = 0;
    int r;

    for (struct dirent *d; (d = readdir(dir));) {
        struct stat st;

        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
            continue;
        if ((r = array_reserve(&copies, count + 1, &room, sizeof(*copies), SIZE_MAX)) < 0)
            return r;
        copies[count].time_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
        copies[count].size = (uint64_t)st.st_blocks * 512;
        memccpy(copies[count].name, d->d_name, '\0', sizeof(copies[count].name));
        count++;
    }
    *ret = TAKE_PTR(copies);
    *ret_count = count;
    return 0;
}

int retention_trim_kept(const struct retention *r, int statefd, uint64_t waiting_bytes, int64_t now_ns)
{
    CLEANUP_DIR DIR *dir = file_opendir(statefd, "kept");
    CLEANUP_FREE struct copy *copies = NULL;
    size_t count = 0;
    uint64_t total = waiting_bytes;
    int erased = 0, result;

    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    if ((result = list_copies(dir, &copies, &count)) < 0)
        return result;
    for (size_t i = 0; i < count; i++)
        total += copies[i].size;
    if (count > 1)
        qsort(copies, count, sizeof(*copies), older_first);
    for (size_t i = 0; i < count; i++) {
        int64_t age_ns = now_ns - copies[i].time_ns;
        bool old = r->age_ms && age_ns > 0 && (uint64_t)age_ns / 1000000 > r->age_ms;

        if (!old && (!r->bytes || total <= r->bytes))
            break;
        if (unlinkat(dirfd(dir), copies[i].name, 0) < 0 && errno != ENOENT)
            return -errno;
        total -= copies[i].size;
        erased++;
    }
    return erased;
}
