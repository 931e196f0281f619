/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as variables, command line and files of options (parted by NULs): read to an end, and what is left of a
 * variable without the OOM options says nothing of them by any way.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jvmlaunch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOOL, JDK, LAST, FILE_A, FILE_B, TEXTS, WORDS = 16 };

struct input {
    const char *text[TEXTS];
    const char *name, *value; /* of a variable in the place of its text */
};

static const char *variable(void *ctx, const char *name)
{
    static const char *const names[] = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"};
    const struct input *in = ctx;

    if (in->name)
        return text_eq(in->name, name) ? in->value : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (text_eq(names[i], name))
            return in->text[i];
    return NULL;
}

static int load(void *ctx, const char *path, struct buf *ret)
{
    const struct input *in = ctx;

    return *path == 'a'   ? buf_add_text(ret, in->text[FILE_A])
           : *path == 'b' ? buf_add_text(ret, in->text[FILE_B])
                          : -ENOENT;
}

static void check_without(struct input *in, struct jvmlaunch launch)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;
    CLEANUP(strv_done) struct strv words = {0};
    char name[] = "java", *java[] = {name};
    CLEANUP_FREE char *left = jvmlaunch_without(&launch, "JDK_JAVA_OPTIONS", jvmopts_is_oom);
    bool unread;

    assert(left);
    in->name = "JDK_JAVA_OPTIONS";
    in->value = left;
    launch.argc = 1;
    launch.argv = java;
    launch.kind = JVMLAUNCH_JAVA;
    launch.feature = 0;
    assert(jvmlaunch_read(&launch, &o, &words, &unread) == 0);
    assert(!o.heap_dump_path && !o.on_out_of_memory && o.exit_on_oom < 0 && o.heap_dump < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;
    CLEANUP(strv_done) struct strv words = {0};
    CLEANUP_FREE char *bytes = malloc(size + 1);
    struct input in = {.text = {"", "", "", "", ""}};
    char *argv[WORDS];
    struct jvmlaunch launch = {.argv = argv, .variable = variable, .load = load, .ctx = &in};
    size_t at = 1;
    bool unread;

    if (size < 1)
        return 0;
    assert(bytes);
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    launch.kind = (enum jvmlaunch_kind)(data[0] % 3);
    launch.feature = data[0] & 4 ? 8 : 0;
    for (size_t i = 0; i < TEXTS && at < size; at += strlen(bytes + at) + 1)
        in.text[i++] = bytes + at;
    for (; launch.argc < WORDS && at < size; at += strlen(bytes + at) + 1)
        argv[launch.argc++] = bytes + at;
    assert(jvmlaunch_read(&launch, &o, &words, &unread) == 0);
    check_without(&in, launch);
    return 0;
}
