/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules of libdwfl: found by callback, never by a path that libdw makes up.
 */
#include "core/core_images.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/elf_backends.h"
#include "core/memory_image.h"

enum { PATH_LENGTH_MAX = 4096, VDSO_MAX = 1 << 20, ASKED_MAX = 4096 };

struct image {
    const struct core_images *set;
    const struct core_module *module; /* NULL: the vdso */
    enum backtrace_source source;
    void *mapped; /* owned; NULL: none */
    size_t size;
};

struct core_images {
    const struct core_read *core;
    const struct backtrace_files *files;
    Dwfl *dwfl;
    struct image *image; /* one for each module, in their order, and the vdso's */
    unsigned asked;      /* for files */
};

static int ask(const struct core_images *s, const char *path)
{
    /* The set is ours: const only for those who ask. */
    struct core_images *counts = (struct core_images *)s;

    if (!s->files || counts->asked >= ASKED_MAX)
        return -ENOENT;
    counts->asked++;
    return s->files->open(s->files->ctx, path);
}

/* The file's bytes if its build-id is that; NULL. For writing: libelf notes in the image what it has unpacked. */
static void *map_if(int fd, const char *build_id, size_t *ret_size)
{
    char found[CORE_BUILD_ID_MAX];
    struct stat st;
    void *data;

    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        return NULL;
    data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (data == MAP_FAILED)
        return NULL;
    core_build_id(data, (size_t)st.st_size, found);
    if (!text_eq(found, build_id)) {
        munmap(data, (size_t)st.st_size);
        return NULL;
    }
    *ret_size = (size_t)st.st_size;
    return data;
}

/* --- what libdwfl asks ------------------------------------------------------------------------------------------- */

/* Memory of our own for an image that is put together. */
static bool map_empty(struct image *i, size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (data == MAP_FAILED)
        return false;
    i->mapped = data;
    i->size = size;
    return true;
}

static Elf *vdso_elf(struct image *i)
{
    const struct core_read *c = i->set->core;
    const struct core_segment *segment = core_segment_at(c, c->vdso);
    uint64_t into = segment ? c->vdso - segment->start : 0;
    uint64_t size = segment && into < segment->kept ? segment->kept - into : 0;
    const unsigned char *bytes = size > 0 && size <= VDSO_MAX ? core_memory(c, c->vdso, size) : NULL;

    if (!bytes || !map_empty(i, (size_t)size))
        return NULL;
    memcpy(i->mapped, bytes, i->size);
    return elf_memory(i->mapped, i->size);
}

static Elf *file_elf(struct image *i)
{
    CLEANUP_FD int fd = -1;

    i->source = BACKTRACE_MISSING;
    if (!*i->module->build_id || (fd = ask(i->set, i->module->path)) < 0)
        return NULL;
    i->source = BACKTRACE_OTHER_BUILD;
    if (!(i->mapped = map_if(fd, i->module->build_id, &i->size)))
        return NULL;
    i->source = BACKTRACE_FOUND;
    return elf_memory(i->mapped, i->size);
}

static Elf *memory_elf(struct image *i)
{
    size_t size = memory_image_size(i->set->core, i->module);

    if (size == 0 || !map_empty(i, size))
        return NULL;
    memory_image_fill(i->set->core, i->module, i->mapped, size);
    return elf_memory(i->mapped, size);
}

static int find_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, char **ret_name, Elf **ret_elf)
{
    struct image *i = *user;

    (void)module, (void)name, (void)base, (void)ret_name;
    *ret_elf = i->module ? file_elf(i) : vdso_elf(i);
    if (!*ret_elf && i->module && !i->mapped)
        *ret_elf = memory_elf(i);
    return -1; /* no descriptor, but *ret_elf */
}

/* A debug file by one of its names; -1. */
static int try_debug(const struct image *i, const char *path)
{
    CLEANUP_FD int fd = ask(i->set, path);
    size_t size;
    void *data = fd >= 0 ? map_if(fd, i->module->build_id, &size) : NULL;

    if (!data)
        return -1;
    munmap(data, size);
    return TAKE_FD(fd);
}

/* Where gdb looks, too. */
static int find_debug(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, const char *file,
                      const char *link, GElf_Word crc, char **ret_name)
{
    static const char *const BEFORE[] = {"", "", "/usr/lib/debug"}, *const BETWEEN[] = {"", ".debug/", ""};
    const struct image *i = *user;
    const char *path = i->module ? i->module->path : "", *base_name = text_base_name(path);
    char candidate[PATH_LENGTH_MAX];
    int fd = -1;

    (void)module, (void)name, (void)base, (void)file, (void)crc, (void)ret_name;
    if (strlen(i->module ? i->module->build_id : "") < 4)
        return -1;
    snprintf(candidate, sizeof(candidate), "/usr/lib/debug/.build-id/%.2s/%s.debug", i->module->build_id,
             i->module->build_id + 2);
    fd = try_debug(i, candidate);
    for (size_t k = 0; k < ARRAY_SIZE(BEFORE) && fd < 0 && link && *link && !strchr(link, '/'); k++)
        if (snprintf(candidate, sizeof(candidate), "%s%.*s%s%s", BEFORE[k], (int)(base_name - path), path, BETWEEN[k],
                     link) < (int)sizeof(candidate))
            fd = try_debug(i, candidate);
    return fd;
}

/* Of object files that are not linked: no core has them. */
static int section_address(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, const char *section,
                           GElf_Word index, const GElf_Shdr *header, Dwarf_Addr *ret)
{
    (void)module, (void)user, (void)name, (void)base, (void)section, (void)index, (void)header, (void)ret;
    return -1;
}

static const Dwfl_Callbacks CALLBACKS = {
    .find_elf = find_elf, .find_debuginfo = find_debug, .section_address = section_address};

/* --- the set ----------------------------------------------------------------------------------------------------- */

static int report(struct core_images *s, struct image *i, uint64_t start, uint64_t end)
{
    Dwfl_Module *module =
        end > start ? dwfl_report_module(s->dwfl, i->module ? i->module->path : "[vdso]", start, end) : NULL;
    void **user;

    i->set = s;
    if (!module)
        return end > start ? -ENOMEM : 0;
    dwfl_module_info(module, &user, NULL, NULL, NULL, NULL, NULL, NULL);
    *user = i;
    return 0;
}

static int report_all(struct core_images *s)
{
    const struct core_read *c = s->core;
    const struct core_segment *vdso = c->vdso ? core_segment_at(c, c->vdso) : NULL;
    int r = 0;

    dwfl_report_begin(s->dwfl);
    for (size_t i = 0; i < c->module_count && r == 0; i++) {
        s->image[i].module = &c->module[i];
        r = report(s, &s->image[i], c->module[i].start, c->module[i].end);
    }
    if (r == 0 && vdso && !core_module_at(c, c->vdso))
        r = report(s, &s->image[c->module_count], c->vdso, vdso->start + vdso->size);
    return dwfl_report_end(s->dwfl, NULL, NULL) != 0 ? -ENOMEM : r;
}

int core_images_new(const struct core_read *core, const struct backtrace_files *files, struct core_images **ret)
{
    struct core_images *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;

    assert(core && ret);
    if (!s)
        return -ENOMEM;
    *s = (struct core_images){.core = core, .files = files};
    elf_version(EV_CURRENT);
    elf_backends_link();
    if (!(s->image = calloc(core->module_count + 1, sizeof(*s->image))) || !(s->dwfl = dwfl_begin(&CALLBACKS)) ||
        (r = report_all(s)) < 0) {
        core_images_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void core_images_free(struct core_images *s)
{
    if (!s)
        return;
    if (s->dwfl)
        dwfl_end(s->dwfl);
    for (size_t i = 0; s->image && i <= s->core->module_count; i++)
        if (s->image[i].mapped)
            munmap(s->image[i].mapped, s->image[i].size);
    free(s->image);
    free(s);
}

Dwfl *core_images_dwfl(const struct core_images *s)
{
    return s->dwfl;
}

enum backtrace_source core_images_source(const struct core_images *s, const struct core_module *m)
{
    return s->image[m - s->core->module].source;
}
