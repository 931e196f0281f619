/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads, frames and locks of the open dump go into its arrays; a lock is found by its id.
 */
#include "threads/thread_build.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/mem.h"
#include "threads/thread_frame.h"

enum { COUNT_MAX = UINT32_MAX / 8, SLOTS_FIRST = 256 };

struct thread_hint {
    uint32_t lock, owner; /* owner: number of the name's text */
};

static struct thread_dump *current(struct thread_build *b)
{
    return &b->dump[b->count - 1];
}

static void fail(struct thread_build *b, int r)
{
    if (b->failed == 0)
        b->failed = r;
}

static bool grow(struct thread_build *b, void *array, size_t count, size_t *capacity, size_t item)
{
    int r = array_reserve(array, count + 1, capacity, item, COUNT_MAX);

    if (r < 0)
        fail(b, r);
    return r == 0;
}

static uint32_t text(struct thread_build *b, struct piece p)
{
    uint32_t n = thread_texts_add(b->texts, p.size ? p.text : "", p.size);

    if (n == UINT32_MAX)
        fail(b, -ENOMEM);
    return n;
}

static const char *text_of(struct thread_build *b, struct piece p)
{
    uint32_t n = text(b, p);

    return n == UINT32_MAX ? "" : thread_texts_all(b->texts)[n];
}

int thread_build_init(struct thread_build *b)
{
    *b = (struct thread_build){.texts = thread_texts_new()};
    return b->texts ? 0 : -ENOMEM;
}

void thread_build_done(struct thread_build *b)
{
    struct thread_dumps d = {.dump = b->dump, .count = b->count, .texts = b->texts};

    thread_dumps_done(&d);
    free(b->lock_slot);
    free(b->hint);
    *b = (struct thread_build){0};
}

void build_dump(struct thread_build *b, struct piece time, struct piece jvm)
{
    build_dump_end(b);
    if (b->failed)
        return;
    if (b->count >= THREAD_DUMPS_MAX) {
        fail(b, -E2BIG);
        return;
    }
    if (!grow(b, &b->dump, b->count, &b->capacity, sizeof(*b->dump)))
        return;
    b->dump[b->count++] = (struct thread_dump){.time = text_of(b, time), .jvm = text_of(b, jvm)};
    b->thread_capacity = b->lock_capacity = b->frame_capacity = b->held_capacity = 0;
    b->open = true;
}

void build_about(struct thread_build *b, struct piece time, struct piece jvm)
{
    if (!b->open || b->failed)
        return;
    if (time.size)
        current(b)->time = text_of(b, time);
    if (jvm.size)
        current(b)->jvm = text_of(b, jvm);
}

/* A compiler, the signal dispatcher: Java's threads that run none. */
static void find_internal(struct thread_dump *d)
{
    for (size_t i = 0; i < d->thread_count; i++) {
        struct dumped_thread *t = &d->thread[i];

        if (t->frame_count == 0 && !t->is_virtual && (t->state == THREAD_RUNNABLE || t->state == THREAD_STATE_UNKNOWN))
            t->internal = true;
    }
}

/* Object.wait() releases the monitor that its frame entered. */
static void find_owners(struct thread_dump *d)
{
    for (uint32_t i = 0; i < d->thread_count; i++) {
        const struct dumped_thread *t = &d->thread[i];

        for (uint32_t h = t->held; h < t->held + t->held_count; h++) {
            uint32_t lock = d->held[h].lock;
            bool released = t->wait != THREAD_WAITS_NOT && t->lock == lock;

            if (!released && d->lock[lock].owner == THREAD_NONE)
                d->lock[lock].owner = i;
        }
    }
}

static void use_hints(struct thread_build *b, struct thread_dump *d)
{
    for (size_t i = 0; i < b->hint_count; i++) {
        const char *name = thread_texts_all(b->texts)[b->hint[i].owner];
        struct dumped_lock *lock = &d->lock[b->hint[i].lock];

        /* Equal names are one text. */
        for (uint32_t t = 0; t < d->thread_count && lock->owner == THREAD_NONE; t++)
            if (d->thread[t].name == name)
                lock->owner = t;
    }
}

void build_dump_end(struct thread_build *b)
{
    if (!b->open)
        return;
    find_internal(current(b));
    find_owners(current(b));
    use_hints(b, current(b));
    free(b->lock_slot);
    b->lock_slot = NULL;
    b->lock_slots = b->hint_count = 0;
    b->open = b->in_thread = false;
}

int thread_build_end(struct thread_build *b, struct thread_dumps *ret)
{
    build_dump_end(b);
    if (b->failed == -ENOMEM)
        return b->failed;
    *ret = (struct thread_dumps){.dump = b->dump, .count = b->count, .texts = b->texts};
    ret->text = thread_texts_all(b->texts);
    ret->cut = b->failed ? "more threads or dumps than are read" : NULL;
    b->dump = NULL;
    b->texts = NULL;
    b->count = 0;
    return 0;
}

struct dumped_thread *build_thread(struct thread_build *b, struct piece name)
{
    struct thread_dump *d;

    b->in_thread = false;
    if (!b->open || b->failed)
        return NULL;
    d = current(b);
    if (b->threads >= THREADS_MAX) {
        fail(b, -E2BIG);
        return NULL;
    }
    if (!grow(b, &d->thread, d->thread_count, &b->thread_capacity, sizeof(*d->thread)))
        return NULL;
    d->thread[d->thread_count] = (struct dumped_thread){.name = text_of(b, name),
                                                        .cpu_ms = -1,
                                                        .elapsed_ms = -1,
                                                        .lock = THREAD_NONE,
                                                        .frame = (uint32_t)d->frame_count,
                                                        .held = (uint32_t)d->held_count};
    b->threads++;
    b->in_thread = true;
    return &d->thread[d->thread_count++];
}

struct dumped_thread *build_open(const struct thread_build *b)
{
    struct thread_dump *d = b->open && b->in_thread && !b->failed ? &b->dump[b->count - 1] : NULL;

    return d ? &d->thread[d->thread_count - 1] : NULL;
}

void build_thread_close(struct thread_build *b)
{
    b->in_thread = false;
}

void build_name(struct thread_build *b, struct piece name)
{
    struct dumped_thread *t = build_open(b);

    if (t)
        t->name = text_of(b, name);
}

void build_frame(struct thread_build *b, struct piece frame)
{
    struct dumped_thread *t = build_open(b);
    char clean[THREAD_TEXT_MAX];
    size_t size;
    uint32_t number;

    if (!t || !grow(b, &current(b)->frame, current(b)->frame_count, &b->frame_capacity, sizeof(uint32_t)))
        return;
    size = thread_frame_clean(frame.text, frame.size, clean);
    number = text(b, (struct piece){clean, size});
    if (number == UINT32_MAX)
        return;
    current(b)->frame[current(b)->frame_count++] = number;
    t->frame_count++;
}

static uint32_t *lock_slot(struct thread_build *b, const char *id)
{
    const struct thread_dump *d = current(b);
    size_t at = XXH3_64bits(id, strlen(id)) & (b->lock_slots - 1);

    while (b->lock_slot[at] && d->lock[b->lock_slot[at] - 1].id != id)
        at = (at + 1) & (b->lock_slots - 1);
    return &b->lock_slot[at];
}

static bool grow_lock_slots(struct thread_build *b)
{
    struct thread_dump *d = current(b);
    size_t slots = b->lock_slots ? b->lock_slots * 2 : SLOTS_FIRST;
    uint32_t *slot = calloc(slots, sizeof(*slot));

    if (!slot) {
        fail(b, -ENOMEM);
        return false;
    }
    free(b->lock_slot);
    b->lock_slot = slot;
    b->lock_slots = slots;
    for (size_t i = 0; i < d->lock_count; i++)
        *lock_slot(b, d->lock[i].id) = (uint32_t)i + 1;
    return true;
}

/* THREAD_NONE if there is no dump, no id, or no memory. */
static uint32_t lock(struct thread_build *b, struct piece id, struct piece class_name)
{
    struct thread_dump *d;
    const char *name;
    uint32_t *slot;

    if (!b->open || b->failed || id.size == 0)
        return THREAD_NONE;
    d = current(b);
    name = text_of(b, id);
    if (b->failed || ((d->lock_count + 1) * 2 > b->lock_slots && !grow_lock_slots(b)) ||
        !grow(b, &d->lock, d->lock_count, &b->lock_capacity, sizeof(*d->lock)))
        return THREAD_NONE;
    slot = lock_slot(b, name);
    if (*slot == 0) {
        d->lock[d->lock_count++] = (struct dumped_lock){name, "", THREAD_NONE};
        *slot = (uint32_t)d->lock_count;
    }
    if (class_name.size && !*d->lock[*slot - 1].class_name)
        d->lock[*slot - 1].class_name = text_of(b, class_name);
    return *slot - 1;
}

void build_wait(struct thread_build *b, enum thread_wait wait, struct piece id, struct piece class_name)
{
    struct dumped_thread *t = build_open(b);

    if (!t || t->wait != THREAD_WAITS_NOT)
        return;
    t->wait = wait;
    t->lock = lock(b, id, class_name);
}

void build_held(struct thread_build *b, struct piece id, struct piece class_name, uint32_t depth)
{
    struct dumped_thread *t = build_open(b);
    uint32_t number;

    if (!t || (number = lock(b, id, class_name)) == THREAD_NONE ||
        !grow(b, &current(b)->held, current(b)->held_count, &b->held_capacity, sizeof(struct held_lock)))
        return;
    if (depth == BUILD_LAST_FRAME)
        depth = t->frame_count ? t->frame_count - 1 : THREAD_NONE;
    current(b)->held[current(b)->held_count++] = (struct held_lock){number, depth};
    t->held_count++;
}

void build_owner(struct thread_build *b, struct piece id, struct piece class_name, struct piece owner)
{
    uint32_t number = lock(b, id, class_name), name;

    if (number == THREAD_NONE || (name = text(b, owner)) == UINT32_MAX ||
        !grow(b, &b->hint, b->hint_count, &b->hint_capacity, sizeof(*b->hint)))
        return;
    b->hint[b->hint_count++] = (struct thread_hint){number, name};
}
