/* SPDX-License-Identifier: Apache-2.0
 *
 * Owners are in the line 3XMTHREADBLOCK of who waits, in javacores of old JVMs only in the section LOCKS.
 */
#include <string.h>

#include "threads/thread_readers.h"

bool javacore_reader_begins(struct piece line)
{
    return piece_begins(line, "0SECTION ") && piece_behind(line, "TITLE subcomponent").text;
}

/* "Thread-1" (J9VMThread:0x..., java/lang/Thread:0x...): the name */
static struct piece quoted(struct piece text)
{
    struct piece name = piece_behind(text, "\""), more;

    if (!name.text)
        return name;
    more = piece_until(name, "\" (");
    if (more.size == name.size)
        more = piece_until(name, "\" J9VMThread:");
    if (more.size == name.size)
        more = piece_until(name, "\"");
    return more;
}

static struct piece class_of(struct piece id)
{
    return piece_until(id, "@");
}

/* "main" J9VMThread:0x..., omrthread_t:0x..., java/lang/Thread:0x..., state:CW, prio=5; older: (TID:0x, ..., state:R */
static void read_thread(struct javacore_reader *r, struct piece text)
{
    static const struct {
        const char *name;
        enum thread_state state;
    } states[] = {{"R", THREAD_RUNNABLE}, {"MW", THREAD_BLOCKED}, {"CW", THREAD_WAITING},  {"B", THREAD_BLOCKED},
                  {"P", THREAD_WAITING},  {"S", THREAD_WAITING},  {"Z", THREAD_TERMINATED}};
    struct piece name = quoted(text), state = piece_behind(text, "state:");
    struct dumped_thread *t = build_thread(r->build, name);

    if (!t)
        return;
    t->internal = name.text == NULL; /* "Anonymous native thread" */
    state = piece_until(piece_until(state, ","), " ");
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (piece_is(state, states[i].name))
            t->state = states[i].state;
}

/* Blocked on: java/lang/Object@0x00000000FFE26A10 Owned by: "http-3" (J9VMThread:..., java/lang/Thread:...) */
static void read_block(struct javacore_reader *r, struct piece text)
{
    static const struct {
        const char *words;
        enum thread_wait wait;
    } waits[] = {
        {"Blocked on: ", THREAD_ENTERS}, {"Waiting on: ", THREAD_AWAITS_NOTIFY}, {"Parked on: ", THREAD_PARKS}};
    struct piece owner = quoted(piece_behind(text, "Owned by: "));

    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        struct piece id = piece_until(piece_behind(text, waits[i].words), " ");

        if (!id.size)
            continue;
        build_wait(r->build, waits[i].wait, id, class_of(id));
        if (owner.size)
            build_owner(r->build, id, class_of(id), owner);
    }
}

static void read_detail(struct javacore_reader *r, struct piece tag, struct piece text)
{
    struct dumped_thread *t = build_open(r->build);

    if (!t)
        return;
    if (piece_is(tag, "3XMJAVALTHREAD")) {
        t->id = piece_number(piece_behind(text, "getId:"));
        t->daemon = piece_begins(piece_behind(text, "isDaemon:"), "true");
    } else if (piece_is(tag, "3XMTHREADINFO1")) {
        t->native_id = piece_number(piece_behind(text, "native thread ID:"));
    } else if (piece_is(tag, "3XMCPUTIME") && piece_behind(text, "total: ").text) {
        t->cpu_ms = piece_decimal(piece_behind(text, "total: ")) * 1000;
        t->internal |= piece_behind(text, "category=\"JIT\"").text || piece_behind(text, "category=\"GC\"").text;
    } else if (piece_is(tag, "3XMTHREADBLOCK")) {
        read_block(r, text);
    } else if (piece_is(tag, "4XESTACKTRACE") && piece_begins(text, "at ")) {
        build_frame(r->build, piece_behind(text, "at "));
    } else if (piece_is(tag, "5XESTACKTRACE") && piece_behind(text, "entered lock: ").text) {
        struct piece id = piece_until(piece_until(piece_behind(text, "entered lock: "), ","), ")");

        build_held(r->build, id, class_of(id), BUILD_LAST_FRAME);
    }
}

/* java/lang/Object@0x00000000FFE26A10: owner "http-3" (J9VMThread:0x...), entry count 1; "Flat locked by" */
static void read_monitor(struct javacore_reader *r, struct piece text)
{
    struct piece id = piece_until(text, ": "), owner = quoted(text);

    if (id.size < text.size && owner.size)
        build_owner(r->build, id, class_of(id), owner);
}

void javacore_reader_line(struct javacore_reader *r, struct piece line)
{
    struct piece tag = piece_word(&line), text = piece_trim(line);

    if (piece_is(tag, "0SECTION") && piece_behind(text, "TITLE").text)
        build_dump(r->build, (struct piece){0}, (struct piece){0});
    if (!r->build->open)
        return;
    if (piece_is(tag, "1TIDATETIME"))
        build_about(r->build, piece_trim(piece_behind(text, "Date:")), (struct piece){0});
    else if (piece_is(tag, "1CIJAVAVERSION"))
        build_about(r->build, (struct piece){0}, text);
    else if (piece_is(tag, "3LKMONOBJECT"))
        read_monitor(r, text);
    else if (piece_is(tag, "3XMTHREADINFO"))
        read_thread(r, text);
    else if (piece_is(tag, "0SECTION") || piece_is(tag, "1XMTHDSUMMARY"))
        build_thread_close(r->build);
    else
        read_detail(r, tag, text);
}
