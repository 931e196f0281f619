/* SPDX-License-Identifier: Apache-2.0
 *
 * Sentences of what core_read found.
 */
#include "core/core_text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SUMMARY_FRAMES = 4 };

const char *core_place(const struct core_read *c, uint64_t address, char *out)
{
    const struct core_module *m = core_module_at(c, address);

    if (m)
        snprintf(out, CORE_PLACE_MAX, "%.255s+0x%" PRIx64, text_base_name(m->path), address - m->base);
    else
        snprintf(out, CORE_PLACE_MAX, "0x%" PRIx64, address);
    return out;
}

const char *core_cause(const struct core_read *c, char *out, size_t size)
{
    const char *reason = c->has_info ? core_signal_reason(c->signal, c->code) : NULL;
    bool address = reason && c->code > 0 && (c->signal == SIGSEGV || c->signal == SIGBUS);
    char name[24];

    core_signal_name(c->signal, name, sizeof(name));
    if (!*name)
        snprintf(out, size, "no signal: made by a debugger");
    else if (address)
        snprintf(out, size, "%s: %s: 0x%" PRIx64, name, reason, c->address);
    else
        snprintf(out, size, "%s%s%s", name, reason ? ": " : "", reason ? reason : "");
    return out;
}

const char *core_program_name(const struct core_read *c)
{
    const struct core_module *m = core_program(c);

    return m ? text_base_name(m->path) : c->name;
}

bool core_is_jvm(const struct core_read *c)
{
    for (size_t i = 0; i < c->module_count; i++)
        if (text_eq(text_base_name(c->module[i].path), "libjvm.so"))
            return true;
    return false;
}

void core_summary_of(const struct core_read *c, struct summary *ret)
{
    char cause[128], place[CORE_PLACE_MAX], text[SUMMARY_SENTENCE_MAX];
    uint64_t frame[CORE_FRAMES_MAX];
    size_t count, at;

    at = (size_t)snprintf(text, sizeof(text), "%s in %.60s", core_cause(c, cause, sizeof(cause)), core_program_name(c));
    count = core_frames(c, &c->thread[0], frame);
    for (size_t i = 0; i < count && i < SUMMARY_FRAMES; i++) {
        core_place(c, frame[i], place);
        if (at + strlen(place) + 32 < sizeof(text))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i == 0 ? ": " : " < ", place);
    }
    at += (size_t)snprintf(text + at, sizeof(text) - at, "; %zu thread%s", c->thread_count,
                           c->thread_count == 1 ? "" : "s");
    if (core_is_jvm(c) && at + 64 < sizeof(text))
        snprintf(text + at, sizeof(text) - at, "; a JVM, whose crash log is hs_err_pid%d.log", c->pid);
    *ret = (struct summary){0};
    memcpy(ret->sentence, text, sizeof(text));
}

int core_summary(const void *data, size_t size, struct summary *ret)
{
    CLEANUP(core_read_done) struct core_read c = {0};
    struct err e;
    int r = core_read(data, size, &c, &e);

    if (r == 0)
        core_summary_of(&c, ret);
    return r;
}
