/* SPDX-License-Identifier: Apache-2.0
 *
 * HotSpot writes its crash log before it aborts, so it is complete when the core begins (vmError.cpp).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jvmopts.h"
#include "node/crash_facts.h"
#include "ship/kind.h"

enum { LOG_MAX = 64 * 1024 * 1024 };

static int try_path(const struct crash_facts *f, const char *path)
{
    CLEANUP_FD int fd = proc_openat(&f->proc, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != f->status.uid || st.st_size > LOG_MAX ||
        (int64_t)st.st_mtim.tv_sec < f->started_ns / 1000000000 || kind_read_content(fd) != CONTENT_HS_ERR)
        return -1;
    return TAKE_FD(fd);
}

static int add_option(void *ctx, const char *option)
{
    return jvmopts_add(ctx, option);
}

/* -XX:ErrorFile of its environment and command line, in the order in which HotSpot reads them; NULL: none. */
static char *error_file(const struct crash_facts *f)
{
    CLEANUP(jvmopts_done) struct jvmopts options = JVMOPTS_NONE;
    CLEANUP(proc_words_done) struct proc_words words = {0}, variables = {0};
    const char *text;

    if (proc_words(&f->proc, "environ", &variables) == 0 && (text = proc_variable(&variables, "JAVA_TOOL_OPTIONS")))
        jvmopts_each(text, add_option, &options);
    if (proc_words(&f->proc, "cmdline", &words) == 0)
        for (size_t i = 1; i < words.count; i++)
            jvmopts_add(&options, words.word[i]);
    return options.error_file ? jvmopts_expand_pid(options.error_file, (uint64_t)f->status.inner_pid) : NULL;
}

int crash_facts_hs_err(const struct crash_facts *f)
{
    CLEANUP_FREE char *libjvm = NULL, *given = NULL;
    char path[64];
    int fd = -1;

    if (proc_mapped(&f->proc, "libjvm.so", &libjvm) < 0)
        return -1;
    if ((given = error_file(f)))
        fd = try_path(f, given);
    snprintf(path, sizeof(path), "hs_err_pid%d.log", (int)f->status.inner_pid);
    if (fd < 0)
        fd = try_path(f, path);
    snprintf(path, sizeof(path), "/tmp/hs_err_pid%d.log", (int)f->status.inner_pid);
    return fd < 0 ? try_path(f, path) : fd;
}
