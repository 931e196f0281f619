/* SPDX-License-Identifier: Apache-2.0
 *
 * The counters have lost quotes, and are cut: so options that j has win.
 */
#include "hotspot/startoptions.h"

#include <string.h>

#include "base/mem.h"
#include "hotspot/counters.h"

enum { TEXT_MAX = 2048 };

static int add_flag(void *ctx, const char *option)
{
    return jvmopts_add(ctx, option);
}

static int read_counters(const struct counters *c, struct jvmopts *ret)
{
    CLEANUP(jvmopts_done) struct jvmopts arguments = JVMOPTS_NONE;
    char text[TEXT_MAX];
    int r = 0;

    if (hsperf_string(&c->perf, "java.rt.vmFlags", text, sizeof(text)))
        r = jvmopts_each_word(JVMOPTS_FLAGS, text, strlen(text), add_flag, ret);
    if (r == 0 && hsperf_string(&c->perf, "java.rt.vmArgs", text, sizeof(text)))
        r = jvmopts_add_vm_args(&arguments, text);
    return r < 0 ? r : jvmopts_override(ret, &arguments);
}

int startoptions_complete(struct jvm *j)
{
    CLEANUP(jvmopts_done) struct jvmopts counted = JVMOPTS_NONE;
    CLEANUP(counters_done) struct counters c = {0};
    struct err ignored = {0};
    bool counters_win = j->options_unread;
    struct jvmopts *weak = counters_win ? &j->options : &counted, *strong = counters_win ? &counted : &j->options;
    int r;

    if (counters_read(&j->proc, &c, &ignored) < 0)
        return 0;
    if ((r = read_counters(&c, &counted)) < 0)
        return r;
    /* Both sides have the same OnOutOfMemoryError, which must not add up. */
    free(weak->on_out_of_memory);
    weak->on_out_of_memory = NULL;
    if ((r = jvmopts_override(weak, strong)) < 0)
        return r;
    if (!counters_win) {
        jvmopts_done(&j->options);
        j->options = counted;
        counted = (struct jvmopts)JVMOPTS_NONE;
    }
    return 0;
}
