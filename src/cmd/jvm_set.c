/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm set: sets manageable options of a running JVM.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"

struct set_options {
    struct jvm_options jvm;
};

static const struct opt SET_OPTIONS[] = {
    JVM_OPTION_TIMEOUT(struct set_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* "+Name" and "-Name" as on a java command line, or "Name=value". */
static int set(const struct jvm *j, const struct set_options *o, const char *text, struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {0};
    const char *equals = strchr(text, '=');
    bool flag = *text == '+' || *text == '-';
    CLEANUP_FREE char *name = flag ? strdup(text + 1) : strndup(text, equals ? (size_t)(equals - text) : strlen(text));
    const char *value = !flag && equals ? equals + 1 : *text == '+' ? "1" : "0";
    struct attach_wait wait = {.timeout_ms = o->jvm.timeout_ms};
    int r;

    if (!name)
        return err_set(e, -ENOMEM, "out of memory");
    if (!*name || (!flag && !equals))
        return err_set(e, -FAULT_USAGE, "jvm set: '%s' is neither NAME=VALUE nor +NAME nor -NAME", text);
    /* setflag takes numbers for booleans. */
    if (strcmp(value, "true") == 0)
        value = "1";
    else if (strcmp(value, "false") == 0)
        value = "0";
    r = attach_ask(j, &(struct attach_question){"setflag", {name, value}}, &wait, &answer, e);
    if (r == -EPROTO) { /* name the option: there may be several */
        struct err why = *e;

        return err_set(e, r, "%s: %s", text, why.msg);
    }
    if (r == 0 && answer.size > 0)
        r = jvm_relay(answer.data, answer.size, e);
    return r;
}

static int run(int argc, char **argv)
{
    struct set_options o = {0};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int own = opt_leading(SET_OPTIONS, argc, argv);
    int r = opt_parse(SET_OPTIONS, &(struct opt_argv){own, argv}, &o, &operands, &e);
    const char *pid = own < argc && jvm_is_pid(argv[own]) ? argv[own] : NULL;
    int first = own + (pid != NULL);

    if (r == 0 && first >= argc)
        r = err_set(&e, -FAULT_USAGE, "jvm set: give an option: salvage jvm set [PID] NAME=VALUE");
    if (r < 0 || (r = jvm_target("jvm set", pid, &j, &e)) < 0)
        return command_fail(r, &e);
    for (int i = first; i < argc && r == 0; i++)
        r = set(&j, &o, argv[i], &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_JVM_SET = {
    .name = "jvm set",
    .args = "[OPTION...] [PID] NAME=VALUE...",
    .summary = "set a manageable option of a running JVM",
    .text =
        "NAME=VALUE, or +NAME and -NAME as on a java command line. Which options are manageable depends on the JDK: "
        "salvage jvm flags PID --all marks them. The change takes effect at once, and lasts until the JVM ends.",
    .examples = "salvage jvm set 7 +HeapDumpOnOutOfMemoryError HeapDumpPath=/dumps\n"
                "    dump at the next OutOfMemoryError (see also salvage jvm arm)\n"
                "salvage jvm set 7 MinHeapFreeRatio=10\n"
                "    return more free heap to the system\n",
    .options = SET_OPTIONS,
    .wraps = true,
    .run = run,
};
