/* SPDX-License-Identifier: Apache-2.0
 *
 * One row for each node.
 */
#include "serve/capture_agents.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/text.h"

void capture_agents_done(struct capture_agents *a)
{
    free(a->item);
    *a = (struct capture_agents){0};
}

static bool is_here(const struct capture_agent_row *row, uint64_t now_ms)
{
    return now_ms - row->seen_ms < CAPTURE_AGENT_MS;
}

int capture_agents_note(struct capture_agents *a, const char *node, uint64_t after, uint64_t now_ms)
{
    struct capture_agent_row *row = NULL;
    int r;

    for (size_t i = 0; i < a->count; i++) {
        if (text_eq(a->item[i].node, node)) {
            row = &a->item[i];
            break;
        }
        if (!is_here(&a->item[i], now_ms))
            row = &a->item[i]; /* its place can be used */
    }
    if (!row) {
        r = array_reserve(&a->item, a->count + 1, &a->capacity, sizeof(*a->item), CAPTURE_AGENTS_MAX);
        if (r < 0)
            return r;
        row = &a->item[a->count++];
    }
    snprintf(row->node, sizeof(row->node), "%s", node);
    row->after = after;
    row->seen_ms = now_ms;
    return 0;
}

unsigned capture_agents_count(const struct capture_agents *a, uint64_t now_ms)
{
    unsigned count = 0;

    for (size_t i = 0; i < a->count; i++)
        count += is_here(&a->item[i], now_ms);
    return count;
}

bool capture_agents_have_seen(const struct capture_agents *a, uint64_t number, uint64_t now_ms)
{
    for (size_t i = 0; i < a->count; i++)
        if (is_here(&a->item[i], now_ms) && a->item[i].after < number)
            return false;
    return true;
}
