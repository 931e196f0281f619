/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines go to the reader of the format that the last beginning was of.
 */
#include "threads/thread_dump.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/origin.h"
#include "threads/thread_readers.h"

const char *thread_state_name(enum thread_state state)
{
    static const char *const names[THREAD_STATES] = {"-",       "NEW",           "RUNNABLE",  "BLOCKED",
                                                     "WAITING", "TIMED_WAITING", "TERMINATED"};

    return names[state];
}

/* jcmd Thread.dump_to_file: process, time, version, an empty line, and the first thread. */
static bool begins_as_file(struct piece p)
{
    struct piece line;

    for (int i = 0; i < 3; i++) {
        line = piece_until(p, "\n");
        if (line.size == p.size)
            return false;
        p = (struct piece){p.text + line.size + 1, p.size - line.size - 1};
        if (i < 2 && (line.size == 0 || *line.text < '0' || *line.text > '9'))
            return false;
    }
    p = piece_trim(piece_begins(p, "\n") ? (struct piece){p.text + 1, p.size - 1} : p);
    return piece_begins(p, "#");
}

bool thread_dumps_probe(const void *data, size_t size)
{
    struct piece all = {data, size}, head = {data, size < THREAD_PROBE_MAX ? size : THREAD_PROBE_MAX};

    if (size == 0 || memchr(data, '\0', head.size))
        return false;
    return thread_json_probe(data, size) || begins_as_file(head) || piece_behind(all, "Full thread dump ").text ||
           piece_behind(head, "TITLE subcomponent dump routine").text;
}

static void read_text(struct thread_build *b, const char *text, size_t size)
{
    struct hotspot_reader hotspot = {.build = b};
    struct javacore_reader javacore = {.build = b};
    const char *at = text, *end = text + size;
    bool is_javacore = false;
    struct piece line;

    while (b->failed == 0 && origin_line(&at, end, &line.text, &line.size)) {
        if (javacore_reader_begins(line))
            is_javacore = true;
        else if (piece_begins(line, "Full thread dump "))
            is_javacore = false;
        if (is_javacore)
            javacore_reader_line(&javacore, line);
        else
            hotspot_reader_line(&hotspot, line);
    }
}

/* Dumps without a thread are none. */
static void drop_empty(struct thread_dumps *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->count; i++) {
        if (d->dump[i].thread_count) {
            d->dump[kept++] = d->dump[i];
            continue;
        }
        free(d->dump[i].lock);
        free(d->dump[i].frame);
        free(d->dump[i].held);
    }
    d->count = kept;
}

/* False: it ends too early. */
static bool read_one(struct thread_build *b, const void *data, size_t size)
{
    if (thread_json_probe(data, size))
        return thread_json_read(b, data, size);
    read_text(b, data, size);
    return true;
}

static int end(struct thread_build *b, bool whole, struct thread_dumps *ret, struct err *e)
{
    struct thread_dumps d = {0};
    int r = thread_build_end(b, &d);

    if (r < 0)
        return err_set(e, r, "out of memory");
    drop_empty(&d);
    if (d.count == 0) {
        thread_dumps_done(&d);
        return err_set(e, -FAULT_FORMAT, "there is no thread dump in it");
    }
    if (!whole && !d.cut)
        d.cut = "it ends too early, or is no JSON there";
    *ret = d;
    return 0;
}

int thread_dumps_parse(const void *data, size_t size, struct thread_dumps *ret, struct err *e)
{
    CLEANUP(thread_build_done) struct thread_build b = {0};
    int r = thread_build_init(&b);

    assert(ret && (data || size == 0));
    return r < 0 ? err_set(e, r, "out of memory") : end(&b, read_one(&b, data, size), ret, e);
}

int thread_dumps_parse_two(const void *const data[2], const size_t size[2], struct thread_dumps *ret, struct err *e)
{
    CLEANUP(thread_build_done) struct thread_build b = {0};
    bool whole = true;
    int r = thread_build_init(&b);

    assert(data && size && ret);
    if (r < 0)
        return err_set(e, r, "out of memory");
    for (unsigned i = 0; i < 2; i++) {
        size_t before = b.count;

        whole = read_one(&b, data[i], size[i]) && whole;
        build_dump_end(&b);
        if (b.failed == 0 && b.count == before)
            return err_set(e, -FAULT_FORMAT, "there is no thread dump in the %s", i ? "second" : "first");
    }
    return end(&b, whole, ret, e);
}

void thread_dumps_done(struct thread_dumps *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->dump[i].thread);
        free(d->dump[i].lock);
        free(d->dump[i].frame);
        free(d->dump[i].held);
    }
    free(d->dump);
    thread_texts_free(d->texts);
    *d = (struct thread_dumps){0};
}
