/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as options: what is left without the OOM options has none of them, and is stable; every command of a hook,
 * expanded, is known again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/jvmopts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int has_none(void *ctx, const char *option)
{
    (void)ctx;
    assert(!jvmopts_is_oom(option));
    return 0;
}

static int add(void *ctx, const char *option)
{
    return jvmopts_add(ctx, option);
}

static void check_hook(const char *commands)
{
    CLEANUP_FREE char *expanded = NULL, *first = NULL;

    commands += strspn(commands, " ;");
    first = strndup(commands, strcspn(commands, ";"));
    assert(first);
    expanded = jvmopts_expand_pid(first, 4711);
    assert(expanded);
    assert(!*first || jvmopts_is_hook(commands, expanded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    CLEANUP_FREE char *left = NULL, *again = NULL;
    CLEANUP_FREE char *exact = malloc(size + 1);

    assert(text && exact);
    memcpy(exact, data, size);
    for (int g = JVMOPTS_VARIABLE; g <= (int)JVMOPTS_FLAGS; g++) {
        CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

        assert(jvmopts_each_word((enum jvmopts_grammar)g, exact, size, add, &o) == 0);
        if (o.on_out_of_memory)
            check_hook(o.on_out_of_memory);
    }
    {
        CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

        assert(jvmopts_add_vm_flags(&o, text) == 0);
        assert(jvmopts_add_vm_args(&o, text) == 0);
    }
    left = jvmopts_without(text, jvmopts_is_oom);
    assert(left && strlen(left) <= strlen(text));
    assert(jvmopts_each(left, has_none, NULL) == 0);
    again = jvmopts_without(left, jvmopts_is_oom);
    assert(again && strcmp(left, again) == 0);
    check_hook(text);
    return 0;
}
