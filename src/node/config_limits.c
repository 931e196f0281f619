/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks values as the commands would.
 */
#include "node/config_limits.h"

#include <stddef.h>

#include "base/text.h"
#include "net/bandwidth.h"
#include "node/config_keys.h"

static const struct config_key LIMITS[] = {
    {"bandwidth", offsetof(struct config_limits, bandwidth), CONFIG_KEY_TEXT, false},
    {"disk", offsetof(struct config_limits, disk_text), CONFIG_KEY_TEXT, false},
    {"disk-namespace", offsetof(struct config_limits, disk_namespace), CONFIG_KEY_TEXT, false},
    {"keep-free", offsetof(struct config_limits, keep_free), CONFIG_KEY_TEXT, false},
    {"captures", offsetof(struct config_limits, captures), CONFIG_KEY_TEXT, false},
    {"captures-namespace", offsetof(struct config_limits, captures_namespace), CONFIG_KEY_TEXT, false},
    {NULL, 0, CONFIG_KEY_TEXT, false},
};

void config_limits_check_rate(const char *text, unsigned line, struct config_errors *errors)
{
    struct err e = {0};
    uint64_t rate;

    if (text && bandwidth_parse(text, &rate, &e) < 0)
        config_errors_add(errors, line, "%s", e.msg + (text_starts(e.msg, "--") ? 2 : 0));
}

void config_limits_read(const struct config_node *n, struct config_limits *ret, struct config_errors *errors)
{
    if (!config_keys_read(n, LIMITS, "limits", ret, errors))
        return;
    config_limits_check_rate(ret->bandwidth, n->line, errors);
    if (ret->disk_text && (text_parse_size(ret->disk_text, &ret->disk) < 0 || ret->disk == 0))
        config_errors_add(errors, n->line, "disk: '%.60s' is not a size (like 20G)", ret->disk_text);
}
