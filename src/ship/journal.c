/* SPDX-License-Identifier: Apache-2.0
 *
 * Journal lines. Reading stops at the first line that differs from what the encoders here write, because a power cut
 * has torn it or a hostile process has forged it. The parts before it are still valid, and sending some parts again
 * costs less than trusting a wrong number. Opens no file and verifies no digest.
 */
#include "ship/journal.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    JOURNAL_VERSION = 1,
    JOURNAL_MAX = 256 * 1024 * 1024,
    PARTS_MAX = 100000, /* bounds what a forged journal can make us allocate; parts beyond are sent again */
};

/* jansson's integers are signed. */
static bool fits(uint64_t n)
{
    return n <= INT64_MAX;
}

/* ETags and tokens are sent in requests: a line break in one would inject a header. */
static bool is_plain(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return length < size;
}

/* Takes json_pack's line, or its failure: no memory, or text that is not UTF-8. */
static int add_line(json_t *line, const json_error_t *error, struct buf *ret)
{
    CLEANUP_FREE char *text = NULL;

    if (!line)
        return json_error_code(error) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
    text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    if (!text)
        return -ENOMEM;
    return strlen(text) < JOURNAL_LINE_MAX ? buf_printf(ret, "%s\n", text) : -EMSGSIZE;
}

int journal_encode_head(const struct journal_head *h, struct buf *ret)
{
    json_error_t error;
    json_t *line;

    if (!fits(h->block_size) || !fits(h->part_size) || !fits(h->file_size))
        return -EINVAL;
    line = json_pack_ex(&error, 0, "{s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "journal", JOURNAL_VERSION, "store",
                        h->store, "key", h->key, "codec", h->codec, "block_size", (json_int_t)h->block_size,
                        "part_size", (json_int_t)h->part_size, "file_size", (json_int_t)h->file_size, "file_mtime_ns",
                        (json_int_t)h->file_mtime_ns);
    return add_line(line, &error, ret);
}

int journal_encode_token(const char *token, struct buf *ret)
{
    json_error_t error;

    if (!is_plain(token, JOURNAL_TOKEN_MAX))
        return -EINVAL;
    return add_line(json_pack_ex(&error, 0, "{s:s}", "token", token), &error, ret);
}

static json_t *encode_frames(const struct frames *f)
{
    json_auto_t *array = json_array();

    for (size_t i = 0; i < f->count; i++)
        if (json_array_append_new(array, json_integer(f->frame[i].stored)) < 0 ||
            json_array_append_new(array, json_integer(f->frame[i].raw)) < 0)
            return NULL;
    return TAKE_PTR(array);
}

int journal_encode_part(const struct journal_part *p, struct buf *ret)
{
    json_auto_t *frames = NULL;
    json_error_t error;
    json_t *line;

    if (!fits(p->size) || !fits(p->stored_end) || !fits(p->raw_end) || !is_plain(p->etag, sizeof(p->etag)) ||
        !is_plain(p->raw_digest, sizeof(p->raw_digest)) || !is_plain(p->stored_digest, sizeof(p->stored_digest)))
        return -EINVAL;
    frames = encode_frames(&p->frames);
    if (!frames)
        return -ENOMEM;
    line =
        json_pack_ex(&error, 0, "{s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:O}", "part", (json_int_t)p->number, "size",
                     (json_int_t)p->size, "stored_end", (json_int_t)p->stored_end, "raw_end", (json_int_t)p->raw_end,
                     "etag", p->etag, "raw_digest", p->raw_digest, "stored_digest", p->stored_digest, "frames", frames);
    return add_line(line, &error, ret);
}

static int read_head(json_t *line, struct journal_head *ret)
{
    const char *store, *key, *codec;
    json_int_t version, block_size, part_size, file_size, file_mtime_ns;

    if (json_unpack_ex(line, NULL, JSON_STRICT, "{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "journal", &version,
                       "store", &store, "key", &key, "codec", &codec, "block_size", &block_size, "part_size",
                       &part_size, "file_size", &file_size, "file_mtime_ns", &file_mtime_ns) < 0)
        return -EBADMSG;
    if (version != JOURNAL_VERSION || block_size < 0 || part_size < 0 || file_size < 0)
        return -EBADMSG;
    *ret = (struct journal_head){
        .store = strdup(store),
        .key = strdup(key),
        .codec = strdup(codec),
        .block_size = (uint64_t)block_size,
        .part_size = (uint64_t)part_size,
        .file_size = (uint64_t)file_size,
        .file_mtime_ns = file_mtime_ns,
    };
    return ret->store && ret->key && ret->codec ? 0 : -ENOMEM;
}

/* A store may give the same token again when an upload is resumed. Another token means that the parts are of another
 * upload. */
static int read_token(json_t *line, char **ret)
{
    const char *token;

    if (json_unpack_ex(line, NULL, JSON_STRICT, "{s:s}", "token", &token) < 0 || !is_plain(token, JOURNAL_TOKEN_MAX))
        return -EBADMSG;
    if (*ret)
        return text_eq(*ret, token) ? 0 : -EBADMSG;
    *ret = strdup(token);
    return *ret ? 0 : -ENOMEM;
}

static int read_frames(const json_t *array, struct frames *ret)
{
    size_t count = json_array_size(array);

    if (!json_is_array(array))
        return -EBADMSG;
    for (size_t i = 0; i < count; i += 2) {
        const json_t *stored = json_array_get(array, i), *raw = json_array_get(array, i + 1); /* NULL behind the end */
        json_int_t s = json_integer_value(stored), w = json_integer_value(raw);
        int r;

        if (!json_is_integer(stored) || !json_is_integer(raw) || s < 0 || s > UINT32_MAX || w < 0 || w > UINT32_MAX)
            return -EBADMSG;
        if ((r = frames_add(ret, (uint32_t)s, (uint32_t)w)) < 0)
            return r;
    }
    return 0;
}

static bool copy_plain(char *out, size_t size, const char *text)
{
    if (!is_plain(text, size))
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static int read_part(json_t *line, struct journal_part *ret)
{
    CLEANUP(journal_part_done) struct journal_part p = {0};
    const char *etag = NULL, *raw_digest, *stored_digest;
    json_int_t number, size, stored_end, raw_end;
    json_t *frames;
    int r;

    /* "receipt" is how an ETag was called before 2026-11-29. */
    if (json_unpack_ex(line, NULL, JSON_STRICT, "{s:I, s:I, s:I, s:I, s?s, s?s, s:s, s:s, s:o}", "part", &number,
                       "size", &size, "stored_end", &stored_end, "raw_end", &raw_end, "receipt", &etag, "etag", &etag,
                       "raw_digest", &raw_digest, "stored_digest", &stored_digest, "frames", &frames) < 0 ||
        !etag)
        return -EBADMSG;
    if (number < 1 || number > PARTS_MAX || size < 1 || stored_end < 0 || raw_end < 0 ||
        !copy_plain(p.etag, sizeof(p.etag), etag) || !copy_plain(p.raw_digest, sizeof(p.raw_digest), raw_digest) ||
        !copy_plain(p.stored_digest, sizeof(p.stored_digest), stored_digest))
        return -EBADMSG;
    p.number = (unsigned)number;
    p.size = (uint64_t)size;
    p.stored_end = (uint64_t)stored_end;
    p.raw_end = (uint64_t)raw_end;
    if ((r = read_frames(frames, &p.frames)) < 0)
        return r;
    *ret = p;
    p.frames = (struct frames){0};
    return 0;
}

static int add_part(json_t *line, struct journal *j)
{
    int r = array_reserve(&j->parts, j->count + 1, &j->capacity, sizeof(*j->parts), PARTS_MAX);

    if (r < 0)
        return r == -E2BIG ? -EBADMSG : r;
    r = read_part(line, &j->parts[j->count]);
    if (r == 0)
        j->count++;
    return r;
}

static int read_line(const char *text, size_t size, struct journal *j)
{
    json_error_t error;
    json_auto_t *line = NULL;

    if (size >= JOURNAL_LINE_MAX)
        return -EBADMSG;
    line = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
    if (!j->head.store)
        return read_head(line, &j->head);
    if (json_object_get(line, "token"))
        return read_token(line, &j->token);
    return add_part(line, j);
}

static int compare_parts(const void *a, const void *b)
{
    unsigned x = ((const struct journal_part *)a)->number, y = ((const struct journal_part *)b)->number;

    return (x > y) - (x < y);
}

/* Whether p begins exactly where the previous part (NULL: none) ends, and its frames add up to its sizes. */
static bool follows(const struct journal_part *p, const struct journal_part *previous)
{
    uint64_t stored = 0, raw = 0;

    for (size_t i = 0; i < p->frames.count; i++) {
        stored += p->frames.frame[i].stored;
        raw += p->frames.frame[i].raw;
    }
    return p->number == (previous ? previous->number : 0) + 1 && stored == p->size &&
           p->stored_end == (previous ? previous->stored_end : 0) + p->size &&
           p->raw_end == (previous ? previous->raw_end : 0) + raw;
}

/* Parts are confirmed in any order. If two lines are for one part, neither is used. */
static void put_in_order(struct journal *j)
{
    size_t good = 0;

    if (j->count > 0)
        qsort(j->parts, j->count, sizeof(*j->parts), compare_parts);
    while (good < j->count && follows(&j->parts[good], good > 0 ? &j->parts[good - 1] : NULL) &&
           !(good + 1 < j->count && j->parts[good + 1].number == j->parts[good].number))
        good++;
    for (size_t i = good; i < j->count; i++)
        journal_part_done(&j->parts[i]);
    j->count = good;
}

int journal_decode(const char *data, size_t size, struct journal *ret)
{
    CLEANUP(journal_done) struct journal j = {0};
    const char *end;
    int r = 0;

    if (size > JOURNAL_MAX)
        return -EBADMSG;
    while (r == 0 && size > 0 && (end = memchr(data, '\n', size))) {
        r = read_line(data, (size_t)(end - data), &j);
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    if (r == -ENOMEM)
        return r;
    if (!j.head.store)
        return -EBADMSG;
    put_in_order(&j);
    *ret = j;
    j = (struct journal){0};
    return 0;
}

void journal_part_done(struct journal_part *p)
{
    frames_done(&p->frames);
    p->frames = (struct frames){0};
}

void journal_done(struct journal *j)
{
    for (size_t i = 0; i < j->count; i++)
        journal_part_done(&j->parts[i]);
    free(j->parts);
    free(j->token);
    free(j->head.store);
    free(j->head.key);
    free(j->head.codec);
    *j = (struct journal){0};
}

int journal_head_same(const struct journal_head *a, const struct journal_head *b)
{
    return text_eq(a->store, b->store) && text_eq(a->key, b->key) && text_eq(a->codec, b->codec) &&
           a->block_size == b->block_size && a->part_size == b->part_size && a->file_size == b->file_size &&
           a->file_mtime_ns == b->file_mtime_ns;
}
