/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd(2) would do the same, and few containers may use it. The handler runs where our own code has read the
 * dump, never within malloc or a lock, so it may take a mutex; it uses nothing else but system calls.
 */
#include "inspect/block_map.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"

enum { LOST = 3 /* the exit status when the other process has gone */ };

enum { BLOCKS_MAX = 4 * 1024 * 1024 };

struct map {
    unsigned char *base, *end;
    size_t block_bytes;
    int channel, memory;
    uint64_t *mapped; /* a bit for each block */
};

static struct map maps[BLOCK_MAPS_MAX];
static unsigned map_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_mapped(const struct map *m, uint64_t block)
{
    return m->mapped[block / 64] >> (block % 64) & 1;
}

static void set_mapped(struct map *m, uint64_t block, bool on)
{
    uint64_t bit = UINT64_C(1) << (block % 64);

    if (on)
        m->mapped[block / 64] |= bit;
    else
        m->mapped[block / 64] &= ~bit;
}

static bool place(struct map *m, uint64_t block, int fd, off_t at)
{
    int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED | MAP_POPULATE);
    unsigned char *wanted = m->base + block * m->block_bytes;
    void *got;

    set_mapped(m, block, fd >= 0);
    got = mmap(wanted, m->block_bytes, fd < 0 ? PROT_NONE : PROT_READ, flags, fd, at);
    return got == wanted;
}

static bool exchange(const struct map *m, const struct block_question *q, struct block_answer *ret)
{
    ssize_t n;

    do
        n = write(m->channel, q, sizeof(*q));
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(*q))
        return false;
    do
        n = read(m->channel, ret, sizeof(*ret));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*ret) && ret->evicted_count <= BLOCK_EVICTED_MAX;
}

static bool fetch(struct map *m, uint64_t block)
{
    const struct block_question question = {block};
    struct block_answer answer;

    if (!exchange(m, &question, &answer))
        return false;
    for (uint32_t i = 0; i < answer.evicted_count; i++)
        if (!place(m, answer.evicted[i], -1, 0))
            return false;
    return place(m, block, m->memory, (off_t)(answer.slot * m->block_bytes));
}

static struct map *find(const unsigned char *at)
{
    for (unsigned i = 0; i < map_count; i++)
        if (at >= maps[i].base && at < maps[i].end)
            return &maps[i];
    return NULL;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    const unsigned char *at = info->si_addr;
    struct map *m = find(at);
    int error = errno;
    uint64_t block;

    (void)context;
    if (!m) {
        signal(number, SIG_DFL); /* a fault of ours: it comes again at once */
        return;
    }
    block = (uint64_t)(at - m->base) / m->block_bytes;
    pthread_mutex_lock(&lock);
    if (!is_mapped(m, block) && !fetch(m, block))
        _exit(LOST);
    pthread_mutex_unlock(&lock);
    errno = error;
}

int block_map_geometry(int channel, struct block_geometry *ret, struct err *e)
{
    struct block_geometry g;

    if (read(channel, &g, sizeof(g)) != (ssize_t)sizeof(g) || g.block_bytes == 0 ||
        g.block_bytes % BLOCK_ALIGNMENT != 0 || g.block_bytes > BLOCK_BYTES_MAX || g.size == 0 ||
        g.size / g.block_bytes >= BLOCKS_MAX)
        return err_set(e, -FAULT_FORMAT, "its blocks are not as they should be");
    *ret = g;
    return 0;
}

int block_map_new(int channel, int memory, const struct block_geometry *g, struct block_map *ret, struct err *e)
{
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    uint64_t blocks = (g->size + g->block_bytes - 1) / g->block_bytes;
    struct map m = {.block_bytes = (size_t)g->block_bytes, .channel = channel, .memory = memory};

    assert(map_count < BLOCK_MAPS_MAX && blocks > 0 && ret);
    m.mapped = calloc((size_t)blocks / 64 + 1, sizeof(*m.mapped));
    m.base = mmap(NULL, blocks * m.block_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!m.mapped || m.base == MAP_FAILED || sigaction(SIGSEGV, &action, NULL) < 0) {
        free(m.mapped);
        return err_set(e, -errno, "no addresses for a dump of this size: %s", strerror(errno));
    }
    m.end = m.base + blocks * m.block_bytes;
    maps[map_count++] = m;
    *ret = (struct block_map){m.base, g->size};
    return 0;
}
