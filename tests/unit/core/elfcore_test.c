/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of a core, read back with <elf.h> and the kernel's own structures (<sys/procfs.h>).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/procfs.h>

#include "base/mem.h"
#include "core/elfcore.h"

enum { PAGE = 4096 };

static const struct elfcore_process SOMEBODY = {.pid = 7,
                                                .parent = 1,
                                                .group = 5,
                                                .session = 4,
                                                .uid = 70000,
                                                .gid = 2,
                                                .state = 'D',
                                                .nice = -5,
                                                .flags = 9,
                                                .name = "a-name-of-more-than-16",
                                                .command = "java -jar x"};

/* The note at an offset, which then stands behind it. */
static const char *next_note(const struct buf *notes, size_t *at, uint32_t *ret_type, size_t *ret_size)
{
    Elf64_Nhdr h;
    const char *data;

    assert_true(*at + sizeof(h) <= notes->size && *at % 4 == 0);
    memcpy(&h, notes->data + *at, sizeof(h));
    *at += sizeof(h);
    assert_int_equal(notes->data[*at + h.n_namesz - 1], '\0');
    *at += (h.n_namesz + 3) / 4 * 4;
    data = notes->data + *at;
    *at += (h.n_descsz + 3) / 4 * 4;
    assert_true(*at <= notes->size);
    *ret_type = h.n_type;
    *ret_size = h.n_descsz;
    return data;
}

static void test_offsets_follow_from_the_segments(void **state)
{
    static const struct elfcore_segment segments[] = {{0x1000, 0x3000, 0x2000, PF_R | PF_W},
                                                      {0x8000, 0x4000, 0, PF_R | PF_X},
                                                      {0x7fff00000000, 0x1000, 0x1000, PF_R}};
    const struct elfcore c = {&ELFCORE_X86_64, PAGE, segments, ARRAY_SIZE(segments)};
    CLEANUP(buf_done) struct buf notes = {0}, head = {0};
    Elf64_Ehdr h;
    Elf64_Phdr p[4];

    (void)state;
    assert_int_equal(elfcore_note(&notes, "CORE", NT_AUXV, "12345", 5), 0);
    assert_int_equal(elfcore_head(&c, &notes, &head), 0);
    assert_int_equal(head.size, elfcore_head_size(&c, notes.size));
    assert_int_equal(head.size % PAGE, 0);
    assert_int_equal(elfcore_size(&c, notes.size), head.size + 0x3000);

    memcpy(&h, head.data, sizeof(h));
    assert_memory_equal(h.e_ident, ELFMAG, SELFMAG);
    assert_int_equal(h.e_type, ET_CORE);
    assert_int_equal(h.e_machine, EM_X86_64);
    assert_int_equal(h.e_phnum, 4);
    assert_int_equal(h.e_shnum, 0);
    memcpy(p, head.data + h.e_phoff, sizeof(p));
    assert_int_equal(p[0].p_type, PT_NOTE);
    assert_int_equal(p[0].p_filesz, notes.size);
    assert_memory_equal(head.data + p[0].p_offset, notes.data, notes.size);
    for (size_t i = 0, offset = head.size; i < 3; i++) {
        assert_int_equal(p[i + 1].p_type, PT_LOAD);
        assert_int_equal(p[i + 1].p_vaddr, segments[i].start);
        assert_int_equal(p[i + 1].p_memsz, segments[i].size);
        assert_int_equal(p[i + 1].p_filesz, segments[i].kept);
        assert_int_equal(p[i + 1].p_flags, segments[i].protection);
        assert_int_equal(p[i + 1].p_offset, offset);
        offset += segments[i].kept;
    }
}

static void check_count(size_t count, bool extended)
{
    CLEANUP_FREE struct elfcore_segment *segments = calloc(count, sizeof(*segments));
    const struct elfcore c = {&ELFCORE_AARCH64, PAGE, segments, count};
    CLEANUP(buf_done) struct buf notes = {0}, head = {0};
    Elf64_Ehdr h;
    Elf64_Shdr s;
    Elf64_Phdr p;

    assert_non_null(segments);
    for (size_t i = 0; i < count; i++)
        segments[i] = (struct elfcore_segment){(i + 1) * 2 * PAGE, PAGE, PAGE, PF_R};
    assert_int_equal(elfcore_note(&notes, "CORE", NT_AUXV, "1234", 4), 0);
    assert_int_equal(elfcore_head(&c, &notes, &head), 0);
    memcpy(&h, head.data, sizeof(h));
    assert_int_equal(h.e_phnum, extended ? PN_XNUM : count + 1);
    assert_int_equal(h.e_shnum, extended);
    if (extended) {
        memcpy(&s, head.data + h.e_shoff, sizeof(s));
        assert_int_equal(s.sh_info, count + 1);
    }
    memcpy(&p, head.data + h.e_phoff, sizeof(p));
    assert_memory_equal(head.data + p.p_offset, notes.data, notes.size);
    memcpy(&p, head.data + h.e_phoff + count * sizeof(p), sizeof(p));
    assert_int_equal(p.p_vaddr, count * 2 * PAGE);
    assert_int_equal(p.p_offset + PAGE, elfcore_size(&c, notes.size));
}

static void test_more_segments_than_a_header_can_count(void **state)
{
    (void)state;
    check_count(1, false);
    check_count(65533, false);
    check_count(65534, true);
    check_count(100000, true);
}

static void test_a_process_is_as_the_kernel_writes_it(void **state)
{
    CLEANUP(buf_done) struct buf notes = {0};
    struct elf_prpsinfo p;
    size_t at = 0, size;
    uint32_t type;
    const char *data;

    (void)state;
    assert_int_equal(elfcore_note_process(&notes, &SOMEBODY), 0);
    data = next_note(&notes, &at, &type, &size);
    assert_int_equal(type, NT_PRPSINFO);
    assert_int_equal(size, sizeof(p));
    memcpy(&p, data, sizeof(p));
    assert_int_equal(p.pr_state, 2);
    assert_int_equal(p.pr_sname, 'D');
    assert_int_equal((signed char)p.pr_nice, -5); /* a char: unsigned on ARM */
    assert_int_equal(p.pr_flag, 9);
    assert_int_equal(p.pr_uid, 70000);
    assert_int_equal(p.pr_gid, 2);
    assert_int_equal(p.pr_pid, 7);
    assert_int_equal(p.pr_ppid, 1);
    assert_int_equal(p.pr_pgrp, 5);
    assert_int_equal(p.pr_sid, 4);
    assert_string_equal(p.pr_fname, "a-name-of-more-");
    assert_string_equal(p.pr_psargs, "java -jar x");
}

static void test_a_thread_is_as_the_kernel_writes_it(void **state)
{
    const struct elfcore_machine *m = elfcore_native();
    CLEANUP(buf_done) struct buf notes = {0};
    char registers[ELFCORE_REGISTERS_MAX], floats[ELFCORE_FLOATS_MAX];
    struct elf_prstatus p;
    size_t at = 0, size;
    uint32_t type;
    const char *data;

    (void)state;
    if (!m)
        skip();
    memset(registers, 'r', sizeof(registers));
    memset(floats, 'f', sizeof(floats));
    assert_int_equal(sizeof(p.pr_reg), m->registers);
    assert_int_equal(sizeof(prfpregset_t), m->floats);
    assert_int_equal(elfcore_note_thread(&notes, m, &SOMEBODY, &(struct elfcore_thread){8, registers, floats}), 0);
    assert_int_equal(elfcore_note_thread(&notes, m, &SOMEBODY, &(struct elfcore_thread){9, registers, NULL}), 0);

    data = next_note(&notes, &at, &type, &size);
    assert_int_equal(type, NT_PRSTATUS);
    assert_int_equal(size, sizeof(p));
    memcpy(&p, data, sizeof(p));
    assert_int_equal(p.pr_pid, 8);
    assert_int_equal(p.pr_ppid, 1);
    assert_int_equal(p.pr_sid, 4);
    assert_int_equal(p.pr_cursig, 0);
    assert_int_equal(p.pr_fpvalid, 1);
    assert_memory_equal(&p.pr_reg, registers, m->registers);
    data = next_note(&notes, &at, &type, &size);
    assert_int_equal(type, NT_PRFPREG);
    assert_int_equal(size, m->floats);
    assert_memory_equal(data, floats, size);

    data = next_note(&notes, &at, &type, &size);
    memcpy(&p, data, sizeof(p));
    assert_int_equal(p.pr_pid, 9);
    assert_int_equal(p.pr_fpvalid, 0);
    assert_int_equal(at, notes.size);
}

static void test_both_machines_have_the_sizes_of_their_abi(void **state)
{
    CLEANUP(buf_done) struct buf notes = {0};
    char registers[ELFCORE_REGISTERS_MAX] = {0};
    size_t at = 0, size;
    uint32_t type;

    (void)state;
    elfcore_note_thread(&notes, &ELFCORE_X86_64, &SOMEBODY, &(struct elfcore_thread){1, registers, NULL});
    elfcore_note_thread(&notes, &ELFCORE_AARCH64, &SOMEBODY, &(struct elfcore_thread){1, registers, NULL});
    next_note(&notes, &at, &type, &size);
    assert_int_equal(size, 336);
    next_note(&notes, &at, &type, &size);
    assert_int_equal(size, 392);
}

static void test_files_are_counted_in_pages(void **state)
{
    static const struct elfcore_file files[] = {{0x1000, 0x3000, 0x2000, "/lib/a b"}, {0x5000, 0x6000, 0, "/x"}};
    static const uint64_t numbers[] = {2, PAGE, 0x1000, 0x3000, 2, 0x5000, 0x6000, 0};
    static const char names[] = "/lib/a b\0/x";
    CLEANUP(buf_done) struct buf notes = {0};
    size_t at = 0, size;
    uint32_t type;
    const char *data;

    (void)state;
    assert_int_equal(elfcore_note_files(&notes, PAGE, files, ARRAY_SIZE(files)), 0);
    data = next_note(&notes, &at, &type, &size);
    assert_int_equal(type, NT_FILE);
    assert_int_equal(size, sizeof(numbers) + sizeof(names));
    assert_memory_equal(data, numbers, sizeof(numbers));
    assert_memory_equal(data + sizeof(numbers), names, sizeof(names));
}

static void test_a_ceiling_is_kept(void **state)
{
    static const struct elfcore_segment segment = {PAGE, PAGE, PAGE, PF_R};
    const struct elfcore c = {&ELFCORE_X86_64, PAGE, &segment, 1};
    CLEANUP(buf_done) struct buf notes = {0}, head = {.ceiling = 100};

    (void)state;
    assert_int_equal(elfcore_head(&c, &notes, &head), -EMSGSIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets_follow_from_the_segments),
        cmocka_unit_test(test_more_segments_than_a_header_can_count),
        cmocka_unit_test(test_a_process_is_as_the_kernel_writes_it),
        cmocka_unit_test(test_a_thread_is_as_the_kernel_writes_it),
        cmocka_unit_test(test_both_machines_have_the_sizes_of_their_abi),
        cmocka_unit_test(test_files_are_counted_in_pages),
        cmocka_unit_test(test_a_ceiling_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
