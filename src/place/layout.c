/* SPDX-License-Identifier: Apache-2.0
 *
 * Levels of folders and their names.
 */
#include "place/layout.h"

#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const LEVELS[LAYOUT_LEVEL_END] = {"namespace", "pod", "container"};

static int find_level(const char *text, size_t size)
{
    for (int i = 0; i < LAYOUT_LEVEL_END; i++)
        if (strlen(LEVELS[i]) == size && memcmp(LEVELS[i], text, size) == 0)
            return i;
    return size == 1 && *text == '*' ? LAYOUT_LEVEL_END : -1;
}

int layout_parse(const char *text, struct layout *ret, struct err *e)
{
    struct layout l = {0};
    unsigned seen = 0;

    for (const char *at = text;; at++) {
        size_t size = strcspn(at, "/");
        int level = find_level(at, size);

        if (level < 0 || l.count == ARRAY_SIZE(l.level) || (level < LAYOUT_LEVEL_END && (seen & (1u << level))))
            return err_set(e, -FAULT_USAGE,
                           "--layout: '%s' is not made of namespace, pod, container and *, each once, separated by '/'",
                           text);
        seen |= 1u << level;
        l.level[l.count++] = level;
        at += size;
        if (!*at)
            break;
    }
    if (!(seen & (1u << LAYOUT_POD)) || !(seen & (1u << LAYOUT_NAMESPACE)))
        return err_set(e, -FAULT_USAGE, "--layout: '%s' must contain namespace and pod, as in namespace/pod", text);
    *ret = l;
    return 0;
}

unsigned layout_depth(const struct layout *l, enum layout_level level)
{
    unsigned i = 0;

    while (i < l->count && l->level[i] != (int)level)
        i++;
    return i;
}

static bool is_name(const char *text, size_t size)
{
    if (size == 0 || size >= LAYOUT_NAME_MAX || text[0] == '.' || text[0] == '-')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') || text[i] == '-' ||
              text[i] == '.'))
            return false;
    return true;
}

bool layout_read(const struct layout *l, const char *dir, const char *path, struct layout_names *ret)
{
    struct layout_names names = {0};
    size_t base = strlen(dir);

    while (base > 0 && dir[base - 1] == '/')
        base--;
    if (strncmp(path, dir, base) != 0 || path[base] != '/')
        return false;
    path += base + strspn(path + base, "/");
    for (unsigned i = 0; i < l->count; i++) {
        size_t size = strcspn(path, "/");

        if (path[size] != '/' || (l->level[i] < LAYOUT_LEVEL_END && !is_name(path, size)))
            return false;
        if (l->level[i] < LAYOUT_LEVEL_END)
            memcpy(names.name[l->level[i]], path, size);
        path += size + strspn(path + size, "/");
    }
    *ret = names;
    return true;
}
