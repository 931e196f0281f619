/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a list of actions: what is taken is printed, item by item, as what is taken again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "guard/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct actions list, again;
    CLEANUP_FREE char *text = malloc(size + 1);
    char printed[ACTION_TEXT_MAX];
    struct err e = {0};

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    list.count = 0;
    if (action_add(text, &list, &e) < 0) {
        assert(*e.msg && list.count == 0);
        return 0;
    }
    assert(list.count > 0 && list.count <= ACTION_MAX);
    for (unsigned i = 0; i < list.count; i++) {
        const struct action *a = &list.item[i], *b = &again.item[0];

        again.count = 0;
        assert(action_add(action_print(a, printed), &again, NULL) == 0 && again.count == 1);
        assert(a->kind == b->kind && a->live == b->live && a->signal == b->signal && a->limit_ms == b->limit_ms);
        assert(strcmp(a->argument, b->argument) == 0);
        assert(a->limit_ms > 0 && a->signal != 9 && a->signal != 19);
    }
    return 0;
}
