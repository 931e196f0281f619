/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers and notes of a core.
 */
#include "core/elfcore.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Newer than some <elf.h>. */
enum { PAC_MASK = 0x406 };

const struct elfcore_machine ELFCORE_X86_64 = {
    .id = EM_X86_64, .registers = 216, .floats = 512, .pc = 16, .sp = 19, .extra = NT_X86_XSTATE, .name = "x86_64"};
const struct elfcore_machine ELFCORE_AARCH64 = {
    .id = EM_AARCH64, .registers = 272, .floats = 528, .pc = 32, .sp = 31, .extra = PAC_MASK, .name = "aarch64"};

const struct elfcore_machine *elfcore_native(void)
{
#if defined(__x86_64__)
    return &ELFCORE_X86_64;
#elif defined(__aarch64__)
    return &ELFCORE_AARCH64;
#else
    return NULL;
#endif
}

/* --- head -----------------------------------------------------------------------------------------------------------
 */

/* PN_XNUM: the number is in the first section header. */
static bool has_too_many(const struct elfcore *c)
{
    return c->count + 1 >= PN_XNUM;
}

static uint64_t notes_offset(const struct elfcore *c)
{
    return sizeof(Elf64_Ehdr) + ((uint64_t)c->count + 1) * sizeof(Elf64_Phdr) +
           (has_too_many(c) ? sizeof(Elf64_Shdr) : 0);
}

uint64_t elfcore_head_size(const struct elfcore *c, size_t notes_size)
{
    assert(c->page > 0);
    uint64_t end = notes_offset(c) + notes_size;

    return (end + c->page - 1) / c->page * c->page;
}

uint64_t elfcore_size(const struct elfcore *c, size_t notes_size)
{
    uint64_t size = elfcore_head_size(c, notes_size);

    for (size_t i = 0; i < c->count; i++)
        size += c->segment[i].kept;
    return size;
}

static int add_file_header(const struct elfcore *c, struct buf *to)
{
    static const uint16_t one = 1;
    Elf64_Ehdr h = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
        .e_type = ET_CORE,
        .e_machine = c->machine->id,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(h),
        .e_ehsize = sizeof(h),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = has_too_many(c) ? PN_XNUM : (Elf64_Half)(c->count + 1),
    };

    h.e_ident[EI_DATA] = *(const uint8_t *)&one == 1 ? ELFDATA2LSB : ELFDATA2MSB;
    h.e_ident[EI_VERSION] = EV_CURRENT;
    if (has_too_many(c)) {
        h.e_shoff = notes_offset(c) - sizeof(Elf64_Shdr);
        h.e_shentsize = sizeof(Elf64_Shdr);
        h.e_shnum = 1;
    }
    return buf_add(to, &h, sizeof(h));
}

static int add_program_headers(const struct elfcore *c, size_t notes_size, struct buf *to)
{
    Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = notes_offset(c), .p_filesz = notes_size, .p_align = 4};
    uint64_t offset = elfcore_head_size(c, notes_size);
    int r = buf_add(to, &note, sizeof(note));

    for (size_t i = 0; r == 0 && i < c->count; i++) {
        const struct elfcore_segment *s = &c->segment[i];
        Elf64_Phdr h = {
            .p_type = PT_LOAD,
            .p_flags = s->protection,
            .p_offset = offset,
            .p_vaddr = s->start,
            .p_filesz = s->kept,
            .p_memsz = s->size,
            .p_align = c->page,
        };

        r = buf_add(to, &h, sizeof(h));
        offset += s->kept;
    }
    return r;
}

static int add_section_header(const struct elfcore *c, struct buf *to)
{
    Elf64_Shdr h = {.sh_type = SHT_NULL, .sh_size = 1, .sh_link = SHN_UNDEF, .sh_info = (Elf64_Word)(c->count + 1)};

    return has_too_many(c) ? buf_add(to, &h, sizeof(h)) : 0;
}

static int pad(struct buf *to, uint64_t size)
{
    static const char zeros[4096];
    int r = 0;

    while (r == 0 && size > 0) {
        size_t step = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

        r = buf_add(to, zeros, step);
        size -= step;
    }
    return r;
}

int elfcore_head(const struct elfcore *c, const struct buf *notes, struct buf *to)
{
    int r;

    if ((r = add_file_header(c, to)) < 0 || (r = add_program_headers(c, notes->size, to)) < 0 ||
        (r = add_section_header(c, to)) < 0 || (r = buf_add(to, notes->data, notes->size)) < 0)
        return r;
    return pad(to, elfcore_head_size(c, notes->size) - notes_offset(c) - notes->size);
}

/* --- notes ----------------------------------------------------------------------------------------------------------
 */

int elfcore_note(struct buf *notes, const char *name, uint32_t type, const void *data, size_t size)
{
    Elf64_Nhdr h = {.n_namesz = (Elf64_Word)strlen(name) + 1, .n_descsz = (Elf64_Word)size, .n_type = type};
    int r;

    if (size > UINT32_MAX - 4)
        return -EMSGSIZE;
    if ((r = buf_add(notes, &h, sizeof(h))) < 0 || (r = buf_add(notes, name, h.n_namesz)) < 0 ||
        (r = pad(notes, -h.n_namesz & 3)) < 0 || (r = buf_add(notes, data, size)) < 0)
        return r;
    return pad(notes, -h.n_descsz & 3);
}

/* The layout of the kernel's struct elf_prpsinfo on machines of 64 bits. */
struct process_note {
    char state_number, state, zombie, nice;
    char gap[4];
    uint64_t flags;
    uint32_t uid, gid;
    int32_t pid, parent, group, session;
    char name[16], command[80];
};
_Static_assert(sizeof(struct process_note) == 136, "as the kernel has it");

/* The number of a process state in the kernel. */
static char state_number(char state)
{
    static const char states[] = "RSDTtXZ";
    const char *at = state ? strchr(states, state) : NULL;

    return (char)(at ? at - states : 1);
}

int elfcore_note_process(struct buf *notes, const struct elfcore_process *p)
{
    struct process_note n = {
        .state_number = state_number(p->state),
        .state = p->state,
        .zombie = p->state == 'Z',
        .nice = (char)p->nice,
        .flags = p->flags,
        .uid = p->uid,
        .gid = p->gid,
        .pid = p->pid,
        .parent = p->parent,
        .group = p->group,
        .session = p->session,
    };

    memcpy(n.name, p->name, strnlen(p->name, sizeof(n.name) - 1));
    memcpy(n.command, p->command, strnlen(p->command, sizeof(n.command) - 1));
    return elfcore_note(notes, "CORE", NT_PRPSINFO, &n, sizeof(n));
}

/* The kernel's struct elf_prstatus up to its registers; after them: u4 whether there are floats, and 4 bytes of
 * padding. */
struct thread_note {
    int32_t signal[3];
    int16_t current_signal;
    char gap[2];
    uint64_t pending, held;
    int32_t tid, parent, group, session;
    uint64_t times[8];
};
_Static_assert(sizeof(struct thread_note) == 112, "as the kernel has it");

int elfcore_note_thread(struct buf *notes, const struct elfcore_machine *m, const struct elfcore_process *p,
                        const struct elfcore_thread *t)
{
    struct thread_note head = {.tid = t->tid, .parent = p->parent, .group = p->group, .session = p->session};
    char data[sizeof(head) + ELFCORE_REGISTERS_MAX + 8] = {0};
    int32_t has_floats = t->floats != NULL;
    int r;

    assert(m->registers <= ELFCORE_REGISTERS_MAX && t->registers);
    memcpy(data, &head, sizeof(head));
    memcpy(data + sizeof(head), t->registers, m->registers);
    memcpy(data + sizeof(head) + m->registers, &has_floats, sizeof(has_floats));
    r = elfcore_note(notes, "CORE", NT_PRSTATUS, data, sizeof(head) + m->registers + 8);
    if (r == 0 && t->floats)
        r = elfcore_note(notes, "CORE", NT_PRFPREG, t->floats, m->floats);
    return r;
}

/* Count, page size; for each file its range and offset (in pages); then their paths. */
int elfcore_note_files(struct buf *notes, uint64_t page, const struct elfcore_file *file, size_t count)
{
    CLEANUP(buf_done) struct buf data = {.ceiling = notes->ceiling};
    uint64_t head[] = {count, page};
    int r = buf_add(&data, head, sizeof(head));

    for (size_t i = 0; r == 0 && i < count; i++) {
        uint64_t row[] = {file[i].start, file[i].end, file[i].offset / page};

        r = buf_add(&data, row, sizeof(row));
    }
    for (size_t i = 0; r == 0 && i < count; i++)
        r = buf_add(&data, file[i].path, strlen(file[i].path) + 1);
    return r < 0 ? r : elfcore_note(notes, "CORE", NT_FILE, data.data, data.size);
}
