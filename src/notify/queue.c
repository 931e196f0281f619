/* SPDX-License-Identifier: Apache-2.0
 *
 * Names sort by time: nanoseconds in hex, then a part of the case's digest, so that two writers don't meet.
 */
#include "notify/queue.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/digest.h"

#define FOLDER "notices"

int queue_open_existing(int base)
{
    int fd = openat(base, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int queue_open(int base)
{
    int r = file_mkdirs(base, FOLDER, 0700);

    return r < 0 ? r : queue_open_existing(base);
}

static void name_of(const struct notice *n, char name[QUEUE_NAME_MAX])
{
    char hex[DIGEST_HEX_MAX];
    struct digest d;

    digest_init(&d);
    digest_update(&d, n->id, strlen(n->id));
    digest_hex(&d, hex);
    snprintf(name, QUEUE_NAME_MAX, "%016" PRIx64 "-%.16s.json", (uint64_t)clock_wall_ns(), hex);
}

static bool is_name(const char *name)
{
    return strlen(name) == 16 + 1 + 16 + 5 && strspn(name, "0123456789abcdef") == 16 && name[16] == '-' &&
           strcmp(name + 33, ".json") == 0;
}

static int count(int folder, size_t *ret)
{
    CLEANUP_DIR DIR *dir = file_opendir(folder, ".");
    struct dirent *entry;

    if (!dir)
        return -errno;
    while ((entry = readdir(dir)))
        *ret += is_name(entry->d_name);
    return 0;
}

static int put_one(int dirfd, const struct notify_target *t, const char *name, const struct buf *text)
{
    CLEANUP_FD int folder = -1;
    size_t waiting = 0;
    int r;

    if ((r = file_mkdirs(dirfd, t->id, 0700)) < 0)
        return r;
    if ((folder = openat(dirfd, t->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        return -errno;
    if ((r = count(folder, &waiting)) < 0)
        return r;
    return waiting >= QUEUE_MOST ? -E2BIG : file_replace(folder, name, text->data, text->size, 0600);
}

int queue_put(int dirfd, const struct notify_targets *targets, const struct notice *n, unsigned *ret_count,
              struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = NOTICE_MAX};
    char name[QUEUE_NAME_MAX];
    unsigned wanted = 0;
    int r, first = 0;

    assert(dirfd >= 0 && targets && n && n->id && n->sentence);
    if ((r = notice_encode(n, &text)) < 0)
        return err_set(e, r, "the notice of %s is too large, or memory is short", n->id);
    name_of(n, name);
    for (size_t i = 0; i < targets->count; i++) {
        if (!notify_target_wants(&targets->target[i], n))
            continue;
        wanted++;
        if ((r = put_one(dirfd, &targets->target[i], name, &text)) < 0 && first == 0)
            first = err_set(e, r, "the notice for %s cannot be kept: %s", targets->target[i].name, strerror(-r));
    }
    if (ret_count)
        *ret_count = wanted;
    return first;
}

void queue_done(struct queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        notice_done(&q->item[i].notice);
    free(q->item);
    *q = (struct queue){0};
}

static int load_one(int base, int folder, const char *name, struct queue *q)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = NOTICE_MAX};
    struct queued one = {.folder = base};
    int r;

    if ((r = file_load(folder, name, &text)) == 0)
        r = notice_decode(text.data, text.size, &one.notice, NULL);
    if (r == -ENOMEM || r == -ENOENT)
        return r == -ENOENT ? 0 : r;
    if (r < 0) {
        q->damaged++;
        unlinkat(folder, name, 0);
        return 0;
    }
    snprintf(one.name, sizeof(one.name), "%.*s", QUEUE_NAME_MAX - 1, name);
    one.put_ns = (int64_t)strtoull(name, NULL, 16);
    if (array_reserve(&q->item, q->count + 1, &q->capacity, sizeof(*q->item), QUEUE_MOST) < 0) {
        notice_done(&one.notice);
        return -ENOMEM;
    }
    q->item[q->count++] = one;
    return 0;
}

static int oldest_first(const void *a, const void *b)
{
    const struct queued *x = a, *y = b;

    return strcmp(x->name, y->name);
}

int queue_load(int base, const struct notify_target *t, struct queue *q, struct err *e)
{
    CLEANUP_DIR DIR *dir = file_opendir(base, t->id);
    struct dirent *entry;
    int r = 0;

    assert(t && q);
    if (!dir)
        return errno == ENOENT ? 0 : err_set(e, -errno, "the notices for %s: %s", t->name, strerror(errno));
    while (r == 0 && q->count < QUEUE_MOST && (entry = readdir(dir)))
        if (is_name(entry->d_name))
            r = load_one(base, dirfd(dir), entry->d_name, q);
    if (r < 0)
        return err_set(e, r, "the notices for %s: %s", t->name, strerror(-r));
    if (q->count > 0)
        qsort(q->item, q->count, sizeof(*q->item), oldest_first);
    return 0;
}

bool queue_is_empty(int base, const struct notify_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        CLEANUP_FD int folder = openat(base, targets->target[i].id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        size_t waiting = 0;

        if (folder < 0 ? errno != ENOENT : count(folder, &waiting) < 0 || waiting > 0)
            return false;
    }
    return true;
}

int queue_remove(const struct notify_target *t, const struct queued *q)
{
    CLEANUP_FD int folder = openat(q->folder, t->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0 || unlinkat(folder, q->name, 0) < 0)
        return errno == ENOENT ? 0 : -errno;
    return 0;
}
