/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of a process, and the memory that they share with others.
 */
#include "net/bandwidth.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

enum { RATE_TEXT_MAX = 32, FEW_BELOW = 8 * 1024 * 1024, SOME_BELOW = 32 * 1024 * 1024 };

struct limit {
    uint64_t rate;
    char *file; /* NULL: none was given */
    struct bandwidth_share *share;
};

struct bandwidth {
    struct limit limit[BANDWIDTH_LIMITS_MAX];
    unsigned count;
    int fd; /* for limits without a file; -1: none */
    bool opened;
    _Atomic uint64_t tenant;
    pthread_mutex_t lock;
};

/* --- text --- */

/* "100Mbit" in bytes a second; 0: it is no such text. */
static uint64_t parse_bits(const char *text, size_t size)
{
    static const struct {
        const char *unit;
        double bits;
    } UNITS[] = {{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
    char *end;
    double value = strtod(text, &end);

    for (size_t i = 0; i < ARRAY_SIZE(UNITS); i++)
        if (end > text && text + size == end + 4 && strncasecmp(end, UNITS[i].unit, 4) == 0 && value > 0 && value < 1e6)
            return (uint64_t)(value * UNITS[i].bits / 8);
    return 0;
}

int bandwidth_parse(const char *text, uint64_t *ret_rate, struct err *e)
{
    size_t size = strlen(text);
    char number[RATE_TEXT_MAX];
    uint64_t rate = 0;

    if (text_eq(text, "none")) {
        *ret_rate = 0;
        return 0;
    }
    if (size > 2 && text_eq(text + size - 2, "/s"))
        size -= 2;
    if (size < sizeof(number)) {
        snprintf(number, sizeof(number), "%.*s", (int)size, text);
        if ((rate = parse_bits(number, size)) == 0 && text_parse_size(number, &rate) < 0)
            rate = 0;
    }
    if (rate == 0)
        return err_set(e, -FAULT_USAGE,
                       "--bandwidth: '%.60s' is no rate: bytes a second, as in 20M, or 100Mbit, or 'none'", text);
    if (rate < BANDWIDTH_LEAST)
        return err_set(e, -FAULT_USAGE, "--bandwidth: at least 64K: a store takes slower uploads for dead ones");
    *ret_rate = rate;
    return 0;
}

static int add_limit(struct bandwidth *b, const char *text, struct err *e)
{
    struct limit l = {0};
    const char *at = strchr(text, '@');
    CLEANUP_FREE char *rate = strndup(text, at ? (size_t)(at - text) : strlen(text));
    int r;

    if (!rate)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = bandwidth_parse(rate, &l.rate, e)) < 0)
        return r;
    if (at && at[1] != '/')
        return err_set(e, -FAULT_USAGE, "--bandwidth: '%.60s': an absolute path is needed behind '@'", text);
    if (l.rate == 0)
        return 0;
    if (b->count == BANDWIDTH_LIMITS_MAX)
        return err_set(e, -FAULT_USAGE, "--bandwidth: at most %d limits", BANDWIDTH_LIMITS_MAX);
    if (at && !(l.file = strdup(at + 1)))
        return err_set(e, -ENOMEM, "out of memory");
    b->limit[b->count++] = l;
    return 0;
}

/* --- limits --- */

void bandwidth_free(struct bandwidth *b)
{
    if (!b)
        return;
    for (unsigned i = 0; i < b->count; i++) {
        if (b->limit[i].share)
            munmap(b->limit[i].share, sizeof(*b->limit[i].share));
        free(b->limit[i].file);
    }
    pthread_mutex_destroy(&b->lock);
    free(b);
}

DEFINE_CLEANUP(struct bandwidth *, bandwidth_free)

int bandwidth_new(const char *const *texts, unsigned count, struct bandwidth **ret, struct err *e)
{
    CLEANUP(bandwidth_free_ptr) struct bandwidth *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return err_set(e, -ENOMEM, "out of memory");
    pthread_mutex_init(&b->lock, NULL);
    b->fd = -1;
    for (unsigned i = 0; i < count; i++)
        if ((r = add_limit(b, texts[i], e)) < 0)
            return r;
    *ret = b->count > 0 ? TAKE_PTR(b) : NULL;
    return 0;
}

int bandwidth_set_folder(struct bandwidth *b, const char *folder)
{
    assert(!b || !b->opened);
    for (unsigned i = 0; b && i < b->count; i++)
        if (!b->limit[i].file && asprintf(&b->limit[i].file, "%s/bandwidth", folder) < 0)
            return -ENOMEM;
    return 0;
}

void bandwidth_set_fd(struct bandwidth *b, int fd)
{
    assert(!b || !b->opened);
    if (b)
        b->fd = fd;
}

/* Blocks are there before they are mapped: a full disk must not become a SIGBUS. */
static int reserve(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || (st.st_uid != geteuid() && st.st_uid != 0))
        return -EPERM;
    return -posix_fallocate(fd, 0, sizeof(struct bandwidth_share));
}

int bandwidth_make_fd(void)
{
    CLEANUP_FD int fd = memfd_create("bandwidth", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : -posix_fallocate(fd, 0, sizeof(struct bandwidth_share));

    return r < 0 ? r : TAKE_FD(fd);
}

static int map(int fd, struct bandwidth_share **ret)
{
    void *at = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

    if (at == MAP_FAILED)
        return -errno;
    *ret = at;
    return 0;
}

static int open_limit(struct limit *l, int given)
{
    CLEANUP_FD int fd = -1;
    int r;

    if (!l->file && given >= 0)
        return map(given, &l->share);
    if (!l->file)
        return map(-1, &l->share);
    fd = open(l->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = reserve(fd);
    return r < 0 ? r : map(fd, &l->share);
}

int bandwidth_open(struct bandwidth *b, struct err *e)
{
    int result = 0, r;

    if (!b)
        return 0;
    pthread_mutex_lock(&b->lock);
    for (unsigned i = 0; !b->opened && i < b->count; i++) {
        struct limit *l = &b->limit[i];

        if ((r = open_limit(l, b->fd)) == 0)
            continue;
        result = err_set(e, r, "--bandwidth is this process's alone: the file %s cannot be shared: %s",
                         l->file ? l->file : "in memory", strerror(-r));
        map(-1, &l->share); /* where even that fails, nothing limits */
    }
    b->opened = true;
    pthread_mutex_unlock(&b->lock);
    return result;
}

void bandwidth_set_tenant(struct bandwidth *b, uint64_t tenant)
{
    if (b)
        atomic_store(&b->tenant, tenant);
}

uint64_t bandwidth_rate(const struct bandwidth *b)
{
    uint64_t least = 0;

    for (unsigned i = 0; b && i < b->count; i++)
        if (least == 0 || b->limit[i].rate < least)
            least = b->limit[i].rate;
    return least;
}

size_t bandwidth_piece_of(const struct bandwidth *b)
{
    return b ? bandwidth_piece(bandwidth_rate(b)) : SIZE_MAX;
}

unsigned bandwidth_connections(const struct bandwidth *b, unsigned most)
{
    uint64_t rate = bandwidth_rate(b);
    unsigned few = rate < FEW_BELOW ? 1 : 2;

    return rate == 0 || rate >= SOME_BELOW || most < few ? most : few;
}

/* --- waiting --- */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};

    nanosleep(&t, NULL); /* after a signal the line is asked again */
}

static uint64_t new_owner(void)
{
    static _Atomic uint64_t count;
    uint64_t id = ((uint64_t)getpid() << 32) ^ (atomic_fetch_add(&count, 1) << 20) ^ now_ns();

    return id ? id : 1;
}

void bandwidth_wait(struct bandwidth *b, struct bandwidth_sender *s, size_t size)
{
    struct err ignored;
    uint64_t wait;

    if (!b || size == 0)
        return;
    bandwidth_open(b, &ignored); /* where the sink was not opened by sink_open */
    for (unsigned i = 0; i < b->count; i++) {
        const struct limit *l = &b->limit[i];
        uint64_t piece = bandwidth_piece(l->rate), wanted = size > s->paid[i] ? size - s->paid[i] : 0;
        struct bandwidth_ask ask = {
            .rate = l->rate, .tenant = atomic_load(&b->tenant), .size = wanted > piece ? wanted : piece};

        if (!l->share)
            continue;
        s->paid[i] += (wanted > 0 ? ask.size : 0) - size;
        if (wanted == 0)
            continue;
        if (s->at[i].owner == 0)
            s->at[i].owner = new_owner();
        for (;;) {
            ask.now_ns = now_ns();
            if ((wait = bandwidth_share_ask(l->share, &s->at[i], &ask)) == 0)
                break;
            sleep_ns(wait);
        }
    }
}

void bandwidth_sender_done(struct bandwidth *b, struct bandwidth_sender *s)
{
    for (unsigned i = 0; b && i < b->count; i++)
        if (b->limit[i].share && s->at[i].owner != 0)
            bandwidth_share_leave(b->limit[i].share, &s->at[i]);
    *s = (struct bandwidth_sender){0};
}
