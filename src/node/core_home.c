/* SPDX-License-Identifier: Apache-2.0
 *
 * Files are small; none is fsynced but the configuration, as a crash loop would wait for the disk.
 */
#include "node/core_home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { STEP = 256 * 1024, LOG_MAX = 1024 * 1024, SLOT_TEXT = 256, SLOTS_MAX = 32 };

static const char CONFIG[] = "config.json", LEDGER[] = "ledger.json";

int core_home_open(const char *dir, bool create, struct err *e)
{
    int r = create ? file_mkdirs(AT_FDCWD, dir, 0700) : 0;
    CLEANUP_FD int fd = r < 0 ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (r < 0 || fd < 0)
        return err_set(e, r < 0 ? r : -errno, "%s: %s", dir, strerror(r < 0 ? -r : errno));
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(e, -FAULT_STATE,
                       "%s must belong to uid %u and not be writable for others: the kernel starts what lies there as "
                       "root",
                       dir, (unsigned)geteuid());
    return TAKE_FD(fd);
}

static int copy(int from, int to)
{
    CLEANUP_FREE char *step = malloc(STEP);
    ssize_t n = 0;
    int r = step ? 0 : -ENOMEM;

    while (r == 0 && (n = file_read(from, step, STEP)) > 0)
        r = file_write(to, step, (size_t)n);
    return n < 0 ? (int)n : r;
}

/* Whether the copy is there already: at each start of an agent. */
static bool is_same(int from, int home)
{
    CLEANUP_FD int to = openat(home, CORE_HOME_PROGRAM, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_FREE char *a = malloc(STEP), *b = malloc(STEP);
    uint64_t at = 0;
    ssize_t n = 0, m = 0;

    if (to < 0 || !a || !b)
        return false;
    while ((n = file_pread(from, a, STEP, at)) > 0 && (m = file_pread(to, b, STEP, at)) == n &&
           memcmp(a, b, (size_t)n) == 0)
        at += (uint64_t)n;
    return n == 0 && file_pread(to, b, STEP, at) == 0;
}

int core_home_copy_program(int home, struct err *e)
{
    static const char part[] = "." CORE_HOME_PROGRAM ".part";
    CLEANUP_FD int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = -1;
    int r = from < 0 ? -errno : 0;

    if (r == 0 && is_same(from, home))
        return 0;
    unlinkat(home, part, 0); /* left by a killed install */
    if (r == 0 && (to = openat(home, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700)) < 0)
        r = -errno;
    if (r == 0)
        r = copy(from, to);
    if (r == 0 && fsync(to) < 0)
        r = -errno;
    if (to >= 0)
        close(TAKE_FD(to));
    if (r == 0 && renameat(home, part, home, CORE_HOME_PROGRAM) < 0)
        r = -errno;
    if (r == 0)
        return 0;
    unlinkat(home, part, 0);
    return err_set(e, r, "cannot copy this program: %s", strerror(-r));
}

int core_home_load(int home, struct core_config *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CORE_CONFIG_MAX};
    int r = file_load(home, CONFIG, &text);

    if (r < 0)
        return err_set(e, r, "%s: %s", CONFIG, strerror(-r));
    return core_config_decode(buf_text(&text), text.size, ret, e);
}

int core_home_save(int home, const struct core_config *c, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CORE_CONFIG_MAX};
    int r = core_config_encode(c, &text);

    if (r == 0)
        r = file_replace(home, CONFIG, text.data, text.size, 0600);
    return r < 0 ? err_set(e, r, "%s: %s", CONFIG, r == -EINVAL ? "an option is not UTF-8" : strerror(-r)) : 0;
}

int core_home_lock(int home, struct core_ledger *ret)
{
    CLEANUP_FD int fd = openat(home, LEDGER, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    CLEANUP(buf_done) struct buf text = {.ceiling = LEDGER_MAX};

    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return -errno;
    if (ret && (file_load_fd(fd, &text) < 0 || core_ledger_decode(buf_text(&text), text.size, ret) < 0))
        *ret = (struct core_ledger){0};
    return TAKE_FD(fd);
}

int core_home_unlock(int fd, const struct core_ledger *l)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = LEDGER_MAX};
    int r = l ? core_ledger_encode(l, &text) : 0;

    if (l && r == 0 && (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0))
        r = -errno;
    if (l && r == 0)
        r = file_write(fd, text.data, text.size);
    close(fd);
    return r;
}

int core_home_peek(int home, struct core_ledger *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = LEDGER_MAX};
    int r = file_load(home, LEDGER, &text);

    return r < 0 ? r : core_ledger_decode(buf_text(&text), text.size, ret);
}

static bool is_of(int fd, const char *cgroup)
{
    char text[SLOT_TEXT], wanted[SLOT_TEXT];
    ssize_t n = file_pread(fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    snprintf(wanted, sizeof(wanted), "%s", cgroup);
    return strcmp(text, wanted) == 0;
}

/* Called with the ledger locked, so that two don't count at once. */
int core_home_slot(int home, const char *cgroup, unsigned count)
{
    unsigned same = 0;
    CLEANUP_FD int mine = -1;

    for (unsigned i = 0; i < count; i++) {
        char name[32];
        CLEANUP_FD int fd = -1;

        snprintf(name, sizeof(name), "slot.%u", i);
        fd = openat(home, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            same += is_of(fd, cgroup);
        else if (mine < 0)
            mine = TAKE_FD(fd);
    }
    if (mine < 0 || (count > 1 && same >= count - 1))
        return -EBUSY;
    if (ftruncate(mine, 0) < 0 || pwrite(mine, cgroup, strnlen(cgroup, SLOT_TEXT - 1), 0) < 0)
        return -errno;
    return TAKE_FD(mine);
}

unsigned core_home_slots_taken(int home)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        char name[32];
        CLEANUP_FD int fd = -1;

        snprintf(name, sizeof(name), "slot.%u", i);
        fd = openat(home, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        taken += fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
    }
    return taken;
}

int core_home_log(int home)
{
    CLEANUP_FD int fd = openat(home, "log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || st.st_size < LOG_MAX)
        return TAKE_FD(fd);
    close(TAKE_FD(fd));
    if (renameat(home, "log", home, "log.1") < 0)
        return -errno;
    fd = openat(home, "log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : TAKE_FD(fd);
}
