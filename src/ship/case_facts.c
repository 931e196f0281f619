/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What an object's key and manifest say about its case.
 */
#include "ship/case_facts.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/key_template.h"

static const int64_t DAY_NS = INT64_C(86400) * 1000000000;

char *case_id(const char *key)
{
    const char *slash = strrchr(key, '/');

    return slash && template_match(TEMPLATE_DEFAULT, key) ? strndup(key, (size_t)(slash - key)) : strdup(key);
}

char *case_namespace(const char *key)
{
    const char *slash = strchr(key, '/');

    return strndup(key, slash ? (size_t)(slash - key) : 0);
}

int64_t case_time_ns(const struct manifest *m, int64_t stored_ns)
{
    int64_t at = m->time.modified > 0 ? m->time.modified : m->time.shipped;

    return at <= 0 || (stored_ns > 0 && at - DAY_NS > stored_ns) ? stored_ns : at;
}

const char *case_workload(const struct manifest *m, char out[WORKLOAD_MAX])
{
    if (m->where.pod && *m->where.pod)
        return workload_of_pod(m->where.pod, out);
    return m->where.family && *m->where.family ? m->where.family : m->where.host;
}

unsigned case_rank(const char *kind)
{
    static const char *const LEAST_FIRST[] = {"unreadable",
                                              "file",
                                              "guard-case",
                                              "memory-stats",
                                              "crash",
                                              "native-memory",
                                              "thread-dump",
                                              "class-histogram",
                                              "flight-recording",
                                              "jvm-end",
                                              "javacore",
                                              "heap-snapshot",
                                              "core",
                                              "hs-err",
                                              "heap-dump",
                                              "oom-kill"};

    for (unsigned i = 0; i < ARRAY_SIZE(LEAST_FIRST); i++)
        if (text_eq(kind, LEAST_FIRST[i]))
            return i;
    return 1; /* as a file */
}

const char *const CASE_ANSWERS[] = {CASE_DIGEST, CASE_ANALYSIS, CASE_ANALYSIS_PAGE, NULL};

bool case_is_answer(const char *key)
{
    return text_ends(key, "/" CASE_DIGEST) || text_ends(key, "/" CASE_ANALYSIS);
}

int case_answer_key(const char *key, const char *answer, struct buf *ret)
{
    const char *slash = strrchr(key, '/');

    if (slash && template_match(TEMPLATE_DEFAULT, key))
        return buf_printf(ret, "%.*s/%s", (int)(slash - key), key, answer);
    return buf_printf(ret, "%s.%s", key, answer);
}

int case_words_add(const char *text, struct buf *ret)
{
    size_t begin = ret->size;
    int r = buf_add_text(ret, text);

    for (size_t i = begin; r == 0 && i < ret->size; i++)
        if (!isalnum((unsigned char)ret->data[i]) && (unsigned char)ret->data[i] < 0x80)
            ret->data[i] = ' ';
    if (r == 0)
        r = buf_add(ret, " ", 1);
    return r == -EMSGSIZE ? 0 : r;
}

int case_words(const struct manifest *m, struct buf *ret)
{
    const char *const texts[] = {
        m->key,
        m->kind,
        m->cause,
        m->name,
        m->path,
        m->partial,
        m->summary,
        m->id,
        m->origin.detail,
        m->origin.file,
        m->process.jvm,
        m->process.command,
        m->where.place,
        m->where.namespace,
        m->where.pod,
        m->where.owner,
        m->where.container,
        m->where.node,
        m->where.image,
        m->where.host,
        m->where.cluster,
        m->where.family,
        m->where.task,
        m->where.instance,
        m->where.zone,
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
        if (texts[i])
            r = case_words_add(texts[i], ret);
    for (unsigned i = 0; r == 0 && m->top && i < m->top->count; i++)
        r = case_words_add(m->top->row[i].name, ret);
    return r;
}
