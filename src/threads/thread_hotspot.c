/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread is a line with its name in quotes, lines below it, and an empty line. What lies between dumps, and lines
 * that a log has in the midst of them, are ignored.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "threads/thread_readers.h"

static const char FULL[] = "Full thread dump ";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "2026-11-29T20:50:20.947195271Z", "2026-11-29 20:50:18" */
static bool is_time(struct piece p)
{
    return p.size >= 19 && is_digit(p.text[0]) && p.text[4] == '-' && p.text[7] == '-' && p.text[13] == ':' &&
           p.text[16] == ':';
}

/* A container's log begins each line with a time, some with "stdout F " behind it. */
static struct piece without_stamp(struct piece line)
{
    struct piece rest = line, stamp, stream;

    if (!line.size || !is_digit(*line.text))
        return line;
    stamp = piece_word(&rest);
    if (!is_time(stamp) || stamp.text[10] != 'T')
        return line;
    if (rest.size)
        rest = (struct piece){rest.text + 1, rest.size - 1};
    line = rest;
    stream = piece_word(&rest);
    if (!piece_is(stream, "stdout") && !piece_is(stream, "stderr"))
        return line;
    stream = piece_word(&rest);
    if (!piece_is(stream, "F") && !piece_is(stream, "P"))
        return line;
    return rest.size ? (struct piece){rest.text + 1, rest.size - 1} : rest;
}

enum thread_state thread_state_of(struct piece text)
{
    static const char *const names[] = {
        [THREAD_NEW] = "NEW",         [THREAD_RUNNABLE] = "RUNNABLE",           [THREAD_BLOCKED] = "BLOCKED",
        [THREAD_WAITING] = "WAITING", [THREAD_TIMED_WAITING] = "TIMED_WAITING", [THREAD_TERMINATED] = "TERMINATED"};

    for (int i = THREAD_NEW; i < THREAD_STATES; i++)
        if (piece_is(text, names[i]))
            return (enum thread_state)i;
    return THREAD_STATE_UNKNOWN;
}

/* Where the name ends: at the last quote before the attributes. 0: this is no thread's line. */
static size_t name_size(struct piece line)
{
    static const char *const attributes[] = {" #", " prio=", " daemon ", " os_prio=", " cpu=", " tid="};

    for (size_t i = line.size; i > 1; i--) {
        struct piece rest = {line.text + i, line.size - i};

        if (line.text[i - 1] != '"')
            continue;
        for (size_t a = 0; a < ARRAY_SIZE(attributes); a++)
            if (piece_begins(rest, attributes[a]) && (a == 0 || piece_behind(rest, "tid=").text))
                return i - 2;
    }
    return 0;
}

static void attribute(struct dumped_thread *t, struct piece word)
{
    if (piece_is(word, "daemon"))
        t->daemon = true;
    else if (piece_is(word, "virtual"))
        t->is_virtual = true;
    else if (piece_begins(word, "#"))
        t->id = piece_number((struct piece){word.text + 1, word.size - 1});
    else if (piece_begins(word, "cpu="))
        t->cpu_ms = piece_decimal(piece_behind(word, "cpu="));
    else if (piece_begins(word, "elapsed="))
        t->elapsed_ms = piece_decimal(piece_behind(word, "elapsed=")) * 1000;
    else if (piece_begins(word, "nid="))
        t->native_id = piece_number(piece_behind(word, "nid="));
}

/* "main" #1 prio=5 os_prio=0 cpu=37.79ms elapsed=0.91s tid=0x00007f2700017f40 nid=0xe82 runnable  [0x00007f270711e000]
 */
static bool read_thread(struct hotspot_reader *r, struct piece line)
{
    size_t size = *line.text == '"' && !r->to_file ? name_size(line) : 0;
    struct piece rest = {line.text + size + 2, line.size - size - 2};
    struct dumped_thread *t;

    if (size == 0 && !(piece_begins(line, "\"\" ") && name_size(line) == 0 && piece_behind(line, " tid=").text))
        return false;
    if (!(t = build_thread(r->build, (struct piece){line.text + 1, size})))
        return true;
    t->internal = true; /* until its state says otherwise */
    while (rest.size)
        attribute(t, piece_word(&rest));
    return true;
}

/* #64 "order-3" virtual WAITING 2026-11-29T20:50:20.984167194Z; until JDK 23 the name is the last but for "virtual". */
static bool read_thread_of_file(struct hotspot_reader *r, struct piece line)
{
    struct piece id = piece_word(&line), name = piece_behind(line, "\""), rest;
    const char *end = name.size ? memrchr(name.text, '"', name.size) : NULL;
    struct dumped_thread *t;

    if (id.size < 2 || !is_digit(id.text[1]) || !end)
        return false;
    if (!r->build->open || !r->to_file) {
        struct piece time = {0}, jvm = {0};

        for (size_t i = 1; i < THREAD_LINES_BEFORE; i++) {
            if (!is_time(r->before[i]))
                continue;
            time = r->before[i];
            jvm = r->before[i - 1];
        }
        build_dump(r->build, time, jvm);
        r->to_file = true;
    }
    rest = (struct piece){end + 1, name.size - (size_t)(end + 1 - name.text)};
    name.size = (size_t)(end - name.text);
    if (!(t = build_thread(r->build, name)))
        return true;
    t->id = piece_number((struct piece){id.text + 1, id.size - 1});
    while (rest.size) {
        struct piece word = piece_word(&rest);

        attribute(t, word);
        if (t->state == THREAD_STATE_UNKNOWN)
            t->state = thread_state_of(word);
    }
    return true;
}

/* "<0x00000000ffd05870> (a java.io.BufferedInputStream)", "<java.io.BufferedInputStream@46bb7d4c>" */
static bool lock_of(struct piece text, struct piece *ret_id, struct piece *ret_class)
{
    struct piece id = piece_behind(text, "<"), class_name = piece_until(piece_behind(text, "(a "), ")");

    id = piece_until(id, ">");
    if (!id.size || piece_behind(id, " ").text)
        id = (struct piece){0};
    else if (!class_name.size && memchr(id.text, '@', id.size))
        class_name = piece_until(id, "@");
    *ret_id = id;
    *ret_class = class_name;
    return id.size > 0;
}

static void read_lock(struct hotspot_reader *r, struct piece text)
{
    struct piece id, class_name, of_class = piece_behind(text, "the Class initialization monitor for ");
    const struct dumped_thread *t = build_open(r->build);

    if (of_class.size) {
        build_wait(r->build, THREAD_ENTERS, of_class, (struct piece){"class initialization", 20});
        return;
    }
    lock_of(text, &id, &class_name);
    if (r->synchronizers)
        build_held(r->build, id, class_name, THREAD_NONE);
    else if (piece_begins(text, "locked "))
        build_held(r->build, id, class_name, BUILD_LAST_FRAME);
    else if (piece_begins(text, "waiting to lock") || piece_begins(text, "waiting to re-lock"))
        build_wait(r->build, THREAD_ENTERS, id, class_name);
    else if (piece_begins(text, "waiting on "))
        build_wait(r->build, t && t->state == THREAD_BLOCKED ? THREAD_ENTERS : THREAD_AWAITS_NOTIFY, id, class_name);
    else if (piece_begins(text, "parking to wait for"))
        build_wait(r->build, THREAD_PARKS, id, class_name);
}

/* Lines below a thread's, without the blanks that they begin with. */
static void read_detail(struct hotspot_reader *r, struct piece line)
{
    static const char state[] = "java.lang.Thread.State: ";
    struct dumped_thread *t = build_open(r->build);
    struct piece rest;

    if (!t)
        return;
    if (piece_begins(line, state)) {
        rest = piece_behind(line, state);
        t->state = thread_state_of(piece_word(&rest));
        t->internal = false;
    } else if (piece_begins(line, "- ")) {
        read_lock(r, piece_behind(line, "- "));
    } else if (piece_begins(line, "Locked ownable synchronizers:")) {
        r->synchronizers = true;
    } else if (piece_begins(line, "Carrying virtual thread #")) {
        t->carries = piece_number(piece_behind(line, "#"));
    } else if (piece_begins(line, "Mounted virtual thread #")) {
        r->stack_is_other = t->internal = false;
        if ((t = build_thread(r->build, (struct piece){"", 0}))) {
            t->id = piece_number(piece_behind(line, "#"));
            t->is_virtual = true;
            t->state = THREAD_RUNNABLE;
        }
    } else if (r->stack_is_other) {
        return;
    } else if (piece_begins(line, "at ")) {
        t->internal = false;
        build_frame(r->build, piece_behind(line, "at "));
    } else if (r->to_file) {
        build_frame(r->build, line);
    }
}

/* "pay-1":
 *   waiting to lock monitor 0x00007f2674066c10 (object 0x00000000ffd1e278, a Stuck$Cart),
 *   which is held by "pay-2"
 * Ownable synchronizers have their owner here even without -l. */
static void read_deadlock(struct hotspot_reader *r, struct piece line)
{
    static const char synchronizer[] = "waiting for ownable synchronizer ";
    struct piece owner = piece_behind(line, "which is held by \"");

    if (piece_begins(line, synchronizer))
        r->wanted = piece_until(piece_behind(line, synchronizer), ",");
    else if (piece_begins(line, "waiting to lock monitor"))
        r->wanted = piece_until(piece_behind(line, "(object "), ",");
    else if (owner.size && memrchr(owner.text, '"', owner.size) && r->wanted.size) {
        owner.size = (size_t)((const char *)memrchr(owner.text, '"', owner.size) - owner.text);
        build_owner(r->build, r->wanted, (struct piece){0}, owner);
        r->wanted = (struct piece){0};
    }
}

static bool begins_dump(struct hotspot_reader *r, struct piece line)
{
    struct piece time = {0}, jvm;

    if (!piece_begins(line, FULL))
        return false;
    jvm = piece_behind(line, FULL);
    if (jvm.size && jvm.text[jvm.size - 1] == ':')
        jvm.size--;
    if (is_time(r->before[0]))
        time = r->before[0];
    build_dump(r->build, time, jvm);
    r->to_file = r->synchronizers = r->stack_is_other = r->deadlocks = false;
    return true;
}

/* A line that begins with a blank, or is empty. */
static void read_inner(struct hotspot_reader *r, struct piece line)
{
    struct piece text = piece_trim(line);

    if (text.size == 0) {
        r->stack_is_other = true; /* the thread's has ended */
        /* The synchronizers come after an empty line. */
        if (r->synchronizers)
            build_thread_close(r->build);
        return;
    }
    if (r->deadlocks)
        read_deadlock(r, text);
    else
        read_detail(r, text);
}

static void read_outer(struct hotspot_reader *r, struct piece line)
{
    if (begins_dump(r, line))
        return;
    if (*line.text == '"' && read_thread(r, line)) {
        r->synchronizers = r->stack_is_other = r->deadlocks = false;
        return;
    }
    if (*line.text == '#' && read_thread_of_file(r, line)) {
        r->synchronizers = r->stack_is_other = false;
        return;
    }
    if (piece_begins(line, "JNI global ") || piece_begins(line, "Heap") || piece_begins(line, "Found ")) {
        build_thread_close(r->build);
        r->deadlocks = piece_begins(line, "Found ");
    } else if (piece_behind(line, "Exception").text || piece_behind(line, "Error").text) {
        r->stack_is_other = true;
    }
}

void hotspot_reader_line(struct hotspot_reader *r, struct piece line)
{
    if (!r->stamped && is_time(line) && piece_behind(line, FULL).text)
        r->stamped = piece_begins(without_stamp(line), FULL);
    if (r->stamped)
        line = without_stamp(line);
    if (line.size == 0 || *line.text == ' ' || *line.text == '\t')
        read_inner(r, line);
    else
        read_outer(r, line);
    if (line.size == 0)
        return;
    memmove(&r->before[1], &r->before[0], sizeof(r->before) - sizeof(*r->before));
    r->before[0] = line;
}
