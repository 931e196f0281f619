/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Strict: a path that is not what it seems is refused, and the pod's owner sees why.
 */
#include "place/pod_annotation.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { WORD_SHOWN_MAX = 80 };

static bool is_label(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size < POD_FOLDER_NAME_MAX && text[0] != '-' && text[size - 1] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

/* Copies the path without empty parts. NULL, or what is wrong with it. */
static const char *copy_path(const char *from, char to[POD_FOLDER_PATH_MAX])
{
    size_t used = 0;

    for (from += strspn(from, "/"); *from; from += strspn(from, "/")) {
        size_t size = strcspn(from, "/");

        if ((size == 1 && *from == '.') || (size == 2 && from[0] == '.' && from[1] == '.'))
            return "\".\" and \"..\" are not for its path";
        for (size_t i = 0; i < size; i++)
            if ((unsigned char)from[i] < ' ' || from[i] == 0x7f)
                return "its path has characters that can't be printed";
        if (used + size + 2 > POD_FOLDER_PATH_MAX)
            return "its path is longer than 254 bytes";
        if (used > 0)
            to[used++] = '/';
        memcpy(to + used, from, size);
        used += size;
        from += size;
    }
    to[used] = '\0';
    return NULL;
}

static const char *read_volume(const char *text, struct pod_folder_name *ret)
{
    size_t size = strcspn(text, "/");

    if (size >= sizeof(ret->name))
        return "a volume's name has at most 63 bytes";
    memcpy(ret->name, text, size);
    ret->name[size] = '\0';
    ret->volume = true;
    return is_label(ret->name) ? copy_path(text + size, ret->path) : "this is no name of a volume";
}

static const char *read_container(const char *text, const char *colon, struct pod_folder_name *ret)
{
    size_t size = (size_t)(colon - text);
    const char *problem;

    if (size >= sizeof(ret->name))
        return "a container's name has at most 63 bytes";
    memcpy(ret->name, text, size);
    ret->name[size] = '\0';
    if (!is_label(ret->name))
        return "this is no name of a container";
    if (colon[1] != '/')
        return "the path in a container begins with \"/\"";
    if ((problem = copy_path(colon + 1, ret->path)))
        return problem;
    return *ret->path ? NULL : "all of a container's file system is not watched: name a folder";
}

static const char *read_word(const char *word, struct pod_folder_name *ret)
{
    const char *colon = strchr(word, ':');

    *ret = (struct pod_folder_name){0};
    if (!colon)
        return "\"volume:NAME\", \"volume:NAME/FOLDER\" or \"CONTAINER:/FOLDER\" is needed";
    return text_starts(word, "volume:") && colon[1] != '/' ? read_volume(colon + 1, ret)
                                                           : read_container(word, colon, ret);
}

/* Between commas, without the blanks around it. */
static size_t next_word(const char **at, char *word, size_t size)
{
    size_t length = strcspn(*at, ","), blanks = strspn(*at, " \t\n");
    const char *from = *at + (blanks < length ? blanks : length), *end = *at + length;

    while (end > from && strchr(" \t\n", end[-1]))
        end--;
    *at += length + ((*at)[length] == ',');
    length = (size_t)(end - from);
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), from);
    return length;
}

int pod_annotation_read(const char *text, struct pod_annotation *ret, struct err *e)
{
    struct pod_annotation a = {0};
    char word[POD_FOLDER_NAME_MAX + POD_FOLDER_PATH_MAX + 16], shown[WORD_SHOWN_MAX];

    assert(text && ret && e);
    for (const char *at = text; *at;) {
        size_t size = next_word(&at, word, sizeof(word));
        const char *problem;

        if (size == 0)
            continue;
        if (a.count == POD_FOLDERS_MAX)
            return err_set(e, -EINVAL, "more than %d folders", POD_FOLDERS_MAX);
        problem = size < sizeof(word) ? read_word(word, &a.folder[a.count]) : "it is too long";
        if (problem)
            return err_set(e, -EINVAL, "\"%s\": %s", text_printable(word, shown, sizeof(shown)), problem);
        a.count++;
    }
    if (a.count == 0)
        return err_set(e, -EINVAL, "it names no folder: \"volume:NAME\" or \"CONTAINER:/FOLDER\" is needed");
    *ret = a;
    return 0;
}
