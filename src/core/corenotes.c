/* SPDX-License-Identifier: Apache-2.0
 *
 * A note: u4 size of the name, u4 size of the content, u4 type, name, content, both padded to 4 bytes.
 */
#include "core/corenotes.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { HEADER_WIDE = 64, HEADER_NARROW = 52, SEGMENT_WIDE = 56, SEGMENT_NARROW = 32, PT_NOTE = 4, NOTE_HEAD = 12 };
enum { NT_PRSTATUS = 1, NT_PRPSINFO = 3, NT_SIGINFO = 0x53494749 };
enum { CURSIG_AT = 12, NAME_SIZE = 16, ARGUMENTS_SIZE = 80 };

struct layout {
    bool wide, big;
};

static uint64_t number(const struct layout *l, const unsigned char *p, size_t size)
{
    uint64_t n = 0;

    for (size_t i = 0; i < size; i++)
        n = n << 8 | p[l->big ? i : size - 1 - i];
    return n;
}

static bool layout_of(const unsigned char *head, size_t size, struct layout *ret)
{
    if (size < HEADER_NARROW ||
        memcmp(head,
               "\x7f"
               "ELF",
               4) != 0 ||
        (head[4] != 1 && head[4] != 2))
        return false;
    *ret = (struct layout){.wide = head[4] == 2, .big = head[5] == 2};
    return !ret->wide || size >= HEADER_WIDE;
}

int corenotes_find(const void *head, size_t size, uint64_t *ret_at, uint64_t *ret_size)
{
    const unsigned char *p = head;
    uint64_t at, count, entry;
    struct layout l;

    if (!layout_of(p, size, &l))
        return -ENOENT;
    at = l.wide ? number(&l, p + 32, 8) : number(&l, p + 28, 4);
    entry = number(&l, p + (l.wide ? 54 : 42), 2);
    count = number(&l, p + (l.wide ? 56 : 44), 2);
    if (entry != (l.wide ? SEGMENT_WIDE : SEGMENT_NARROW))
        return -ENOENT;
    for (; count > 0 && at <= size && size - at >= entry; count--, at += entry) {
        const unsigned char *segment = p + at;

        if (number(&l, segment, 4) != PT_NOTE)
            continue;
        *ret_at = l.wide ? number(&l, segment + 8, 8) : number(&l, segment + 4, 4);
        *ret_size = l.wide ? number(&l, segment + 32, 8) : number(&l, segment + 16, 4);
        return 0;
    }
    return -ENOENT;
}

/* struct elf_prpsinfo is recognised by its size: 64 bits; 32 bits with user ids of 16 bits; 32 bits with user ids of 32
 * bits. */
static void set_process(const struct layout *l, const unsigned char *p, size_t size, struct origin *o)
{
    static const struct {
        size_t size, name;
    } forms[] = {{136, 40}, {124, 28}, {128, 32}};
    size_t name = 0;

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        name = forms[i].size == size ? forms[i].name : name;
    if (name == 0)
        return;
    o->pid = number(l, p + name - 16, 4);
    origin_text(o->command, sizeof(o->command), (const char *)p + name + NAME_SIZE,
                strnlen((const char *)p + name + NAME_SIZE, ARGUMENTS_SIZE));
    if (!*o->command)
        origin_text(o->command, sizeof(o->command), (const char *)p + name, strnlen((const char *)p + name, NAME_SIZE));
}

static void set_signal(struct origin *o, int number)
{
    const char *name = number > 0 ? sigabbrev_np(number) : NULL;
    bool dumps = number > 0 && number != SIGSTOP;

    snprintf(o->cause, sizeof(o->cause), "%s", dumps ? CAUSE_SIGNAL : CAUSE_USER);
    if (dumps && name)
        snprintf(o->detail, sizeof(o->detail), "SIG%s (%d)", name, number);
    else if (dumps)
        snprintf(o->detail, sizeof(o->detail), "signal %d", number);
    else
        o->detail[0] = '\0';
}

static size_t padded(uint64_t size)
{
    return (size_t)(size + 3) & ~(size_t)3;
}

void corenotes_origin(const void *head, size_t head_size, const void *notes, size_t size, struct origin *ret)
{
    const unsigned char *p = notes, *end = p + size;
    bool status = false, info = false;
    struct layout l;

    if (!layout_of(head, head_size, &l))
        return;
    while ((size_t)(end - p) >= NOTE_HEAD) {
        uint64_t name = number(&l, p, 4), content = number(&l, p + 4, 4), type = number(&l, p + 8, 4);

        p += NOTE_HEAD;
        if (padded(name) > (size_t)(end - p))
            return;
        p += padded(name);
        if (content > (size_t)(end - p))
            return;
        if (type == NT_PRSTATUS && !status && content >= CURSIG_AT + 2) {
            status = true;
            if (!info)
                set_signal(ret, (int)number(&l, p + CURSIG_AT, 2));
        } else if (type == NT_PRPSINFO) {
            set_process(&l, p, (size_t)content, ret);
        } else if (type == NT_SIGINFO && !info && content >= 4) {
            info = true;
            set_signal(ret, (int)number(&l, p, 4));
        }
        p += padded(content) > (size_t)(end - p) ? (size_t)(end - p) : padded(content);
    }
}
