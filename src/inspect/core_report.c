/* SPDX-License-Identifier: Apache-2.0
 *
 * What died of what, where; then threads and modules.
 */
#include "inspect/core_report.h"

#include <inttypes.h>
#include <signal.h>

#include "base/jsonout.h"
#include "base/text.h"
#include "core/core_text.h"

enum { LINE_MAX_BYTES = 1024, JSON_TEXT_MAX = 4096 };

/* Foreign text for a terminal. */
static void put(FILE *out, const char *text)
{
    char printable[LINE_MAX_BYTES];

    fputs(text_printable(text, printable, sizeof(printable)), out);
}

static void print_build_id(const struct core_module *m, FILE *out)
{
    if (m && *m->build_id)
        fprintf(out, " (build-id %s)", m->build_id);
}

static void print_head(const struct core_read *c, const struct core_view *v, FILE *out)
{
    char cause[128];

    put(out, v->name);
    fprintf(out, " · %s%s%s · ", v->bold ? "\033[1m" : "", core_cause(c, cause, sizeof(cause)),
            v->bold ? "\033[0m" : "");
    put(out, core_program_name(c));
    print_build_id(core_program(c), out);
    fprintf(out, " · pid %d, uid %u · %zu thread%s\n", c->pid, c->uid, c->thread_count,
            c->thread_count == 1 ? "" : "s");
    if (*c->command) {
        fputs("  COMMAND    ", out);
        put(out, c->command);
        fputs("\n", out);
    }
    if (c->cut)
        fputs("  The core is cut short: what lies behind its end is not shown.\n", out);
    if (core_is_jvm(c))
        fprintf(out, "  A JVM: its crash log, hs_err_pid%d.log, says more.\n", c->pid);
}

static void print_thread(const struct core_read *c, size_t index, FILE *out)
{
    const struct core_thread *t = &c->thread[index];
    char place[CORE_PLACE_MAX];
    uint64_t frame[CORE_FRAMES_MAX];
    size_t count = core_frames(c, t, frame);

    fprintf(out, "  Thread %d%s\n", t->tid, index == 0 && c->signal ? ", which got the signal" : "");
    for (size_t i = 0; i < count; i++) {
        fputs("      ", out);
        put(out, core_place(c, frame[i], place));
        fputs("\n", out);
    }
}

static void print_modules(const struct core_read *c, const struct core_view *v, FILE *out)
{
    fputs("  MODULES\n", out);
    for (size_t i = 0; i < c->module_count && (v->threads || i < v->top); i++) {
        fputs("      ", out);
        put(out, c->module[i].path);
        print_build_id(&c->module[i], out);
        fputs("\n", out);
    }
    if (!v->threads && c->module_count > v->top)
        fprintf(out, "      and %zu more: --threads shows all\n", c->module_count - v->top);
}

void core_report_print(const struct core_read *c, const struct core_view *v, FILE *out)
{
    print_head(c, v, out);
    for (size_t i = 0; i < c->thread_count && (v->threads || i == 0); i++)
        print_thread(c, i, out);
    if (c->module_count)
        print_modules(c, v, out);
}

/* --- JSON -----------------------------------------------------------------------------------------------------------
 */

static json_t *text(const char *t)
{
    return jsonout_text(t, JSON_TEXT_MAX);
}

static json_t *address(uint64_t a)
{
    char out[24];

    snprintf(out, sizeof(out), "0x%" PRIx64, a);
    return json_string(out);
}

static json_t *thread_json(const struct core_read *c, const struct core_thread *t)
{
    json_t *frames = json_array(), *registers = json_object();
    uint64_t frame[CORE_FRAMES_MAX];
    size_t count = core_frames(c, t, frame);
    char place[CORE_PLACE_MAX];
    const char *name;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            frames, json_pack("{so so}", "address", address(frame[i]), "at", text(core_place(c, frame[i], place))));
    for (unsigned i = 0; (name = core_register_name(c, i)); i++)
        json_object_set_new(registers, name, address(core_register(t, i)));
    return json_pack("{si si so so}", "tid", t->tid, "signal", t->signal, "registers", registers, "frames", frames);
}

json_t *core_report_json(const struct core_read *c, const struct core_view *v)
{
    json_t *threads = json_array(), *modules = json_array();
    const struct core_module *program = core_program(c);
    char cause[128], signal[24];

    for (size_t i = 0; i < c->thread_count; i++)
        json_array_append_new(threads, thread_json(c, &c->thread[i]));
    for (size_t i = 0; i < c->module_count; i++) {
        const struct core_module *m = &c->module[i];

        json_array_append_new(modules, json_pack("{so so so so so*}", "path", text(m->path), "start", address(m->start),
                                                 "end", address(m->end), "base", address(m->base), "build_id",
                                                 *m->build_id ? text(m->build_id) : NULL));
    }
    return json_pack("{ss so so so si so* si si so so so* sb sb so so}", "schema", "salvage.core/1", "name",
                     text(v->name), "cause", text(core_cause(c, cause, sizeof(cause))), "signal",
                     text(core_signal_name(c->signal, signal, sizeof(signal))), "code", c->has_info ? c->code : 0,
                     "address", c->has_info && c->code > 0 ? address(c->address) : NULL, "pid", c->pid, "uid",
                     (int)c->uid, "command", text(c->command), "program", text(core_program_name(c)), "build_id",
                     program && *program->build_id ? text(program->build_id) : NULL, "jvm", core_is_jvm(c), "cut",
                     c->cut, "threads", threads, "modules", modules);
}
