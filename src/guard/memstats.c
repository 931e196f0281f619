/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of "name value" lines become objects, others stay text. Formats: proc(5), cgroup-v2.rst,
 * cgroup-v1/memory.rst, psi.rst.
 */
#include "guard/memstats.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/cgroup.h"

enum { FILE_MAX = 256 * 1024, PROCESSES_MAX = 20, PIDS_MAX = 4096, NAME_MAX_SIZE = 64 };

static const char SCHEMA[] = "salvage.memstats/1";

DEFINE_CLEANUP(json_t *, json_decref)

static json_t *numbers(const char *text)
{
    json_t *object = json_object();
    struct cgroup_line line;

    while (object && cgroup_next_line(&text, &line))
        if (line.value <= INT64_MAX)
            json_object_setn_new(object, line.name, line.name_size, json_integer((json_int_t)line.value));
    return object;
}

/* Lines as an array of strings; bytes that are no text are escaped. */
static json_t *lines(const char *text)
{
    json_t *array = json_array();

    while (array && *text) {
        char raw[512], line[512];
        size_t length = strcspn(text, "\n");

        snprintf(raw, sizeof(raw), "%.*s", (int)length, text);
        json_array_append_new(array, json_string(text_printable(raw, line, sizeof(line))));
        text += length + (text[length] == '\n');
    }
    return array;
}

static void add_file(json_t *into, const char *key, int folder, const char *file, json_t *(*parse)(const char *text))
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};

    if (folder >= 0 && file_load(folder, file, &text) == 0)
        json_object_set_new(into, key, parse(buf_text(&text)));
}

/* "max" is a word, not a number. */
static json_t *bytes(const char *text)
{
    uint64_t value;
    char word[32];

    snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, "\n"), text);
    return text_parse_uint(word, INT64_MAX, &value) == 0 ? json_integer((json_int_t)value) : json_string(word);
}

static json_t *about_cgroup(int cgroup)
{
    static const struct {
        const char *key, *file;
        json_t *(*parse)(const char *text);
    } files[] = {
        {"limit", "memory.max", bytes},
        {"high", "memory.high", bytes},
        {"usage", "memory.current", bytes},
        {"peak", "memory.peak", bytes},
        {"swap_limit", "memory.swap.max", bytes},
        {"swap", "memory.swap.current", bytes},
        {"events", "memory.events", numbers},
        {"pressure", "memory.pressure", lines},
        {"limit", "memory.limit_in_bytes", bytes},
        {"usage", "memory.usage_in_bytes", bytes},
        {"peak", "memory.max_usage_in_bytes", bytes},
        {"memsw_limit", "memory.memsw.limit_in_bytes", bytes},
        {"memsw_usage", "memory.memsw.usage_in_bytes", bytes},
        {"failures", "memory.failcnt", bytes},
        {"oom_control", "memory.oom_control", numbers},
        {"stat", "memory.stat", numbers},
    };
    json_t *object = json_object();

    for (size_t i = 0; object && i < ARRAY_SIZE(files); i++)
        add_file(object, files[i].key, cgroup, files[i].file, files[i].parse);
    return object;
}

/* The lines of /proc/PID/status about memory. */
static json_t *memory_of(int proc)
{
    static const char *const wanted[] = {"VmPeak",   "VmSize", "VmLck", "VmHWM", "VmRSS",  "RssAnon", "RssFile",
                                         "RssShmem", "VmData", "VmStk", "VmPTE", "VmSwap", "Threads"};
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};
    CLEANUP(json_decref_ptr) json_t *all = NULL;
    json_t *object = json_object();

    if (!object || file_load(proc, "status", &text) < 0 || !(all = numbers(buf_text(&text))))
        return object;
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        json_object_set(object, wanted[i], json_object_get(all, wanted[i]));
    return object;
}

static json_t *about_process(const struct proc *p)
{
    json_t *object = json_object();
    CLEANUP(buf_done) struct buf name = {.ceiling = NAME_MAX_SIZE};
    struct proc_status s;

    if (!object)
        return NULL;
    json_object_set_new(object, "pid", json_integer(p->pid));
    if (proc_status(p, &s) == 0) {
        json_object_set_new(object, "inner_pid", json_integer(s.inner_pid));
        json_object_set_new(object, "uid", json_integer(s.uid));
    }
    if (file_load(p->fd, "comm", &name) == 0) {
        char shown[NAME_MAX_SIZE];

        if (name.size > 0 && name.data[name.size - 1] == '\n')
            name.data[name.size - 1] = '\0';
        json_object_set_new(object, "name", json_string(text_printable(buf_text(&name), shown, sizeof(shown))));
    }
    json_object_set_new(object, "memory", memory_of(p->fd));
    add_file(object, "oom_score_adj", p->fd, "oom_score_adj", bytes);
    return object;
}

static json_int_t resident(const json_t *process)
{
    return json_integer_value(json_object_get(json_object_get(process, "memory"), "VmRSS"));
}

/* Inserts in order, the largest first; drops the last beyond PROCESSES_MAX. */
static void insert(json_t *array, json_t *process)
{
    size_t at = json_array_size(array);

    while (at > 0 && resident(json_array_get(array, at - 1)) < resident(process))
        at--;
    json_array_insert_new(array, at, process);
    if (json_array_size(array) > PROCESSES_MAX)
        json_array_remove(array, PROCESSES_MAX);
}

/* The largest processes of the cgroup; those of groups below it are not listed. */
static void add_processes(json_t *root, const char *proc_root, int cgroup)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};
    json_t *array = json_array();
    unsigned count = 0;

    if (!array)
        return;
    if (cgroup >= 0 && file_load(cgroup, "cgroup.procs", &text) == 0)
        for (const char *at = buf_text(&text); *at && count < PIDS_MAX; count++) {
            CLEANUP(proc_done) struct proc p = PROC_NONE;
            unsigned long pid = strtoul(at, NULL, 10);

            if (pid > 0 && pid <= INT_MAX && proc_open(proc_root, (pid_t)pid, &p) == 0)
                insert(array, about_process(&p));
            at += strcspn(at, "\n");
            at += *at == '\n';
        }
    json_object_set_new(root, "processes", array);
    json_object_set_new(root, "processes_total", json_integer(count));
}

int memstats_read(const char *proc_root, const struct proc *p, int cgroup, struct buf *ret, struct err *e)
{
    CLEANUP(json_decref_ptr) json_t *root = json_object();
    CLEANUP_FREE char *text = NULL;
    char time[CLOCK_TEXT_MAX];
    struct proc_status s;
    json_t *process;
    bool ended = p->fd < 0 || proc_status(p, &s) < 0;
    int r;

    if (ended && cgroup < 0)
        return err_set(e, -ESRCH, "process %d has ended", (int)p->pid);
    json_object_set_new(root, "schema", json_string(SCHEMA));
    json_object_set_new(root, "time", json_string(clock_format(clock_wall_ns(), time)));
    if (ended) {
        json_object_set_new(root, "process_ended", json_integer(p->pid));
    } else {
        json_object_set_new(root, "process", process = about_process(p));
        add_file(process, "smaps_rollup", p->fd, "smaps_rollup", numbers);
        add_file(process, "limits", p->fd, "limits", lines);
    }
    if (cgroup >= 0)
        json_object_set_new(root, "cgroup", about_cgroup(cgroup));
    add_processes(root, proc_root, cgroup);
    if (!(text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = buf_add_text(ret, text)) < 0 || (r = buf_add_text(ret, "\n")) < 0)
        return err_set(e, r, "out of memory");
    return 0;
}
