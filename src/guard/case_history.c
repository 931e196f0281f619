/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is read and rewritten at the start; a line is appended for each event; beyond FILE_MAX it is rewritten
 * without the lines that no longer matter.
 */
#include "guard/case_history.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum { FILE_MAX = 1024 * 1024, KEPT_MAX = FILE_MAX / 2, TEXT_MAX = 4096 };

static const char NAME[] = "cases";

_Static_assert(CASE_LINE_KEY_MAX == (int)RULE_KEY_MAX && CASE_LINE_TENANT_MAX == (int)RULE_TENANT_MAX,
               "a rule's key and tenant fit into a line");
_Static_assert(CASE_LINE_BOOT_MAX == (int)BOOTID_MAX, "a boot id fits into a line");

/* How long ago the case was. After a reboot that is known by the wall clock alone, which may have been set since. */
static uint64_t age_ms(const struct case_history *h, const struct case_line *c, uint64_t now_ms)
{
    int64_t wall_ms = clock_wall_ns() / 1000000;

    if (strcmp(c->boot, h->boot) == 0)
        return c->mono_ms < now_ms ? now_ms - c->mono_ms : 0;
    return c->wall_ms < wall_ms ? (uint64_t)(wall_ms - c->wall_ms) : 0;
}

/* The last FILE_MAX bytes of the file, from the beginning of a line. */
static int load(const struct case_history *h, struct buf *ret)
{
    CLEANUP_FD int fd = openat(h->dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    CLEANUP_FREE char *bytes = NULL;
    struct stat st;
    uint64_t from;
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -EINVAL;
    from = st.st_size > FILE_MAX ? (uint64_t)st.st_size - FILE_MAX : 0;
    if (!(bytes = malloc(FILE_MAX)))
        return -ENOMEM;
    if ((n = file_pread(fd, bytes, FILE_MAX, from)) < 0)
        return (int)n;
    if (from > 0) {
        const char *end = memchr(bytes, '\n', (size_t)n);
        size_t cut = end ? (size_t)(end - bytes) + 1 : (size_t)n;

        return buf_add(ret, bytes + cut, (size_t)n - cut);
    }
    return buf_add(ret, bytes, (size_t)n);
}

/* Appends to ret, unchanged, the lines that are younger than the horizon. With restore, they are restored into the
 * rule, too. */
static int copy_recent(const struct case_history *h, const struct buf *text, bool restore, uint64_t now_ms,
                       struct buf *ret)
{
    const char *end = text->data + text->size;
    int r = 0;

    for (const char *at = text->data, *stop; r == 0 && at < end && (stop = memchr(at, '\n', (size_t)(end - at)));
         at = stop + 1) {
        struct case_line c;
        uint64_t age;

        if (case_line_decode(at, (size_t)(stop - at), &c) < 0 || (age = age_ms(h, &c, now_ms)) > h->horizon_ms)
            continue;
        if (restore)
            rule_restore(h->rule, c.key, c.tenant, (enum rule_past)c.what, now_ms > age ? now_ms - age : 1);
        r = buf_add(ret, at, (size_t)(stop + 1 - at));
    }
    return r;
}

static int rewrite(struct case_history *h, bool restore, uint64_t now_ms)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX}, kept = {.ceiling = FILE_MAX};
    const char *from;
    int r;

    if ((r = load(h, &text)) < 0 || (text.size > 0 && (r = copy_recent(h, &text, restore, now_ms, &kept)) < 0))
        return r;
    if (kept.size == text.size && kept.size <= KEPT_MAX)
        return 0;
    from = kept.data;
    if (kept.size > KEPT_MAX)
        from = memchr(kept.data + kept.size - KEPT_MAX, '\n', KEPT_MAX);
    return file_replace(h->dir, NAME, from ? from : "", from ? kept.size - (size_t)(from - kept.data) : 0, 0600);
}

/* A process that can write the history can keep us from taking evidence, by lines of cases that never were. */
static int open_folder(const char *state)
{
    CLEANUP_FD int dir = -1;
    char path[PATH_MAX];
    struct stat st;
    int r;

    if (snprintf(path, sizeof(path), "%s/guard", state) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    if ((r = file_mkdirs(AT_FDCWD, path, 0700)) < 0)
        return r;
    dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &st) < 0)
        return -errno;
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022))
        return -EPERM;
    return TAKE_FD(dir);
}

int case_history_open(struct case_history *ret, const char *state, struct rule *rule, uint64_t now_ms, struct err *e)
{
    int r = 0;

    assert(rule);
    *ret = (struct case_history){.dir = -1, .rule = rule, .horizon_ms = rule_horizon_ms(rule)};
    if (!state)
        return 0;
    if ((ret->dir = r = open_folder(state)) < 0 || (r = bootid_read(ret->boot)) < 0 ||
        (r = rewrite(ret, true, now_ms)) < 0) {
        case_history_done(ret);
        return err_set(e, -FAULT_STATE, "%s/guard: %s: give another --state", state,
                       r == -EPERM ? "others could write to it" : strerror(-r));
    }
    return 0;
}

static int append(const struct case_history *h, const struct buf *line, off_t *ret_size)
{
    CLEANUP_FD int fd = openat(h->dir, NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat st;
    int r;

    if (fd < 0)
        return -errno;
    if ((r = file_write(fd, line->data, line->size)) == 0 && fstat(fd, &st) == 0)
        *ret_size = st.st_size;
    return r;
}

int case_history_add(struct case_history *h, int target, enum rule_past what, uint64_t now_ms, struct err *e)
{
    CLEANUP(buf_done) struct buf line = {.ceiling = TEXT_MAX};
    struct case_line c = {.what = (enum case_line_what)what, .mono_ms = now_ms, .wall_ms = clock_wall_ns() / 1000000};
    off_t size = 0;
    bool reported_before = h->failed;
    int r;

    if (h->dir < 0)
        return 0;
    assert(h->rule);
    memcpy(c.boot, h->boot, sizeof(c.boot));
    rule_names(h->rule, target, c.key, c.tenant);
    if ((r = case_line_encode(&c, &line)) == 0)
        r = append(h, &line, &size);
    if (r == 0 && size > FILE_MAX)
        r = rewrite(h, false, now_ms);
    h->failed = r < 0;
    return r < 0 && !reported_before ? err_set(e, r, "%s", strerror(-r)) : 0;
}

void case_history_done(struct case_history *h)
{
    if (h->dir >= 0)
        close(h->dir);
    h->dir = -1;
}
