/* SPDX-License-Identifier: Apache-2.0
 *
 * Any annotation: the paths that are read stay below the folder that they are opened in, and reading them again says
 * the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/pod_annotation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pod_folder_name *f)
{
    char inside[POD_FOLDER_PATH_MAX + 2], word[2 * POD_FOLDER_PATH_MAX];
    struct pod_annotation again;
    struct err e = {0};

    snprintf(inside, sizeof(inside), "/%s/", f->path);
    if (!*f->name || strchr(f->name, '/') || strstr(inside, "/../") || strstr(inside, "/./") || f->path[0] == '/' ||
        (!f->volume && !*f->path))
        abort();
    if (strchr(f->path, ',') || f->path[strlen(f->path)] || strpbrk(f->path, "\n\t\r"))
        abort();
    if (f->volume)
        snprintf(word, sizeof(word), "volume:%s/%s", f->name, f->path);
    else
        snprintf(word, sizeof(word), "%s:/%s", f->name, f->path);
    if (f->path[0] && f->path[strlen(f->path) - 1] == ' ')
        return;
    if (pod_annotation_read(word, &again, &e) < 0 || again.count != 1 || strcmp(again.folder[0].path, f->path) != 0 ||
        strcmp(again.folder[0].name, f->name) != 0 || again.folder[0].volume != f->volume)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    struct pod_annotation a;
    struct err e = {0};

    if (!text)
        return 0;
    if (pod_annotation_read(text, &a, &e) < 0) {
        if (!e.msg[0])
            abort();
        return 0;
    }
    if (a.count == 0 || a.count > POD_FOLDERS_MAX)
        abort();
    for (size_t i = 0; i < a.count; i++)
        check(&a.folder[i]);
    return 0;
}
