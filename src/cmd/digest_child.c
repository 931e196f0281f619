/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage digest-child: says what a piece of evidence shows, in a sandbox (ship/digest_request.h). Not for users.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "codec/packed_reader.h"
#include "core/core_stream.h"
#include "inspect/block_map.h"
#include "linux/oomscore.h"
#include "ship/digest_request.h"
#include "ship/evidence_summary.h"

enum { EVIDENCE = SANDBOXED_FIRST, REACH, MEMORY = REACH, PIECE = 128 * 1024 };
enum {
    UNPACKED_MAX = 96 * 1024 * 1024,       /* in memory */
    UNPACKED_AGAIN_MAX = 512 * 1024 * 1024 /* a larger dump is not unpacked a few times more for the names of threads */
};
#define PRIVATE_MEMORY (256ull << 20)
#define ADDRESSES (1ull << 30) /* besides a mapped file */

struct child {
    const char *kind;
    enum content content;
    bool stream, blocks;
    struct digest_reach reach;
    struct block_geometry geometry; /* of blocks */
    struct block_map map;
};

/* Waits until there is more of the file. 0; -EPIPE: the parent has given up. */
static int wait_for_more(struct child *c)
{
    struct digest_reach next;
    ssize_t n;

    do
        n = read(REACH, &next, sizeof(next));
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(next))
        return -EPIPE;
    c->reach = next;
    return 0;
}

/* --- the answer --- */

static json_t *row_of(const struct summary_row *row)
{
    return json_pack("{so sI sI}", "name", jsonout_text(row->name, sizeof(row->name)), "count", (json_int_t)row->count,
                     "bytes", (json_int_t)row->bytes);
}

static int answer(struct summary *s, const struct buf *json)
{
    json_auto_t *root = json_object(), *top = json_array();
    CLEANUP_FREE char *line = NULL;
    int r;

    summary_make_printable(s);
    for (unsigned i = 0; i < s->top_count; i++)
        json_array_append_new(top, row_of(&s->top[i]));
    json_object_set_new(root, "summary", jsonout_text(s->sentence, sizeof(s->sentence)));
    json_object_set(root, "top", top);
    line = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (!line)
        return -ENOMEM;
    if ((r = sandboxed_write(line, strlen(line))) < 0 || (r = sandboxed_write("\n", 1)) < 0)
        return r;
    return json ? sandboxed_write(json->data, json->size) : 0;
}

/* Nothing to say is an answer, too: a name proposes a kind, and is wrong at times. */
static int say_nothing(struct err *e)
{
    struct summary nothing = {0};

    return answer(&nothing, NULL) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

/* --- a heap dump --- */

static ssize_t read_at(const struct child *c, void *to, size_t size, uint64_t offset)
{
    if (!c->blocks)
        return file_pread(EVIDENCE, to, size, offset);
    if (offset >= c->map.size)
        return 0;
    if (size > c->map.size - offset)
        size = (size_t)(c->map.size - offset);
    memcpy(to, (const char *)c->map.data + offset, size);
    return (ssize_t)size;
}

static ssize_t read_again(void *ctx, void *to, size_t size, uint64_t offset)
{
    return read_at(ctx, to, size, offset);
}

/* The next bytes; 0 at the end. */
static ssize_t read_next(struct child *c, struct histogram_stream *s)
{
    uint64_t at = histogram_stream_skip(s, c->reach.to);
    size_t room;
    void *space = histogram_stream_space(s, &room);
    int r;

    room = room < PIECE ? room : PIECE;
    if (c->stream)
        return read(EVIDENCE, space, room);
    while (at >= c->reach.to && !c->reach.end) {
        if ((r = wait_for_more(c)) < 0)
            return r;
        at = histogram_stream_skip(s, c->reach.to);
    }
    if (at >= c->reach.to)
        return 0;
    return read_at(c, space, c->reach.to - at < room ? (size_t)(c->reach.to - at) : room, at);
}

static int explain(int r, struct err *e)
{
    return err_set(e, r == -EBADMSG ? -FAULT_FORMAT : r, "%s",
                   r == -EBADMSG  ? "it is no heap dump"
                   : r == -E2BIG  ? "it has too many classes"
                   : r == -ENOMEM ? "out of memory"
                                  : strerror(-r));
}

/* source NULL: it can't be read again. */
static int tell_heap(struct histogram_stream *s, const struct heap_digest_source *source, struct err *e)
{
    CLEANUP(buf_done) struct buf json = {.ceiling = HEAP_DIGEST_MAX};
    CLEANUP(heap_digest_done) struct heap_digest d = {0};
    struct summary summary;

    histogram_stream_end(s);
    if (!s->format.id_size)
        return err_set(e, -FAULT_FORMAT, "it is no heap dump");
    if (heap_digest_make(&d, s, source) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    heap_digest_summary(&d, &summary);
    if (heap_digest_json(&d, &summary, NULL, &json) < 0 || answer(&summary, &json) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

static int digest_heap(struct child *c, struct histogram_stream *s, struct err *e)
{
    const struct heap_digest_source source = {.read = read_again, .ctx = c};
    ssize_t n;
    int r = 0;

    while ((n = read_next(c, s)) > 0 && r == 0)
        r = histogram_stream_filled(s, (size_t)n);
    if (n < 0)
        return err_set(e, (int)n, "cannot read it: %s", strerror((int)-n));
    return r < 0 ? explain(r, e) : tell_heap(s, c->stream ? NULL : &source, e);
}

/* --- a heap dump that its JVM, or a user, has compressed --- */

/* The bytes of the file from `offset` on; 0 at the end. Of a stream the next ones. */
static ssize_t read_packed(void *ctx, void *to, size_t size, uint64_t offset)
{
    struct child *c = ctx;
    int r;

    if (c->stream)
        return read(EVIDENCE, to, size);
    while (offset >= c->reach.to && !c->reach.end)
        if ((r = wait_for_more(c)) < 0)
            return r;
    if (offset >= c->reach.to)
        return 0;
    return read_at(c, to, c->reach.to - offset < size ? (size_t)(c->reach.to - offset) : size, offset);
}

static ssize_t unpack_again(void *ctx, void *to, size_t size, uint64_t offset)
{
    return packed_reader_at(ctx, to, size, offset);
}

/* What is unpacked goes to one of these. */
struct unpacked {
    struct histogram_stream *heap;
    struct buf *memory;
};

/* Up to its end, or to where it is damaged: what there is, is digested. 0; -EBADMSG: it is not what its name or its
 * first bytes said; -E2BIG, -EMSGSIZE, -ENOMEM, or why it can't be read. */
static int unpack(struct packed_reader *p, const struct unpacked *to)
{
    CLEANUP_FREE char *out = malloc(PIECE);
    ssize_t n = 0;
    int r = out ? 0 : -ENOMEM;

    while (r == 0 && (n = packed_reader_next(p, out, PIECE)) > 0)
        r = to->heap ? histogram_stream_feed(to->heap, out, (size_t)n) : buf_add(to->memory, out, (size_t)n);
    if (r < 0)
        return r;
    return n == -EBADMSG && p->out_at > 0 ? 0 : (int)n;
}

static int digest_packed_heap(struct child *c, struct histogram_stream *s, struct err *e)
{
    CLEANUP(packed_reader_done) struct packed_reader p;
    const struct heap_digest_source source = {.read = unpack_again, .ctx = &p};
    int r = packed_reader_init(&p, read_packed, c);

    if (r == 0)
        r = unpack(&p, &(struct unpacked){.heap = s});
    if (r == -EBADMSG || (r == 0 && !s->format.id_size))
        return say_nothing(e);
    if (r < 0)
        return explain(r, e);
    return tell_heap(s, c->stream || p.out_at > UNPACKED_AGAIN_MAX ? NULL : &source, e);
}

/* --- other evidence --- */

static int summarize(const struct child *c, const void *data, size_t size, struct err *e)
{
    struct summary summary;
    int r = evidence_summary(c->kind, c->content, data, size, &summary);

    if (r == -EBADMSG || r == -ENOENT)
        return say_nothing(e);
    return r < 0 || answer(&summary, NULL) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

/* The file is mapped once it is complete. */
static int summarize_file(struct child *c, struct err *e)
{
    size_t max = evidence_summary_max(c->kind, c->content);
    void *data;
    int r;

    while (!c->reach.end)
        if ((r = wait_for_more(c)) < 0)
            return err_set(e, r, "stopped");
    if (c->reach.to > max)
        return say_nothing(e);
    if (c->reach.to == 0)
        return summarize(c, "", 0, e);
    if (c->blocks)
        return summarize(c, c->map.data, c->map.size, e);
    data = mmap(NULL, (size_t)c->reach.to, PROT_READ, MAP_PRIVATE, EVIDENCE, 0);
    if (data == MAP_FAILED)
        return err_set(e, -errno, "cannot map it: %s", strerror(errno));
    return summarize(c, data, (size_t)c->reach.to, e); /* the process ends next */
}

/* Without a ceiling: the most of a core passes. */
static int summarize_core(struct err *e)
{
    CLEANUP_FREE char *piece = malloc(PIECE);
    struct core_stream *core = NULL;
    struct summary summary;
    ssize_t n;
    int r = piece ? core_stream_new(&core) : -ENOMEM;

    while (r == 0 && (n = read(EVIDENCE, piece, PIECE)) > 0)
        r = core_stream_feed(core, piece, (size_t)n);
    if (r == 0 && (r = core_stream_summary(core, &summary)) == 0)
        r = answer(&summary, NULL);
    core_stream_free(core);
    return r == 0 ? 0 : r == -ENOMEM ? err_set(e, r, "out of memory") : say_nothing(e);
}

static int summarize_stream(const struct child *c, struct err *e)
{
    size_t max = evidence_summary_max(c->kind, c->content);
    CLEANUP(buf_done) struct buf text = {.ceiling = max};
    CLEANUP_FREE char *piece = malloc(PIECE);
    ssize_t n;

    while (piece && (n = read(EVIDENCE, piece, PIECE)) > 0)
        if (text.size + (size_t)n > max || buf_add(&text, piece, (size_t)n) < 0)
            return say_nothing(e);
    return summarize(c, buf_text(&text), text.size, e);
}

static int summarize_packed(struct child *c, struct err *e)
{
    CLEANUP(packed_reader_done) struct packed_reader p;
    CLEANUP(buf_done) struct buf plain = {.ceiling = UNPACKED_MAX};
    int r = packed_reader_init(&p, read_packed, c);

    if (r == 0)
        r = unpack(&p, &(struct unpacked){.memory = &plain});
    if (r < 0)
        return r == -EMSGSIZE || r == -EBADMSG ? say_nothing(e) : explain(r, e);
    c->content = CONTENT_PHD;
    return summarize(c, buf_text(&plain), plain.size, e);
}

static int digest_dump(struct child *c, bool packed, struct err *e)
{
    struct histogram_stream *s;
    int r;

    if (histogram_stream_new(c->stream || packed, &s) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = packed ? digest_packed_heap(c, s, e) : digest_heap(c, s, e);
    histogram_stream_free(s);
    return r;
}

static int digest(struct child *c, struct err *e)
{
    bool packed = c->content == CONTENT_HPROF_GZIP || (c->content == CONTENT_OTHER && text_eq(c->kind, "heap-dump"));
    int r;

    if (c->blocks && (r = block_map_new(EVIDENCE, MEMORY, &c->geometry, &c->map, e)) < 0)
        return r;
    if (c->blocks)
        c->reach = (struct digest_reach){c->map.size, true};
    if (c->content == CONTENT_CORE && c->stream)
        return summarize_core(e);
    if (c->content == CONTENT_HPROF || packed)
        return digest_dump(c, packed, e);
    if (c->content == CONTENT_PHD_GZIP)
        return summarize_packed(c, e);
    return c->stream ? summarize_stream(c, e) : summarize_file(c, e);
}

static int run(int argc, char **argv)
{
    struct sandbox limits = {.memory = PRIVATE_MEMORY, .address_space = ADDRESSES};
    struct child c = {0};
    uint64_t content;
    struct err e = {0};
    struct stat st;
    int r;

    if (argc != 4 || text_parse_uint(argv[2], CONTENT_THREAD_DUMP, &content) < 0)
        return command_error(-FAULT_USAGE, DIGEST_COMMAND ": salvage starts this command itself");
    c.kind = argv[1];
    c.content = (enum content)content;
    c.stream = text_eq(argv[3], "stream");
    c.blocks = text_eq(argv[3], "blocks");
    if (c.blocks && (r = block_map_geometry(EVIDENCE, &c.geometry, &e)) < 0)
        return command_fail(r, &e);
    if (c.blocks)
        limits.address_space += c.geometry.size + BLOCK_BYTES_MAX;
    else if (!c.stream && fstat(EVIDENCE, &st) == 0)
        limits.address_space += (uint64_t)st.st_size;
    oomscore_offer();    /* only this digest is lost */
    json_object_seed(1); /* jansson would open /dev/urandom */
    if ((r = sandboxed_enter(&limits, c.stream ? 1 : 2, &e)) < 0)
        return command_fail(r, &e);
    r = digest(&c, &e);
    sandboxed_exit(r, &e);
}

const struct command CMD_DIGEST_CHILD = {
    .name = DIGEST_COMMAND,
    .args = "",
    .summary = "says what evidence shows, in a sandbox",
    .hidden = true,
    .run = run,
};
