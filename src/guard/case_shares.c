/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is small, as the caps are: it is read whole for each case, and rewritten in place when it has grown.
 */
#include "guard/case_shares.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/case_line.h"

enum { FILE_MAX = 256 * 1024, LINE_MAX_BYTES = 4096, LOCK_TRIES = 20, SLOTS_MAX = 64 };

struct counts {
    unsigned tenant, all;
};

int case_shares_open(struct case_shares *ret, const char *folder, const struct rule_policy *policy, struct err *e)
{
    CLEANUP_FD int dir = -1;
    struct stat st = {0};
    int r;

    assert(policy);
    *ret = (struct case_shares){.dir = -1, .policy = policy};
    if (!folder)
        return 0;
    if ((r = file_mkdirs(AT_FDCWD, folder, 0700)) == 0 && (r = bootid_read(ret->boot)) == 0) {
        dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = dir < 0 || fstat(dir, &st) < 0 ? -errno : 0;
    }
    if (r == 0 && ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022)))
        r = -EPERM;
    if (r < 0)
        return err_set(e, -FAULT_STATE, "--share: %s: %s", folder,
                       r == -EPERM ? "others could write to it" : strerror(-r));
    ret->dir = TAKE_FD(dir);
    return 0;
}

void case_shares_done(struct case_shares *s)
{
    if (s->dir >= 0)
        close(s->dir);
    s->dir = -1;
}

static int open_file(const struct case_shares *s, const char *name, int flags)
{
    int fd = openat(s->dir, name, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
}

/* Another guard decides within microseconds, unless it is stopped. */
static int lock(const struct case_shares *s)
{
    CLEANUP_FD int fd = open_file(s, "lock", O_RDWR);

    if (fd < 0)
        return fd;
    for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
        if (errno != EWOULDBLOCK)
            return -errno;
        if (i == LOCK_TRIES)
            return -EAGAIN;
        clock_sleep_ms(1);
    }
    return TAKE_FD(fd);
}

/* --- slots ----------------------------------------------------------------------------------------------------------
 */

static bool is_of(int fd, const char *tenant)
{
    char text[RULE_TENANT_MAX] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    return n >= 0 && text_eq(text, tenant);
}

static int take_slot(const struct case_shares *s, const char *tenant, char why[CASE_SHARES_WHY_MAX])
{
    unsigned each = s->policy->at_once ? s->policy->at_once : 1;
    unsigned all = s->policy->at_once_all ? s->policy->at_once_all : each, same = 0;
    CLEANUP_FD int mine = -1;

    for (unsigned i = 0; i < SLOTS_MAX && (i < all || same < each); i++) {
        CLEANUP_FD int fd = -1;
        char name[16];

        snprintf(name, sizeof(name), "slot.%u", i);
        if (i >= all && faccessat(s->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            break; /* of guards that may make more at once than this one */
        if ((fd = open_file(s, name, O_RDWR)) < 0)
            return fd;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            same += is_of(fd, tenant);
        else if (mine < 0 && i < all)
            mine = TAKE_FD(fd);
    }
    if (same >= each) {
        snprintf(why, CASE_SHARES_WHY_MAX, "%u of its tenant %s taken already, by this or another guard (--at-once)",
                 same, same == 1 ? "is" : "are");
        return -EBUSY;
    }
    if (mine < 0) {
        snprintf(why, CASE_SHARES_WHY_MAX, "%u are taken already, by all guards together (--at-once-all)", all);
        return -EBUSY;
    }
    if (ftruncate(mine, 0) < 0 || pwrite(mine, tenant, strlen(tenant), 0) < 0)
        return -errno;
    return TAKE_FD(mine);
}

/* --- caps -----------------------------------------------------------------------------------------------------------
 */

static uint64_t horizon_ms(const struct case_shares *s)
{
    uint64_t a = s->policy->per_tenant.per_ms, b = s->policy->shared.per_ms;

    return a > b ? a : b;
}

/* After a reboot the age is known by the wall clock alone. */
static uint64_t age_ms(const struct case_shares *s, const struct case_line *c)
{
    uint64_t now_ms = clock_mono_ms();
    int64_t wall_ms = clock_wall_ns() / 1000000;

    if (text_eq(c->boot, s->boot))
        return c->mono_ms < now_ms ? now_ms - c->mono_ms : 0;
    return c->wall_ms < wall_ms ? (uint64_t)(wall_ms - c->wall_ms) : 0;
}

/* A case that was begun; one that made nothing takes it back. */
static void add(unsigned *count, const struct rate *rate, const struct case_line *c, uint64_t age)
{
    if (age >= rate->per_ms)
        return;
    if (c->what == CASE_LINE_BEGUN)
        ++*count;
    else if (c->what != CASE_LINE_MADE && *count > 0)
        --*count;
}

/* kept: gets the lines that still matter. */
static int count_cases(const struct case_shares *s, const struct buf *text, const char *tenant, struct counts *ret,
                       struct buf *kept)
{
    const char *at = buf_text(text), *end = at + text->size;
    int r = 0;

    for (const char *stop; r == 0 && at < end && (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1) {
        struct case_line c;
        uint64_t age;

        if (case_line_decode(at, (size_t)(stop - at), &c) < 0 || (age = age_ms(s, &c)) >= horizon_ms(s))
            continue;
        add(&ret->all, &s->policy->shared, &c, age);
        if (text_eq(c.tenant, tenant))
            add(&ret->tenant, &s->policy->per_tenant, &c, age);
        r = buf_add(kept, at, (size_t)(stop + 1 - at));
    }
    return r;
}

static int load(const struct case_shares *s, struct buf *ret)
{
    int r = file_load(s->dir, "cases", ret);

    if (r == -EMSGSIZE || r == -EINVAL) { /* ours never comes to that */
        buf_clear(ret);
        return unlinkat(s->dir, "cases", 0) < 0 ? -errno : 0;
    }
    return r == -ENOENT ? 0 : r;
}

static int rewrite(const struct case_shares *s, const struct buf *kept)
{
    CLEANUP_FD int fd = open_file(s, "cases", O_WRONLY | O_TRUNC);

    return fd < 0 ? fd : file_write(fd, buf_text(kept), kept->size);
}

static int check_caps(const struct case_shares *s, const char *tenant, char why[CASE_SHARES_WHY_MAX])
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX}, kept = {.ceiling = FILE_MAX};
    const struct rule_policy *p = s->policy;
    struct counts n = {0};
    char cap[RATE_TEXT_MAX];
    int r;

    if ((r = load(s, &text)) < 0 || (r = count_cases(s, &text, tenant, &n, &kept)) < 0)
        return r;
    if (text.size > FILE_MAX / 2 && (r = rewrite(s, &kept)) < 0)
        return r;
    if (p->per_tenant.count > 0 && n.tenant >= p->per_tenant.count)
        snprintf(why, CASE_SHARES_WHY_MAX, "its tenant's cap of %s is reached, by all guards together",
                 rate_print(&p->per_tenant, cap));
    else if (p->shared.count > 0 && n.all >= p->shared.count)
        snprintf(why, CASE_SHARES_WHY_MAX, "the shared cap of %s is reached, by all guards together",
                 rate_print(&p->shared, cap));
    return *why ? -EBUSY : 0;
}

static int note(const struct case_shares *s, enum case_line_what what, const char *key, const char *tenant)
{
    CLEANUP(buf_done) struct buf line = {.ceiling = LINE_MAX_BYTES};
    CLEANUP_FD int fd = open_file(s, "cases", O_WRONLY | O_APPEND);
    struct case_line c = {.what = what, .mono_ms = clock_mono_ms(), .wall_ms = clock_wall_ns() / 1000000};
    int r;

    if (fd < 0)
        return fd;
    memcpy(c.boot, s->boot, sizeof(c.boot));
    snprintf(c.key, sizeof(c.key), "%s", key);
    snprintf(c.tenant, sizeof(c.tenant), "%s", tenant);
    r = case_line_encode(&c, &line);
    return r < 0 ? r : file_write(fd, line.data, line.size);
}

/* --- cases ----------------------------------------------------------------------------------------------------------
 */

int case_shares_begin(const struct case_shares *s, const char *key, const char *tenant, int *ret_slot,
                      char ret_why[CASE_SHARES_WHY_MAX])
{
    CLEANUP_FD int locked = -1;
    int r;

    assert(s->policy && *key);
    *ret_slot = -1;
    *ret_why = '\0';
    if (s->dir < 0)
        return 0;
    if ((locked = lock(s)) < 0)
        return locked;
    if ((r = check_caps(s, tenant, ret_why)) < 0 || (r = take_slot(s, tenant, ret_why)) < 0)
        return r;
    *ret_slot = r;
    note(s, CASE_LINE_BEGUN, key, tenant);
    return 0;
}

void case_shares_undo(const struct case_shares *s, const char *key, const char *tenant)
{
    if (s->dir >= 0)
        note(s, CASE_LINE_FAILED, key, tenant);
}
