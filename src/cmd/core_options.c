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

struct core_option_set {
    struct core_install_options options;
    struct rate rate;
    struct strv line; /* what the options point into */
};

void core_options_done(struct core_options *o)
{
    for (size_t i = 0; i < o->count; i++)
        strv_done(&o->set[i].line);
    free(o->set);
    free(o->choice);
    *o = (struct core_options){0};
}

static int read_set(const struct core_set *from, struct core_option_set *s, struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int r;

    if (strv_add(&s->line, HANDLER_COMMAND) < 0 ||
        (from->arguments.item && strv_add_all(&s->line, from->arguments.item) < 0))
        return err_set(e, -ENOMEM, "out of memory");
    r = opt_parse(CORE_INSTALL_OPTIONS, &(struct opt_argv){(int)s->line.count, s->line.item}, &s->options, &operands,
                  e);
    return r < 0 ? r : core_rules_check(&s->options.rules, &s->rate, e);
}

int core_options_read(const struct core_config *config, struct core_options *ret, struct err *e)
{
    CLEANUP(core_options_done) struct core_options o = {0};
    int r = 0;

    if (config->sets == 0)
        return err_set(e, -FAULT_FORMAT, "the handler's configuration has no options");
    if (!(o.set = calloc(config->sets, sizeof(*o.set))) || !(o.choice = calloc(config->sets, sizeof(*o.choice))))
        return err_set(e, -ENOMEM, "out of memory");
    for (size_t i = 0; i < config->sets && r == 0; i++) {
        struct core_option_set *s = &o.set[o.count++];

        r = read_set(&config->set[i], s, e);
        o.choice[i] = (struct core_choice){&s->options.rules, &s->rate, &config->set[i]};
    }
    if (r < 0)
        return r;
    *ret = o;
    o = (struct core_options){0};
    return 0;
}
