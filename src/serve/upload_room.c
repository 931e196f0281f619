/* SPDX-License-Identifier: Apache-2.0
 *
 * What a namespace uses is counted by walking its folder, when a quota first asks for it, and is kept up to date from
 * then on. Free space is asked of the disk itself, which others fill, too.
 */
#include "serve/upload_room.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/volume.h"
#include "serve/root.h"

enum {
    STEP = 16 * 1024 * 1024, /* claimed at a time while the size is not known; and the disk is asked this often */
    DEPTH_MAX = 64,
};

struct upload_room_tenant {
    struct upload_room_tenant *next;
    uint64_t quota;   /* UINT64_MAX: none */
    uint64_t used;    /* by objects, if counted */
    uint64_t claimed; /* by uploads under way */
    bool counted;
    char name[]; /* the namespace */
};

struct upload_room {
    struct upload_room_config config;
    int root_fd;
    pthread_mutex_t lock; /* for what follows */
    struct upload_room_tenant *tenants;
    uint64_t outstanding; /* claimed and not written yet, by all */
};

struct upload_room *upload_room_new(const struct upload_room_config *config, int root_fd)
{
    struct upload_room *m = calloc(1, sizeof(*m));

    assert(config && root_fd >= 0);
    if (!m)
        return NULL;
    m->config = *config;
    m->config.space = config->space ? config->space : volume_space;
    m->root_fd = root_fd;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void upload_room_free(struct upload_room *m)
{
    if (!m)
        return;
    while (m->tenants) {
        struct upload_room_tenant *t = m->tenants;

        m->tenants = t->next;
        free(t);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static uint64_t quota_of(const struct upload_room *m, const char *namespace)
{
    uint64_t each = UINT64_MAX;

    for (unsigned i = 0; i < m->config.quota_count; i++) {
        if (text_eq(m->config.quotas[i].namespace, namespace))
            return m->config.quotas[i].bytes;
        if (text_eq(m->config.quotas[i].namespace, "*"))
            each = m->config.quotas[i].bytes;
    }
    return each;
}

static struct upload_room_tenant *tenant_of(struct upload_room *m, const char *namespace)
{
    struct upload_room_tenant *t = m->tenants;
    size_t size = strlen(namespace) + 1;

    while (t && strcmp(t->name, namespace) != 0)
        t = t->next;
    if (t || !(t = calloc(1, sizeof(*t) + size)))
        return t;
    memcpy(t->name, namespace, size);
    t->quota = quota_of(m, namespace);
    t->next = m->tenants;
    m->tenants = t;
    return t;
}

static uint64_t bytes_below(int fd, bool folders, unsigned depth);

static uint64_t bytes_of(int fd, const struct dirent *entry, bool folders, unsigned depth)
{
    CLEANUP_FD int below = -1;
    struct stat st;

    if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISREG(st.st_mode))
        return (uint64_t)st.st_size;
    if (!S_ISDIR(st.st_mode) || !folders || depth == DEPTH_MAX)
        return 0;
    below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return below < 0 ? 0 : bytes_below(below, true, depth + 1);
}

static uint64_t bytes_below(int fd, bool folders, unsigned depth)
{
    CLEANUP_DIR DIR *dir = file_opendir(fd, ".");
    const struct dirent *entry;
    uint64_t bytes = 0;

    while (dir && (entry = readdir(dir)))
        if (!text_eq(entry->d_name, ".") && !text_eq(entry->d_name, ".."))
            bytes += bytes_of(fd, entry, folders, depth);
    return bytes;
}

/* Objects without a namespace lie in the root itself. */
static void count(struct upload_room *m, struct upload_room_tenant *t)
{
    CLEANUP_FD int fd = root_open(m->root_fd, t->name, O_RDONLY | O_DIRECTORY);

    t->used = fd < 0 ? 0 : bytes_below(fd, *t->name != '\0', 0);
    t->counted = true;
}

static int check_quota(struct upload_room *m, struct upload_room_tenant *t, uint64_t more, struct err *e)
{
    char quota[TEXT_SIZE_MAX], used[TEXT_SIZE_MAX];
    uint64_t taken;

    if (t->quota == UINT64_MAX)
        return 0;
    if (!t->counted)
        count(m, t);
    taken = t->used + t->claimed + (m->config.waiting ? m->config.waiting(m->config.ctx, t->name) : 0);
    if (more <= t->quota && taken <= t->quota - more)
        return 0;
    return err_set(e, -FAULT_FULL, "the share of '%s' is used up: %s of %s: delete old cases", t->name,
                   text_format_size(taken, used), text_format_size(t->quota, quota));
}

/* Whether the disk has this much besides the reserve. */
static int check_disk(const struct upload_room *m, uint64_t bytes, struct err *e)
{
    uint64_t size, available, reserve = m->config.reserve;
    char left[TEXT_SIZE_MAX], kept[TEXT_SIZE_MAX];
    int r = m->config.space(m->root_fd, &size, &available);

    if (r < 0)
        return err_set(e, r, "the disk cannot be asked for its free space: %s", strerror(-r));
    if (size / 1000 * m->config.reserve_permille > reserve)
        reserve = size / 1000 * m->config.reserve_permille;
    if (available >= reserve && available - reserve >= bytes)
        return 0;
    return err_set(e, -FAULT_FULL, "no room left on the disk: %s free, of which %s stay free: delete old cases",
                   text_format_size(available, left), text_format_size(reserve, kept));
}

static int add(struct upload_room *m, struct upload_claim *c, uint64_t more, struct err *e)
{
    int r = check_quota(m, c->tenant, more, e);

    if (r == 0)
        r = check_disk(m, m->outstanding + more < more ? UINT64_MAX : m->outstanding + more, e);
    if (r < 0)
        return r;
    c->claimed += more;
    c->tenant->claimed += more;
    m->outstanding += more;
    return 0;
}

int upload_room_claim(struct upload_room *m, const struct upload_asked *asked, struct upload_claim *ret, struct err *e)
{
    struct upload_claim claim = {0};
    uint64_t more = asked->size > asked->there ? asked->size - asked->there : 0;
    int r;

    assert(m && asked->namespace && ret);
    pthread_mutex_lock(&m->lock);
    claim.tenant = tenant_of(m, asked->namespace);
    if (!claim.tenant) {
        r = err_set(e, -ENOMEM, "out of memory");
    } else if ((r = add(m, &claim, more, e)) == 0) {
        claim.claimed += asked->there; /* on the disk already: for the quota alone */
        claim.written = asked->there;
        claim.tenant->claimed += asked->there;
        *ret = claim;
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

int upload_room_expect(struct upload_room *m, struct upload_claim *c, uint64_t bytes, struct err *e)
{
    uint64_t left = c->claimed - c->written;
    int r = 0;

    assert(m && c->tenant);
    pthread_mutex_lock(&m->lock);
    if (bytes > left)
        r = add(m, c, bytes - left, e);
    pthread_mutex_unlock(&m->lock);
    return r;
}

int upload_room_write(struct upload_room *m, struct upload_claim *c, uint64_t bytes, struct err *e)
{
    int r = 0;

    assert(m && c->tenant);
    pthread_mutex_lock(&m->lock);
    if (bytes > c->claimed - c->written) {
        if ((r = add(m, c, bytes > STEP ? bytes : STEP, e)) == -FAULT_FULL)
            r = add(m, c, bytes, e); /* near its end */
    } else if (c->written / STEP != (c->written + bytes) / STEP) {
        r = check_disk(m, 0, e);
    }
    if (r == 0) {
        c->written += bytes;
        m->outstanding -= bytes;
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

void upload_room_release(struct upload_room *m, struct upload_claim *c, bool stored)
{
    if (!c->tenant)
        return;
    pthread_mutex_lock(&m->lock);
    m->outstanding -= c->claimed - c->written;
    c->tenant->claimed -= c->claimed;
    if (stored)
        c->tenant->used += c->written;
    pthread_mutex_unlock(&m->lock);
    *c = (struct upload_claim){0};
}

void upload_room_forget(struct upload_room *m, const char *namespace)
{
    pthread_mutex_lock(&m->lock);
    for (struct upload_room_tenant *t = m->tenants; t; t = t->next)
        if (text_eq(namespace, "*") || text_eq(namespace, t->name))
            t->counted = false;
    pthread_mutex_unlock(&m->lock);
}
