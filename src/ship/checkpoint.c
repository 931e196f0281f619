/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal file. Each line is one write, and is written after the store has confirmed its part: so a line is true
 * even after a power cut. The first lines are synced at once, those of parts once a second.
 */
#include "ship/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

struct checkpoint {
    int dirfd;  /* borrowed; -1: no journal */
    int lockfd; /* of "busy" */
    int fd;     /* of "journal", -1 until begun */
    uint64_t synced_ms;
    atomic_int error; /* the first failure to write; other threads read it */
};

enum { JOURNAL_MAX = 256 * 1024 * 1024, SYNC_EVERY_MS = 1000 };

int checkpoint_open(int dirfd, struct checkpoint **ret, struct err *e)
{
    struct checkpoint *c = calloc(1, sizeof(*c));

    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    *c = (struct checkpoint){.dirfd = dirfd, .lockfd = -1, .fd = -1};
    if (dirfd >= 0) {
        c->lockfd = openat(dirfd, "busy", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (c->lockfd < 0) {
            c->error = -errno;
        } else if (flock(c->lockfd, LOCK_EX | LOCK_NB) < 0) {
            checkpoint_close(c);
            return err_set(e, -FAULT_LOCKED, "another salvage is shipping this file: wait for it");
        }
    }
    *ret = c;
    return 0;
}

void checkpoint_close(struct checkpoint *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    if (c->lockfd >= 0)
        close(c->lockfd);
    free(c);
}

int checkpoint_load(struct checkpoint *c, struct journal *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = JOURNAL_MAX};

    if (c->dirfd < 0 || file_load(c->dirfd, "journal", &text) < 0)
        return -ENOENT;
    return journal_decode(buf_text(&text), text.size, ret) < 0 ? -ENOENT : 0;
}

static void append(struct checkpoint *c, const struct buf *line, int encoded, uint64_t sync_after_ms)
{
    uint64_t now_ms = clock_mono_ms();
    int r = encoded;

    if (c->fd < 0 || c->error)
        return;
    if (r == 0)
        r = file_write(c->fd, line->data, line->size);
    if (r == 0 && now_ms - c->synced_ms >= sync_after_ms) {
        c->synced_ms = now_ms;
        r = fdatasync(c->fd) < 0 ? -errno : 0;
    }
    c->error = r;
}

void checkpoint_begin(struct checkpoint *c, const struct journal_head *head)
{
    CLEANUP(buf_done) struct buf line = {0};

    assert(head->store && head->key && head->codec);
    if (c->dirfd < 0 || c->error)
        return;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = openat(c->dirfd, "journal", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (c->fd < 0)
        c->error = -errno;
    else
        append(c, &line, journal_encode_head(head, &line), 0);
}

void checkpoint_seal(struct checkpoint *c, const struct journal_head *head)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = JOURNAL_MAX};
    CLEANUP(journal_done) struct journal j = {0};
    int r;

    assert(head->store && head->key && head->codec);
    if (c->dirfd < 0 || c->error || checkpoint_load(c, &j) < 0)
        return;
    r = journal_encode_head(head, &text);
    if (r == 0 && j.token)
        r = journal_encode_token(j.token, &text);
    for (size_t i = 0; r == 0 && i < j.count; i++)
        r = journal_encode_part(&j.parts[i], &text);
    if (r == 0)
        r = file_replace(c->dirfd, "journal", text.data, text.size, 0600);
    if (r == 0) {
        if (c->fd >= 0)
            close(c->fd);
        c->fd = openat(c->dirfd, "journal", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        r = c->fd < 0 ? -errno : 0;
    }
    c->error = r;
}

void checkpoint_token(struct checkpoint *c, const char *token)
{
    CLEANUP(buf_done) struct buf line = {0};

    assert(token);
    append(c, &line, journal_encode_token(token, &line), 0);
}

void checkpoint_part(struct checkpoint *c, const struct journal_part *part)
{
    CLEANUP(buf_done) struct buf line = {0};

    assert(part->number > 0);
    append(c, &line, journal_encode_part(part, &line), SYNC_EVERY_MS);
}

int checkpoint_error(const struct checkpoint *c)
{
    return c->error;
}
