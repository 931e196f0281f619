/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor keeps the file as it was indexed, also when it is replaced meanwhile.
 */
#include "place/pod_table.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/text.h"

struct place_of_row {
    char uid[PODUID_MAX], rule[POD_RULE_MAX];
    bool gone, pending;
    unsigned size; /* of its line */
    uint64_t offset;
    uint64_t name_hash;
    int64_t created_ns;
};

struct pod_table {
    char *path;
    int fd; /* of the file that is indexed; -1: none */
    struct stat seen;
    struct place_of_row *row;
    size_t count;
};

int pod_table_open(const char *path, struct pod_table **ret)
{
    struct pod_table *t = calloc(1, sizeof(*t));

    assert(path && ret);
    if (!t || !(t->path = strdup(path))) {
        free(t);
        return -ENOMEM;
    }
    t->fd = -1;
    *ret = t;
    return 0;
}

void pod_table_free(struct pod_table *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    free(t->row);
    free(t->path);
    free(t);
}

/* FNV-1a of "NAMESPACE/NAME": equal names are compared in the row itself. */
static uint64_t hash_of(const char *namespace, const char *name)
{
    const char *const part[] = {namespace, "/", name};
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < ARRAY_SIZE(part); i++)
        for (const char *p = part[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
    return hash;
}

struct indexing {
    struct place_of_row *row; /* owned */
    size_t count, capacity;
};

static void indexing_done(struct indexing *i)
{
    free(i->row);
}

static int add_row(struct indexing *index, const char *line, size_t size, uint64_t offset)
{
    CLEANUP(pod_row_done) struct pod_row p = {0};
    struct place_of_row *row;
    int r = pod_row_decode(line, size, &p);

    if (r < 0 || (r = array_reserve(&index->row, index->count + 1, &index->capacity, sizeof(*index->row),
                                    POD_TABLE_ROWS_MAX)) < 0)
        return r;
    row = &index->row[index->count++];
    *row = (struct place_of_row){.gone = p.gone_ns > 0,
                                 .pending = p.pending,
                                 .size = (unsigned)size,
                                 .offset = offset,
                                 .name_hash = hash_of(p.namespace, p.name),
                                 .created_ns = p.created_ns};
    memcpy(row->uid, p.uid, sizeof(row->uid));
    memcpy(row->rule, p.rule, sizeof(row->rule));
    return 0;
}

static int index_text(const char *text, size_t size, struct indexing *ret)
{
    size_t at = strlen(POD_TABLE_HEAD);
    int r = 0;

    if (size < at || memcmp(text, POD_TABLE_HEAD, at) != 0)
        return -EBADMSG;
    while (at < size && r == 0) {
        const char *end = memchr(text + at, '\n', size - at);

        if (!end)
            return -EBADMSG;
        r = add_row(ret, text + at, (size_t)(end - text) - at, at);
        at = (size_t)(end - text) + 1;
    }
    return r == -E2BIG ? -EMSGSIZE : r;
}

static bool is_seen(const struct pod_table *t, const struct stat *s)
{
    return t->seen.st_ino == s->st_ino && t->seen.st_dev == s->st_dev && t->seen.st_size == s->st_size &&
           t->seen.st_mtim.tv_sec == s->st_mtim.tv_sec && t->seen.st_mtim.tv_nsec == s->st_mtim.tv_nsec;
}

int pod_table_refresh(struct pod_table *t)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = POD_TABLE_SIZE_MAX};
    CLEANUP(indexing_done) struct indexing index = {0};
    CLEANUP_FD int fd = -1;
    struct stat now;
    int r;

    if (stat(t->path, &now) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (is_seen(t, &now))
        return 0;
    if ((fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0 || fstat(fd, &now) < 0)
        return errno == ENOENT ? 0 : -errno;
    if ((r = file_load_fd(fd, &text)) == -ENOMEM)
        return r;
    t->seen = now;
    if (r < 0 || (r = index_text(buf_text(&text), text.size, &index)) < 0)
        return r;
    if (t->fd >= 0)
        close(t->fd);
    free(t->row);
    t->fd = TAKE_FD(fd);
    t->row = TAKE_PTR(index.row);
    t->count = index.count;
    return 1;
}

bool pod_table_is_read(const struct pod_table *t)
{
    return t->fd >= 0;
}

size_t pod_table_count(const struct pod_table *t)
{
    return t->count;
}

int pod_table_at(const struct pod_table *t, size_t index, struct pod_row *ret)
{
    CLEANUP_FREE char *line = NULL;
    ssize_t size;

    if (index >= t->count)
        return -ENOENT;
    if (!(line = malloc(t->row[index].size + 1)))
        return -ENOMEM;
    size = file_pread(t->fd, line, t->row[index].size, t->row[index].offset);
    if (size < 0)
        return (int)size;
    return pod_row_decode(line, (size_t)size, ret);
}

static const struct place_of_row *find_place(const struct pod_table *t, const char *uid)
{
    for (size_t i = 0; i < t->count; i++)
        if (text_eq(t->row[i].uid, uid))
            return &t->row[i];
    return NULL;
}

int pod_table_find(const struct pod_table *t, const char *uid, struct pod_row *ret)
{
    const struct place_of_row *row = find_place(t, uid);

    return row ? pod_table_at(t, (size_t)(row - t->row), ret) : -ENOENT;
}

int pod_table_rule(const struct pod_table *t, const char *uid, char ret[POD_RULE_MAX])
{
    const struct place_of_row *row = find_place(t, uid);

    if (!row)
        return -ENOENT;
    if (row->pending)
        return -EAGAIN;
    memcpy(ret, row->rule, POD_RULE_MAX);
    return 0;
}

/* Whether a is rather meant than b. */
static bool is_newer(const struct place_of_row *a, const struct place_of_row *b)
{
    return a->gone != b->gone ? !a->gone : a->created_ns > b->created_ns;
}

int pod_table_find_name(const struct pod_table *t, const char *namespace, const char *name, struct pod_row *ret)
{
    CLEANUP(pod_row_done) struct pod_row p = {0};
    uint64_t hash = hash_of(namespace, name);
    const struct place_of_row *best = NULL;
    int r;

    for (size_t i = 0; i < t->count; i++)
        if (t->row[i].name_hash == hash && (!best || is_newer(&t->row[i], best)))
            best = &t->row[i];
    if (!best)
        return -ENOENT;
    if ((r = pod_table_at(t, (size_t)(best - t->row), &p)) < 0)
        return r;
    if (!text_eq(p.namespace, namespace) || !text_eq(p.name, name))
        return -ENOENT; /* two names of one hash */
    *ret = p;
    p = (struct pod_row){0};
    return 0;
}
