/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump of a million virtual threads has a gigabyte: values are handled as they come, no tree is made. Inside an array
 * a value has the array's name.
 */
#include <string.h>

#include "base/mem.h"
#include "threads/thread_readers.h"

enum { DEPTH_MAX = 16, PROBE_MAX = 4096 };

enum key {
    KEY_OTHER,
    KEY_DUMP,
    KEY_TIME,
    KEY_VERSION,
    KEY_THREADS,
    KEY_ID,
    KEY_NAME,
    KEY_STATE,
    KEY_VIRTUAL,
    KEY_CARRIER,
    KEY_STACK,
    KEY_PARK_BLOCKER,
    KEY_BLOCKED,
    KEY_WAITING,
    KEY_DEPTH,
    KEY_LOCKS,
};

static const char *const NAMES[] = {
    [KEY_OTHER] = "",
    [KEY_DUMP] = "threadDump",
    [KEY_TIME] = "time",
    [KEY_VERSION] = "runtimeVersion",
    [KEY_THREADS] = "threads",
    [KEY_ID] = "tid",
    [KEY_NAME] = "name",
    [KEY_STATE] = "state",
    [KEY_VIRTUAL] = "virtual",
    [KEY_CARRIER] = "carrier",
    [KEY_STACK] = "stack",
    [KEY_PARK_BLOCKER] = "object",
    [KEY_BLOCKED] = "blockedOn",
    [KEY_WAITING] = "waitingOn",
    [KEY_DEPTH] = "depth",
    [KEY_LOCKS] = "locks",
};

struct level {
    char close; /* '}' or ']' */
    enum key key;
};

struct reader {
    struct thread_build *build;
    const char *at, *end;
    struct level level[DEPTH_MAX];
    size_t depth;
    bool value_is_next; /* behind a colon, or in an array */
    uint32_t frame_depth;
    char text[THREAD_TEXT_MAX];
    size_t size;
};

static enum key key_of(const struct reader *r)
{
    for (size_t i = 1; i < ARRAY_SIZE(NAMES); i++)
        if (piece_is((struct piece){r->text, r->size}, NAMES[i]))
            return (enum key)i;
    return KEY_OTHER;
}

static void add(struct reader *r, unsigned c)
{
    if (r->size < sizeof(r->text))
        r->text[r->size++] = (char)c;
}

/* The four digits of an escape as UTF-8; halves of a surrogate pair become '?'. */
static bool read_unicode(struct reader *r)
{
    unsigned c = 0;

    if (r->end - r->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char digit[3] = {'0', 'x', *r->at++};

        c = c << 4 | (unsigned)piece_number((struct piece){digit, sizeof(digit)});
    }
    if (c < 0x80) {
        add(r, c ? c : '?');
    } else if (c < 0x800) {
        add(r, 0xc0 | c >> 6);
        add(r, 0x80 | (c & 0x3f));
    } else if (c >= 0xd800 && c < 0xe000) {
        add(r, '?');
    } else {
        add(r, 0xe0 | c >> 12);
        add(r, 0x80 | (c >> 6 & 0x3f));
        add(r, 0x80 | (c & 0x3f));
    }
    return true;
}

/* Behind the opening quote. False: the text ends before the closing one. */
static bool read_string(struct reader *r)
{
    r->size = 0;
    while (r->at < r->end) {
        char c = *r->at++;

        if (c == '"')
            return true;
        if (c != '\\') {
            add(r, (unsigned char)c);
            continue;
        }
        if (r->at == r->end)
            return false;
        c = *r->at++;
        if (c == 'u') {
            if (!read_unicode(r))
                return false;
        } else {
            add(r, c == 'n' || c == 'r' || c == 't' || c == 'b' || c == 'f' ? ' ' : (unsigned char)c);
        }
    }
    return false;
}

static void read_scalar(struct reader *r)
{
    r->size = 0;
    while (r->at < r->end && !strchr(",]}:\" \t\r\n", *r->at))
        add(r, (unsigned char)*r->at++);
}

/* "java.io.BufferedInputStream@46bb7d4c" */
static struct piece class_of(struct piece id)
{
    return piece_until(id, "@");
}

static void wait_for(struct reader *r, enum thread_wait wait, struct piece id)
{
    build_wait(r->build, wait, id, class_of(id));
}

static void on_value(struct reader *r, enum key key)
{
    struct piece text = {r->text, r->size};
    struct dumped_thread *t = build_open(r->build);

    if (!t) {
        if (key == KEY_TIME)
            build_about(r->build, text, (struct piece){0});
        else if (key == KEY_VERSION)
            build_about(r->build, (struct piece){0}, text);
        return;
    }
    if (key == KEY_ID)
        t->id = piece_number(text);
    else if (key == KEY_NAME)
        build_name(r->build, text);
    else if (key == KEY_STATE)
        t->state = thread_state_of(text);
    else if (key == KEY_VIRTUAL)
        t->is_virtual = piece_is(text, "true");
    else if (key == KEY_STACK)
        build_frame(r->build, text);
    else if (key == KEY_PARK_BLOCKER)
        wait_for(r, THREAD_PARKS, text);
    else if (key == KEY_BLOCKED)
        wait_for(r, THREAD_ENTERS, text);
    else if (key == KEY_WAITING)
        wait_for(r, THREAD_AWAITS_NOTIFY, text);
    else if (key == KEY_DEPTH)
        r->frame_depth = (uint32_t)piece_number(text);
    else if (key == KEY_LOCKS && !piece_is(text, "null"))
        build_held(r->build, text, class_of(text), r->frame_depth);
}

/* The name of what is open: of the member that the last colon began. */
static enum key current(const struct reader *r)
{
    return r->depth ? r->level[r->depth - 1].key : KEY_OTHER;
}

static bool open_level(struct reader *r, char close)
{
    enum key key = current(r);

    if (r->depth >= DEPTH_MAX)
        return false;
    if (close == '}' && r->depth == 1)
        build_dump(r->build, (struct piece){0}, (struct piece){0});
    if (close == '}' && key == KEY_THREADS)
        build_thread(r->build, (struct piece){0});
    r->level[r->depth++] = (struct level){close, close == ']' ? key : KEY_OTHER};
    r->value_is_next = close == ']';
    return true;
}

static bool close_level(struct reader *r, char c)
{
    if (r->depth == 0 || r->level[--r->depth].close != c)
        return false;
    if (c == '}' && current(r) == KEY_THREADS)
        build_thread_close(r->build);
    if (r->depth == 0)
        build_dump_end(r->build);
    return true;
}

static bool read_token(struct reader *r, char c)
{
    bool in_array = r->depth && r->level[r->depth - 1].close == ']';

    if (c == '{' || c == '[')
        return open_level(r, c == '{' ? '}' : ']');
    if (c == '}' || c == ']')
        return close_level(r, c);
    if (c == ':') {
        r->value_is_next = true;
        return true;
    }
    if (c == ',') {
        r->value_is_next = in_array;
        return true;
    }
    if (c == '"') {
        if (!read_string(r))
            return false;
    } else {
        r->at--;
        read_scalar(r);
        if (r->size == 0)
            return false;
    }
    if (r->depth == 0)
        return false;
    if (r->value_is_next || in_array)
        on_value(r, current(r));
    else
        r->level[r->depth - 1].key = key_of(r);
    return true;
}

bool thread_json_read(struct thread_build *b, const char *text, size_t size)
{
    struct reader r = {.build = b, .at = text, .end = text + size};

    while (r.at < r.end) {
        char c = *r.at++;

        if (c != ' ' && c != '\n' && c != '\r' && c != '\t' && !read_token(&r, c))
            return false;
    }
    return r.depth == 0;
}

bool thread_json_probe(const char *text, size_t size)
{
    struct piece p = {text, size < PROBE_MAX ? size : PROBE_MAX};

    while (p.size && strchr(" \t\r\n", *p.text)) {
        p.text++;
        p.size--;
    }
    return p.size && *p.text == '{' && piece_behind(p, "\"threadDump\"").text;
}
