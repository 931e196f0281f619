/* SPDX-License-Identifier: Apache-2.0
 *
 * What died of what, where; then threads and modules.
 */
#include "inspect/core_report.h"

#include <inttypes.h>
#include <signal.h>

#include "base/text.h"
#include "core/core_text.h"
#include "inspect/report_parts.h"

static void print_build_id(const struct core_module *m, FILE *out)
{
    if (m && *m->build_id)
        fprintf(out, " (build-id %s)", m->build_id);
}

static void print_head(const struct core_read *c, const struct core_view *v, FILE *out)
{
    char cause[128];

    report_put(out, v->name);
    fprintf(out, " · %s%s%s · ", v->bold ? "\033[1m" : "", core_cause(c, cause, sizeof(cause)),
            v->bold ? "\033[0m" : "");
    report_put(out, core_program_name(c));
    print_build_id(core_program(c), out);
    fprintf(out, " · pid %d, uid %u · %zu thread%s\n", c->pid, c->uid, c->thread_count,
            c->thread_count == 1 ? "" : "s");
    if (*c->command) {
        fputs("  COMMAND    ", out);
        report_put(out, c->command);
        fputs("\n", out);
    }
    if (c->cut)
        fputs("  The core is cut short: what lies behind its end is not shown.\n", out);
    if (core_is_jvm(c) && v->crash_log) {
        fputs("  A JVM: its crash log lies beside the core and says more: ", out);
        report_put(out, v->crash_log);
        fputs("\n", out);
    } else if (core_is_jvm(c)) {
        fprintf(out, "  A JVM: its crash log, hs_err_pid%d.log, says more.\n", c->pid);
    }
}

static void print_name(const struct backtrace_name *n, FILE *out)
{
    report_put(out, n->function ? n->function : "?");
    if (n->file) {
        fputs(" (", out);
        report_put(out, text_base_name(n->file));
        fprintf(out, n->line ? ":%d)" : ")", n->line);
    }
}

/* Code that is in no file. */
static const char *made_at_run_time(const struct core_read *c, uint64_t address)
{
    if (core_module_at(c, address) || !core_is_code(c, address))
        return NULL;
    return core_is_jvm(c) ? "[JVM compiled code]" : "[code made at run time]";
}

static void print_frame(const struct core_read *c, const struct backtrace_frame *f, FILE *out)
{
    const char *made = f->name_count ? NULL : made_at_run_time(c, f->address);
    char place[CORE_PLACE_MAX];

    for (size_t i = 0; i < f->name_count; i++) {
        fputs("      ", out);
        print_name(&f->name[i], out);
        fputs(f->name[i].inlined ? ", inlined\n" : "  ", out);
    }
    if (f->name_count == 0)
        fprintf(out, "      %s%s", made ? made : "", made ? "  " : "");
    report_put(out, core_place(c, f->address, place));
    fputs("\n", out);
}

static int print_thread(const struct core_read *c, const struct core_view *v, size_t index, FILE *out)
{
    const struct core_thread *t = &c->thread[index];
    struct backtrace_frame frame[BACKTRACE_FRAMES_MAX];
    size_t count = 0;
    bool more = false;
    int r = backtraces_thread(v->traces, t, frame, &count, &more);

    fprintf(out, "  Thread %d%s\n", t->tid, index == 0 && c->signal ? ", which got the signal" : "");
    for (size_t i = 0; i < count && r == 0; i++)
        print_frame(c, &frame[i], out);
    if (more)
        fputs("      and more\n", out);
    return r;
}

/* Which executables would have had names, and why they have none. */
static void print_missing(const struct core_read *c, const struct core_view *v, FILE *out)
{
    static const char *const WHY[] = {[BACKTRACE_MISSING] = "not found", [BACKTRACE_OTHER_BUILD] = "another build"};
    unsigned missing = 0;

    for (size_t i = 0; i < c->module_count; i++) {
        enum backtrace_source source = backtraces_module(v->traces, &c->module[i]);

        if (source != BACKTRACE_MISSING && source != BACKTRACE_OTHER_BUILD)
            continue;
        fputs(missing++ ? ", " : "  WITHOUT    ", out);
        report_put(out, c->module[i].path);
        fprintf(out, " (%s)", WHY[source]);
    }
    if (missing)
        fputs(": no names of its functions, and frames may be missing. --sysroot DIR says where the files are\n", out);
}

/* Without --threads the first that are executables: those have a build-id. */
static void print_modules(const struct core_read *c, const struct core_view *v, FILE *out)
{
    size_t shown = 0;

    fputs("  MODULES\n", out);
    for (size_t i = 0; i < c->module_count && (v->threads || shown < v->top); i++) {
        if (!v->threads && !*c->module[i].build_id)
            continue;
        fputs("      ", out);
        report_put(out, c->module[i].path);
        print_build_id(&c->module[i], out);
        fputs("\n", out);
        shown++;
    }
    if (c->module_count > shown)
        fprintf(out, "      and %zu more: --threads shows all\n", c->module_count - shown);
}

int core_report_print(const struct core_read *c, const struct core_view *v, FILE *out)
{
    int r = 0;

    print_head(c, v, out);
    for (size_t i = 0; i < c->thread_count && r == 0 && (v->threads || i == 0); i++)
        r = print_thread(c, v, i, out);
    print_missing(c, v, out);
    if (c->module_count)
        print_modules(c, v, out);
    return r;
}

/* --- JSON -----------------------------------------------------------------------------------------------------------
 */

static json_t *address(uint64_t a)
{
    char out[24];

    snprintf(out, sizeof(out), "0x%" PRIx64, a);
    return json_string(out);
}

/* A function that was inlined is a frame at the same address. */
static void add_frame(json_t *frames, const struct core_read *c, const struct backtrace_frame *f)
{
    const char *made = f->name_count ? NULL : made_at_run_time(c, f->address);
    char place[CORE_PLACE_MAX];

    for (size_t i = 0; i < f->name_count || i == 0; i++) {
        const struct backtrace_name *n = f->name_count ? &f->name[i] : NULL;
        json_t *frame =
            json_pack("{so so}", "address", address(f->address), "at", report_text(core_place(c, f->address, place)));

        if (n && n->function)
            json_object_set_new(frame, "function", report_text(n->function));
        else if (made)
            json_object_set_new(frame, "function", json_string(made));
        if (n && n->file)
            json_object_set_new(frame, "file", report_text(n->file));
        if (n && n->line)
            json_object_set_new(frame, "line", json_integer(n->line));
        if (n && n->inlined)
            json_object_set_new(frame, "inlined", json_true());
        json_array_append_new(frames, frame);
    }
}

static json_t *thread_json(const struct core_read *c, const struct core_view *v, const struct core_thread *t)
{
    json_t *frames = json_array(), *registers = json_object();
    struct backtrace_frame frame[BACKTRACE_FRAMES_MAX];
    size_t count = 0;
    bool more = false;
    const char *name;

    if (backtraces_thread(v->traces, t, frame, &count, &more) < 0) {
        json_decref(frames);
        json_decref(registers);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        add_frame(frames, c, &frame[i]);
    for (unsigned i = 0; (name = core_register_name(c, i)); i++)
        json_object_set_new(registers, name, address(core_register(t, i)));
    return json_pack("{si si so so sb}", "tid", t->tid, "signal", t->signal, "registers", registers, "frames", frames,
                     "more", more);
}

/* NULL: no frame lies in it. */
static const char *source_word(enum backtrace_source source)
{
    return source == BACKTRACE_FOUND         ? "found"
           : source == BACKTRACE_MISSING     ? "not found"
           : source == BACKTRACE_OTHER_BUILD ? "another build"
                                             : NULL;
}

json_t *core_report_json(const struct core_read *c, const struct core_view *v)
{
    json_t *threads = json_array(), *modules = json_array();
    const struct core_module *program = core_program(c);
    char cause[128], signal[24];

    for (size_t i = 0; i < c->thread_count; i++) {
        if (json_array_append_new(threads, thread_json(c, v, &c->thread[i])) < 0) {
            json_decref(threads);
            json_decref(modules);
            return NULL;
        }
    }
    for (size_t i = 0; i < c->module_count; i++) {
        const struct core_module *m = &c->module[i];

        json_array_append_new(modules, json_pack("{so so so so so* ss*}", "path", report_text(m->path), "start",
                                                 address(m->start), "end", address(m->end), "base", address(m->base),
                                                 "build_id", *m->build_id ? report_text(m->build_id) : NULL,
                                                 "executable", source_word(backtraces_module(v->traces, m))));
    }
    return json_pack("{ss so so so si so* si si so so so* sb so* sb so so}", "schema", "salvage.core/1", "name",
                     report_text(v->name), "cause", report_text(core_cause(c, cause, sizeof(cause))), "signal",
                     report_text(core_signal_name(c->signal, signal, sizeof(signal))), "code",
                     c->has_info ? c->code : 0, "address", c->has_info && c->code > 0 ? address(c->address) : NULL,
                     "pid", c->pid, "uid", (int)c->uid, "command", report_text(c->command), "program",
                     report_text(core_program_name(c)), "build_id",
                     program && *program->build_id ? report_text(program->build_id) : NULL, "jvm", core_is_jvm(c),
                     "crash_log", core_is_jvm(c) && v->crash_log ? report_text(v->crash_log) : NULL, "cut", c->cut,
                     "threads", threads, "modules", modules);
}
