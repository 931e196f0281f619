/* SPDX-License-Identifier: Apache-2.0
 *
 * Cores of our own making, byte by byte: what is read from them, and that offsets which lead nowhere are not followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/mem.h"
#include "core/core_read.h"
#include "core/core_stream.h"
#include "core/core_text.h"

enum { SEGMENTS = 3, CODE = 0x400000, STACK = 0x7ff000, PAGE = 4096 };

/* /app/server is mapped at CODE; its one thread stands at CODE + 0x10, two frames deep. */
struct made {
    struct buf notes, core;
};

static void add_note(struct buf *to, uint32_t type, const void *data, size_t size)
{
    const Elf64_Nhdr head = {.n_namesz = 5, .n_descsz = (uint32_t)size, .n_type = type};
    static const char zeros[4];

    assert_int_equal(buf_add(to, &head, sizeof(head)), 0);
    assert_int_equal(buf_add(to, "CORE\0\0\0", 8), 0);
    assert_int_equal(buf_add(to, data, size), 0);
    assert_int_equal(buf_add(to, zeros, (4 - size % 4) % 4), 0);
}

static void put64(unsigned char *at, uint64_t n)
{
    memcpy(at, &n, sizeof(n));
}

static void add_thread(struct buf *to)
{
    unsigned char status[336] = {0};

    status[12] = SIGSEGV;
    status[32] = 77;
    put64(status + 112 + 4 * 8, STACK + 0x20);  /* rbp */
    put64(status + 112 + 16 * 8, CODE + 0x10);  /* rip */
    put64(status + 112 + 19 * 8, STACK + 0x10); /* rsp */
    add_note(to, NT_PRSTATUS, status, sizeof(status));
}

static void add_rest(struct buf *to)
{
    unsigned char info[128] = {SIGSEGV}, process[136] = {0}, files[16 + 24 + 12] = {0};

    info[8] = 1; /* SEGV_MAPERR */
    info[16] = 0x10;
    add_note(to, NT_SIGINFO, info, sizeof(info));
    process[24] = 77;
    memcpy(process + 40, "server", 6);
    memcpy(process + 56, "/app/server -v", 14);
    add_note(to, NT_PRPSINFO, process, sizeof(process));
    files[0] = 1;
    put64(files + 8, PAGE);
    put64(files + 16, CODE);
    put64(files + 24, CODE + PAGE);
    memcpy(files + 40, "/app/server", 12);
    add_note(to, NT_FILE, files, sizeof(files));
}

static void make(struct made *m)
{
    Elf64_Ehdr head = {.e_type = ET_CORE,
                       .e_machine = EM_X86_64,
                       .e_phoff = sizeof(head),
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = SEGMENTS};
    Elf64_Phdr segment[SEGMENTS] = {
        {.p_type = PT_NOTE},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = CODE, .p_memsz = PAGE},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = STACK, .p_memsz = PAGE, .p_filesz = 64}};
    unsigned char stack[64] = {0};

    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    add_thread(&m->notes);
    add_rest(&m->notes);
    put64(stack + 0x20, 0); /* the last frame */
    put64(stack + 0x28, CODE + 0x20);
    segment[0].p_offset = sizeof(head) + sizeof(segment);
    segment[0].p_filesz = m->notes.size;
    segment[2].p_offset = segment[0].p_offset + m->notes.size;
    assert_int_equal(buf_add(&m->core, &head, sizeof(head)), 0);
    assert_int_equal(buf_add(&m->core, segment, sizeof(segment)), 0);
    assert_int_equal(buf_add(&m->core, m->notes.data, m->notes.size), 0);
    assert_int_equal(buf_add(&m->core, stack, sizeof(stack)), 0);
}

static void made_done(struct made *m)
{
    buf_done(&m->notes);
    buf_done(&m->core);
}

static void a_core_is_read(void **state)
{
    CLEANUP(made_done) struct made m = {0};
    CLEANUP(core_read_done) struct core_read c = {0};
    uint64_t frame[CORE_FRAMES_MAX];
    char text[CORE_PLACE_MAX];
    struct err e;

    (void)state;
    make(&m);
    assert_int_equal(core_read(m.core.data, m.core.size, &c, &e), 0);
    assert_int_equal(c.thread_count, 1);
    assert_int_equal(c.thread[0].tid, 77);
    assert_int_equal(c.pid, 77);
    assert_string_equal(c.command, "/app/server -v");
    assert_int_equal(c.module_count, 1);
    assert_false(c.cut);
    assert_int_equal(core_frames(&c, &c.thread[0], frame), 2);
    assert_string_equal(core_place(&c, frame[1], text), "server+0x20");
    assert_string_equal(core_cause(&c, text, sizeof(text)), "SIGSEGV: address not mapped: 0x10");
    assert_string_equal(core_register_name(&c, 16), "rip");
    assert_int_equal(core_register(&c.thread[0], 16), CODE + 0x10);
    assert_null(core_register_name(&c, 27));
}

static void the_beginning_makes_the_sentence(void **state)
{
    CLEANUP(made_done) struct made m = {0};
    struct summary s;

    (void)state;
    make(&m);
    assert_int_equal(core_summary(m.core.data, m.core.size, &s), 0);
    assert_string_equal(s.sentence, "SIGSEGV: address not mapped: 0x10 in server: server+0x10 < server+0x20; 1 thread");
    assert_int_equal(core_summary(m.core.data, m.core.size - 64, &s), 0);
    assert_string_equal(s.sentence, "SIGSEGV: address not mapped: 0x10 in server: server+0x10; 1 thread");
}

static void a_stream_has_the_same_sentence(void **state)
{
    CLEANUP(made_done) struct made m = {0};
    struct summary whole, passed;

    (void)state;
    make(&m);
    assert_int_equal(core_summary(m.core.data, m.core.size, &whole), 0);
    for (size_t piece = 1; piece < m.core.size; piece = piece * 2 + 1) {
        struct core_stream *s = NULL;

        assert_int_equal(core_stream_new(&s), 0);
        for (size_t at = 0; at < m.core.size; at += piece)
            assert_int_equal(core_stream_feed(s, m.core.data + at, piece < m.core.size - at ? piece : m.core.size - at),
                             0);
        assert_int_equal(core_stream_summary(s, &passed), 0);
        assert_string_equal(passed.sentence, whole.sentence);
        core_stream_free(s);
    }
}

static void a_stream_that_ends_early_says_what_passed(void **state)
{
    CLEANUP(made_done) struct made m = {0};
    struct summary passed = {0};

    (void)state;
    make(&m);
    for (size_t size = 0; size <= m.core.size; size++) {
        struct core_stream *s = NULL;
        int r;

        assert_int_equal(core_stream_new(&s), 0);
        assert_int_equal(core_stream_feed(s, m.core.data, size), 0);
        r = core_stream_summary(s, &passed);
        assert_int_equal(r, size < m.core.size - 64 ? -FAULT_FORMAT : 0); /* its notes end there */
        core_stream_free(s);
    }
    assert_non_null(strstr(passed.sentence, "server+0x10 < server+0x20"));
}

static void a_cut_core_has_what_there_is(void **state)
{
    CLEANUP(made_done) struct made m = {0};

    (void)state;
    make(&m);
    for (size_t size = 0; size <= m.core.size; size++) {
        CLEANUP(core_read_done) struct core_read c = {0};
        CLEANUP_FREE char *copy = malloc(size ? size : 1); /* exactly: a byte too far is found */
        struct err e;
        int r;

        assert_non_null(copy);
        memcpy(copy, m.core.data, size);
        r = core_read(copy, size, &c, &e);
        assert_true(r == 0 || r == -FAULT_FORMAT);
        assert_true(r < 0 || c.cut == (size < m.core.size));
    }
}

static void what_is_no_core_is_refused(void **state)
{
    CLEANUP(made_done) struct made m = {0};
    struct core_read c;
    struct err e;

    (void)state;
    make(&m);
    m.core.data[16] = ET_EXEC;
    assert_int_equal(core_read(m.core.data, m.core.size, &c, &e), -FAULT_FORMAT);
    m.core.data[16] = ET_CORE;
    m.core.data[18] = EM_386;
    assert_int_equal(core_read(m.core.data, m.core.size, &c, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "another machine"));
}

/* An executable with these notes. */
static void an_id(const char *owner, uint32_t type, const char *content, char ret[CORE_BUILD_ID_MAX])
{
    Elf64_Ehdr head = {.e_phoff = sizeof(head), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
    Elf64_Phdr notes = {.p_type = PT_NOTE, .p_offset = sizeof(head) + sizeof(notes)};
    const Elf64_Nhdr note = {.n_namesz = 4, .n_descsz = (uint32_t)strlen(content), .n_type = type};
    CLEANUP(buf_done) struct buf file = {0};

    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    notes.p_filesz = sizeof(note) + 4 + strlen(content);
    assert_int_equal(buf_add(&file, &head, sizeof(head)), 0);
    assert_int_equal(buf_add(&file, &notes, sizeof(notes)), 0);
    assert_int_equal(buf_add(&file, &note, sizeof(note)), 0);
    assert_int_equal(buf_add(&file, owner, 4), 0);
    assert_int_equal(buf_add(&file, content, strlen(content)), 0);
    core_build_id(file.data, file.size, ret);
}

static void executables_are_known_by_their_ids(void **state)
{
    char id[CORE_BUILD_ID_MAX];

    (void)state;
    an_id("GNU", 3, "abcdefgh", id);
    assert_string_equal(id, "6162636465666768");
    an_id("Go\0", 4, "action/main/mai/01234567890123456789", id); /* the last 20 characters */
    assert_string_equal(id, "3031323334353637383930313233343536373839");
    an_id("Go\0", 4, "too short...", id);
    assert_string_equal(id, "");
    an_id("GNU", 1, "abcdefgh", id);
    assert_string_equal(id, "");
    core_build_id("", 0, id);
    assert_string_equal(id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_is_read),
        cmocka_unit_test(the_beginning_makes_the_sentence),
        cmocka_unit_test(a_stream_has_the_same_sentence),
        cmocka_unit_test(a_stream_that_ends_early_says_what_passed),
        cmocka_unit_test(a_cut_core_has_what_there_is),
        cmocka_unit_test(what_is_no_core_is_refused),
        cmocka_unit_test(executables_are_known_by_their_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
