/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration back to options: for the handler, which gets no command line of a user, and the server.
 */
#include "cmd/core_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/core_config.h"
#include "node/handler_protocol.h"

static int set_environment(const struct core_config *c)
{
    for (size_t i = 0; i < c->environment.count; i++) {
        char *text = c->environment.item[i];
        size_t name = strcspn(text, "=");

        text[name] = '\0';
        if (setenv(text, text + name + 1, 1) < 0)
            return -ENOMEM;
        text[name] = '=';
    }
    return 0;
}

void core_options_done(struct core_install_options *o)
{
    strv_done(&o->line);
}

int core_options_read(const struct core_config *config, struct core_install_options *ret, struct rate *ret_rate,
                      struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int r;

    if (set_environment(config) < 0 || strv_add(&ret->line, HANDLER_COMMAND) < 0 ||
        (config->arguments.item && strv_add_all(&ret->line, config->arguments.item) < 0))
        return err_set(e, -ENOMEM, "out of memory");
    r = opt_parse(CORE_INSTALL_OPTIONS, &(struct opt_argv){(int)ret->line.count, ret->line.item}, ret, &operands, e);
    return r < 0 ? r : core_rules_check(&ret->rules, ret_rate, e);
}
