/* SPDX-License-Identifier: Apache-2.0
 *
 * DWARF's entries are a tree: a function holds what was inlined into it. Limits on entries and depth: a file may be
 * made to go round in circles.
 */
#include "core/frame_names.h"

#include <assert.h>
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/demangle.h"
#include "core/gopclntab.h"

enum { TEXT_MAX = 1024, NAMED_MAX = 1 << 22, UNITS_MAX = 1 << 20, ENTRIES_MAX = 1 << 22, DEPTH_MAX = 64 };

struct named {
    uint64_t address;
    struct backtrace_name *name; /* owned, its texts too */
    size_t count;
};

struct frame_names {
    Dwfl *dwfl;
    struct named *named;    /* a hash table by address */
    bool *used;             /* which of them are */
    size_t count, capacity; /* a power of 2 */
};

static void names_done(struct backtrace_name *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)name[i].function);
        free((char *)name[i].file);
    }
}

int frame_names_new(Dwfl *dwfl, struct frame_names **ret)
{
    struct frame_names *n = calloc(1, sizeof(*n));

    assert(dwfl && ret);
    if (!n)
        return -ENOMEM;
    n->dwfl = dwfl;
    *ret = n;
    return 0;
}

void frame_names_free(struct frame_names *n)
{
    for (size_t i = 0; n && i < n->capacity; i++)
        if (n->used[i]) {
            names_done(n->named[i].name, n->named[i].count);
            free(n->named[i].name);
        }
    if (n) {
        free(n->named);
        free(n->used);
    }
    free(n);
}

/* --- one address ------------------------------------------------------------------------------------------------- */

static int set_name(struct backtrace_name *to, const char *function, const char *file, int line)
{
    to->function = function ? demangle(function) : NULL;
    to->file = file ? strndup(file, TEXT_MAX) : NULL;
    to->line = line;
    return (function && !to->function) || (file && !to->file) ? -ENOMEM : 0;
}

static const char *function_of(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

    if (!name)
        name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
    return name ? name : dwarf_diename(die);
}

/* The unit of an address. Some compilers write no table of ranges: then all units are asked. */
static Dwarf_Die *unit_of(Dwfl_Module *module, uint64_t address, Dwarf_Addr *ret_bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, ret_bias);

    if (unit)
        return unit;
    unit = dwfl_module_nextcu(module, NULL, ret_bias);
    for (unsigned i = 0; unit && i < UNITS_MAX && dwarf_haspc(unit, address - *ret_bias) <= 0; i++)
        unit = dwfl_module_nextcu(module, unit, ret_bias);
    return unit;
}

/* Where an inlined function was called. */
static void call_site(Dwarf_Die *unit, Dwarf_Die *inlined, const char **ret_file, int *ret_line)
{
    Dwarf_Attribute attribute;
    Dwarf_Word file = 0, line = 0;
    Dwarf_Files *files;
    size_t count;

    *ret_file = NULL;
    *ret_line = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
        dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count)
        *ret_file = dwarf_filesrc(files, (size_t)file, NULL, NULL);
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 && line <= INT32_MAX)
        *ret_line = (int)line;
}

/* The functions around an address: the outer one, then what was inlined into it, and so on. */
struct scopes {
    Dwarf_Addr address; /* as the file has it */
    Dwarf_Die function[BACKTRACE_INLINED_MAX];
    size_t count;
    unsigned left; /* entries that may still be visited */
};

/* Functions are looked for in these, which have no addresses. */
static bool may_hold_functions(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_module || tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

/* libdw's own search does not go into namespaces, where clang and rustc have their functions. True: found. */
static bool find_scopes(struct scopes *s, Dwarf_Die *parent, unsigned depth)
{
    Dwarf_Die die;

    if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return false;
    do {
        int tag = dwarf_tag(&die);
        bool function = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
        bool around = (function || tag == DW_TAG_lexical_block) && dwarf_haspc(&die, s->address) > 0;

        if (s->left == 0)
            return false;
        s->left--;
        if (around && function && s->count < BACKTRACE_INLINED_MAX)
            s->function[s->count++] = die;
        if (around) {
            find_scopes(s, &die, depth + 1);
            return true;
        }
        if (may_hold_functions(tag) && s->count == 0 && find_scopes(s, &die, depth + 1))
            return true;
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

struct finding {
    struct backtrace_name name[BACKTRACE_INLINED_MAX];
    size_t count;
};

static int add_scopes(struct finding *f, Dwarf_Die *unit, struct scopes *s)
{
    Dwarf_Line *at = dwarf_getsrc_die(unit, s->address);
    const char *file = at ? dwarf_linesrc(at, NULL, NULL) : NULL;
    int line = 0, r = 0;

    if (at && dwarf_lineno(at, &line) != 0)
        line = 0;

    for (size_t i = s->count; i-- > 0 && r == 0;) {
        struct backtrace_name *name = &f->name[f->count++];

        r = set_name(name, function_of(&s->function[i]), file, line);
        name->inlined = i > 0;
        if (i > 0)
            call_site(unit, &s->function[i], &file, &line);
    }
    return r;
}

static int find_in_dwarf(struct finding *f, Dwfl_Module *module, uint64_t address)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = unit_of(module, address, &bias);
    struct scopes s = {.left = ENTRIES_MAX};

    if (!unit)
        return 0;
    s.address = address - bias;
    find_scopes(&s, unit, 0);
    return s.count ? add_scopes(f, unit, &s) : 0;
}

/* The function that has the address in one of its symbols; its line where there is one. */
static int find_symbol(struct finding *f, Dwfl_Module *module, uint64_t address)
{
    GElf_Off offset;
    GElf_Sym symbol;
    const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL), *file = NULL;
    Dwfl_Line *at = name ? dwfl_module_getsrc(module, address) : NULL;
    int line = 0;

    if (!name || !*name)
        return 0;
    if (at)
        file = dwfl_lineinfo(at, NULL, &line, NULL, NULL, NULL);
    f->count = 1;
    return set_name(&f->name[0], name, file, line);
}

/* Of a Go program that is stripped. */
static int find_in_gopclntab(struct finding *f, Dwfl_Module *module, uint64_t address)
{
    Elf_Data *table = NULL;
    Dwarf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);
    uint64_t text = 0;
    size_t names = 0;
    struct gopclntab_place p;

    if (!elf || elf_getshdrstrndx(elf, &names) != 0)
        return 0;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;

        if (name && text_eq(name, ".text"))
            text = header.sh_addr;
        if (name && (text_eq(name, ".gopclntab") || text_eq(name, ".data.rel.ro.gopclntab")))
            table = elf_rawdata(section, NULL);
    }
    if (!table || !table->d_buf || !gopclntab_find(table->d_buf, table->d_size, text, address - bias, &p))
        return 0;
    f->count = 1;
    return set_name(&f->name[0], p.function, p.file, p.line);
}

static int find(struct frame_names *n, struct named *to)
{
    Dwfl_Module *module = dwfl_addrmodule(n->dwfl, to->address);
    struct finding f = {0};
    int r = module ? find_in_dwarf(&f, module, to->address) : 0;

    if (r == 0 && f.count == 0 && module)
        r = find_in_gopclntab(&f, module, to->address);
    if (r == 0 && f.count == 0 && module)
        r = find_symbol(&f, module, to->address);
    if (r == 0 && f.count > 0 && (to->name = malloc(f.count * sizeof(*to->name)))) {
        memcpy(to->name, f.name, f.count * sizeof(*to->name));
        to->count = f.count;
        return 0;
    }
    names_done(f.name, f.count);
    return r < 0 ? r : f.count > 0 ? -ENOMEM : 0;
}

/* --- all addresses ----------------------------------------------------------------------------------------------- */

/* Its place in the table, or the free one where it belongs. */
static size_t place_of(const struct frame_names *n, uint64_t address)
{
    size_t at = (size_t)(address * 0x9e3779b97f4a7c15ULL >> 20) & (n->capacity - 1);

    while (n->used[at] && n->named[at].address != address)
        at = (at + 1) & (n->capacity - 1);
    return at;
}

static int grow(struct frame_names *n)
{
    struct frame_names larger = {.dwfl = n->dwfl, .capacity = n->capacity ? n->capacity * 2 : 256, .count = n->count};

    if (larger.capacity > NAMED_MAX || !(larger.named = calloc(larger.capacity, sizeof(*larger.named))) ||
        !(larger.used = calloc(larger.capacity, sizeof(*larger.used)))) {
        free(larger.named);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n->capacity; i++)
        if (n->used[i]) {
            size_t at = place_of(&larger, n->named[i].address);

            larger.named[at] = n->named[i];
            larger.used[at] = true;
        }
    free(n->named);
    free(n->used);
    *n = larger;
    return 0;
}

int frame_names_at(struct frame_names *n, uint64_t address, const struct backtrace_name **ret, size_t *ret_count)
{
    size_t at;
    int r;

    assert(n && ret && ret_count);
    if (n->count * 2 >= n->capacity && (r = grow(n)) < 0)
        return r;
    at = place_of(n, address);
    if (!n->used[at]) {
        struct named one = {.address = address};

        if ((r = find(n, &one)) < 0)
            return r;
        n->named[at] = one;
        n->used[at] = true;
        n->count++;
    }
    *ret = n->named[at].name;
    *ret_count = n->named[at].count;
    return 0;
}
