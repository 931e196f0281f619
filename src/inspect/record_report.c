/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in JSON of our own schemas: of an OOM kill (oom/oomkill.h), of a JVM's end (hotspot/jvmend.h), manifests. The
 * JSON of the report has the record as it is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/evidence_parts.h"
#include "inspect/report_parts.h"
#include "ship/why.h"

enum { RECORD_MAX = 4 * 1024 * 1024 };

static json_t *read_record(const void *data, size_t size)
{
    return json_read_object(data, size, RECORD_MAX);
}

static const char *text(const json_t *object, const char *name)
{
    return json_read_text(object, name);
}

static uint64_t number(const json_t *object, const char *name)
{
    return json_read_count(object, name);
}

/* ", WORD SIZE", if there is such a number. */
static int add_size(struct buf *b, const json_t *object, const char *name, const char *word)
{
    char size[TEXT_SIZE_MAX];

    if (!json_is_integer(json_object_get(object, name)))
        return 0;
    return buf_printf(b, "%s%s %s", b->size ? ", " : "", word, text_format_size(number(object, name), size));
}

/* "shop/cart-7f9c/cart/node", as much as is known. */
static void place(struct evidence_writer *w, const json_t *where)
{
    const char *const names[] = {text(where, "namespace"), text(where, "pod"), text(where, "container"),
                                 text(where, "host")};
    CLEANUP(buf_done) struct buf b = {0};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (*names[i] && buf_printf(&b, "%s%.200s", b.size ? "/" : "", names[i]) < 0)
            return;
    if (b.size > 0)
        evidence_line(w, "WHERE", "%s", buf_text(&b));
}

/* --- OOM kills ------------------------------------------------------------------------------------------------------
 */

static int add_number(struct buf *b, const json_t *object, const char *name, const char *word)
{
    const json_t *n = json_object_get(object, name);

    return json_is_integer(n) ? buf_printf(b, ", %s %" JSON_INTEGER_FORMAT, word, json_integer_value(n)) : 0;
}

static void print_process(struct evidence_writer *w, const char *head, const json_t *p)
{
    CLEANUP(buf_done) struct buf b = {0};
    char rss[TEXT_SIZE_MAX];

    if (buf_printf(&b, "%.100s", *text(p, "name") ? text(p, "name") : "?") == 0 &&
        add_number(&b, p, "pid", "pid") == 0 && add_number(&b, p, "uid", "uid") == 0 &&
        add_number(&b, p, "oom_score_adj", "oom_score_adj") == 0 &&
        (number(p, "swap") == 0 || add_size(&b, p, "swap", "in swap") == 0))
        evidence_line(w, head, "%10s  %s", number(p, "rss") ? text_format_size(number(p, "rss"), rss) : "?",
                      buf_text(&b));
}

struct task {
    const json_t *process;
    uint64_t rss;
};

static int by_rss(const void *a, const void *b)
{
    uint64_t x = ((const struct task *)a)->rss, y = ((const struct task *)b)->rss;

    return x < y ? 1 : x > y ? -1 : 0;
}

static int print_tasks(struct evidence_writer *w, const json_t *tasks)
{
    size_t count = json_array_size(tasks);
    CLEANUP_FREE struct task *list = calloc(count + 1, sizeof(*list));

    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        list[i] = (struct task){json_array_get(tasks, i), number(json_array_get(tasks, i), "rss")};
    qsort(list, count, sizeof(*list), by_rss);
    for (size_t i = 0; i < count && i < w->view->top; i++)
        print_process(w, i == 0 ? "PROCESSES" : "", list[i].process);
    if (count > w->view->top)
        evidence_line(w, "", "… %zu more", count - w->view->top);
    return 0;
}

static void print_amount(struct evidence_writer *w, const char *head, const json_t *amount)
{
    CLEANUP(buf_done) struct buf b = {0};

    if (add_size(&b, amount, "usage", "used") < 0 || add_size(&b, amount, "limit", "limit") < 0)
        return;
    if (json_is_integer(json_object_get(amount, "failcnt")) &&
        buf_printf(&b, "%shit %" PRIu64 " times", b.size ? ", " : "", number(amount, "failcnt")) < 0)
        return;
    if (b.size > 0)
        evidence_line(w, head, "%s", buf_text(&b));
}

static void print_held(struct evidence_writer *w, const json_t *process)
{
    CLEANUP(buf_done) struct buf b = {0};

    if (add_size(&b, process, "rss_anon", "anonymous") < 0 || add_size(&b, process, "rss_file", "files") < 0 ||
        add_size(&b, process, "rss_shmem", "shared") < 0 || add_size(&b, process, "pgtables", "page tables") < 0)
        return;
    if (b.size > 0)
        evidence_line(w, "", "%s", buf_text(&b));
}

static void print_kill(struct evidence_writer *w, const json_t *root)
{
    const json_t *killed = json_object_get(json_object_get(root, "group"), "killed"),
                 *invoker = json_object_get(root, "invoker");

    place(w, json_object_get(root, "where"));
    print_process(w, "KILLED", json_object_get(root, "process"));
    print_held(w, json_object_get(root, "process"));
    for (size_t i = 0; i < json_array_size(killed); i++)
        print_process(w, i == 0 ? "AND" : "", json_array_get(killed, i));
    print_amount(w, "MEMORY", json_object_get(root, "memory"));
    print_amount(w, "SWAP", json_object_get(root, "swap"));
    print_amount(w, "MEM+SWAP", json_object_get(root, "memory_swap"));
    if (*text(json_object_get(root, "cgroup"), "limit"))
        evidence_line(w, "CGROUP", "%s", text(json_object_get(root, "cgroup"), "limit"));
    if (*text(invoker, "name"))
        evidence_line(w, "ASKED", "%s, pid %" PRIu64 ", for memory", text(invoker, "name"), number(invoker, "pid"));
    if (*text(root, "note"))
        evidence_line(w, "NOTE", "%s", text(root, "note"));
    if (*text(root, "case"))
        evidence_line(w, "CASE", "%s", text(root, "case"));
}

int kill_report(struct evidence_writer *w, const void *data, size_t size)
{
    json_auto_t *root = read_record(data, size);
    struct summary summary = {0};

    if (!root || why_kill_summary(data, size, &summary) < 0)
        return -EBADMSG;
    evidence_title(w, text(root, "time"));
    evidence_end_title(w);
    evidence_sentence(w, summary.sentence);
    print_kill(w, root);
    evidence_field(w, "record", json_incref(root));
    return print_tasks(w, json_object_get(root, "tasks"));
}

/* --- ends of JVMs ---------------------------------------------------------------------------------------------------
 */

static void print_end(struct evidence_writer *w, const json_t *root)
{
    const json_t *heap = json_object_get(root, "heap"), *process = json_object_get(root, "process"),
                 *threads = json_object_get(root, "threads"), *uptime = json_object_get(root, "uptime_s");
    CLEANUP(buf_done) struct buf b = {0}, memory = {0};
    char ran[TEXT_DURATION_MAX];
    double seconds = json_real_value(uptime);

    if (*text(root, "command"))
        evidence_line(w, "COMMAND", "%s", text(root, "command"));
    if (json_is_real(uptime) && seconds >= 0 && seconds < 1e12)
        evidence_line(w, "RAN", "%s", text_format_duration((uint64_t)seconds, ran));
    if (add_size(&b, heap, "used", "used") == 0 && add_size(&b, heap, "max", "of at most") == 0 && b.size > 0)
        evidence_line(w, "HEAP", "%s%s%s", buf_text(&b), *text(heap, "collector") ? ", " : "", text(heap, "collector"));
    if (json_is_integer(json_object_get(threads, "live")))
        evidence_line(w, "THREADS", "%" PRIu64 " of Java, at most %" PRIu64, number(threads, "live"),
                      number(threads, "livePeak"));
    if (add_size(&memory, process, "rss", "resident") == 0 &&
        add_size(&memory, process, "rss_anon", "anonymous") == 0 && add_size(&memory, process, "swap", "swap") == 0 &&
        memory.size > 0)
        evidence_line(w, "PROCESS", "%s, %" PRIu64 " threads at %s", buf_text(&memory), number(process, "threads"),
                      text(process, "time"));
}

static void describe_end(const json_t *ended, char *out, size_t size)
{
    const char *why = text(ended, "why"), *orderly = json_is_true(json_object_get(ended, "orderly"))
                                                         ? ", in order"
                                                         : ", at once: it left its counters behind";

    if (text_eq(why, "exit"))
        snprintf(out, size, "The JVM ended by itself with status %" JSON_INTEGER_FORMAT "%s",
                 json_integer_value(json_object_get(ended, "status")), orderly);
    else if (*text(ended, "signal"))
        snprintf(out, size, "The JVM was ended by %.20s%s", text(ended, "signal"), orderly);
    else
        snprintf(out, size, "The JVM ended, how is unknown%s", orderly);
}

int jvm_end_report(struct evidence_writer *w, const void *data, size_t size)
{
    json_auto_t *root = read_record(data, size);
    char sentence[SUMMARY_SENTENCE_MAX], pid[32];

    if (!root)
        return -EBADMSG;
    describe_end(json_object_get(root, "ended"), sentence, sizeof(sentence));
    snprintf(pid, sizeof(pid), "pid %" PRIu64, number(root, "pid"));
    evidence_title(w, text(root, "time"));
    evidence_title(w, text(root, "jvm"));
    evidence_title(w, pid);
    evidence_end_title(w);
    evidence_sentence(w, sentence);
    print_end(w, root);
    evidence_field(w, "record", json_incref(root));
    return 0;
}

/* --- manifests ------------------------------------------------------------------------------------------------------
 */

static void print_manifest(struct evidence_writer *w, const struct manifest *m, const json_t *root)
{
    char size[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX];

    if (m->summary && *m->summary)
        evidence_line(w, "SUMMARY", "%s", m->summary);
    evidence_line(w, "OBJECT", "%s: %s, stored as %s", m->key, text_format_size(m->size, size),
                  text_format_size(m->stored_size, stored));
    if (m->partial && *m->partial)
        evidence_line(w, "PARTIAL", "%s", m->partial);
    place(w, json_object_get(root, "where"));
    evidence_field(w, "record", json_incref((json_t *)root));
    if (m->top)
        evidence_classes(w, m->top->row, m->top->count);
}

int manifest_report(struct evidence_writer *w, const void *data, size_t size)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    json_auto_t *root = read_record(data, size);
    char sentence[WHY_MAX];
    struct err e = {0};
    int r = manifest_decode(data, size, &m, &e);

    if (r < 0 || !root)
        return r == -ENOMEM ? r : -EBADMSG;
    evidence_title(w, why_kind(m.kind));
    evidence_title(w, text(json_object_get(root, "time"), "shipped"));
    evidence_end_title(w);
    evidence_sentence(w, why_sentence(&m, sentence));
    print_manifest(w, &m, root);
    return 0;
}
