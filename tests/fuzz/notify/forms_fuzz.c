/* SPDX-License-Identifier: Apache-2.0
 *
 * Any notice: it becomes valid JSON for each kind of target, within the target's limits, and no markup of Slack's.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "notify/forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *check_form(int (*form)(const struct notice *, int64_t, struct buf *), const struct notice *n)
{
    CLEANUP(buf_done) struct buf body = {0};
    json_t *root;

    assert(form(n, INT64_C(1700000000000000000), &body) == 0);
    root = json_loadb(body.data, body.size, 0, NULL);
    assert(root && body.size < 150000);
    return root;
}

static void check_limits(const struct notice *n)
{
    json_t *slack = check_form(form_slack, n), *discord = check_form(form_discord, n),
           *teams = check_form(form_teams, n);
    const char *section = json_string_value(
        json_object_get(json_object_get(json_array_get(json_object_get(slack, "blocks"), 0), "text"), "text"));
    const char *content = json_string_value(json_object_get(discord, "content"));
    char *card = json_dumps(teams, JSON_COMPACT | JSON_ENSURE_ASCII);

    assert(section && form_fit(section, 3000) == strlen(section) && !strchr(section, '<') && !strchr(section, '>'));
    assert(content && form_fit(content, 2000) == strlen(content));
    assert(card && strlen(card) < 28 * 1024);
    free(card);
    json_decref(slack);
    json_decref(discord);
    json_decref(teams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(notice_done) struct notice n = {0};

    if (notice_decode((const char *)data, size, &n, NULL) < 0)
        return 0;
    check_limits(&n);
    json_decref(check_form(form_cloudevent, &n));
    json_decref(check_form(form_alertmanager, &n));
    json_decref(check_form(form_command, &n));
    return 0;
}
