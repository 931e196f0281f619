/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies texts; one that does not fit counts as unknown.
 */
#include "hotspot/jvmtrace.h"

#include <stdio.h>
#include <unistd.h>

static void copy(char *out, size_t size, const char *text)
{
    if (!text || snprintf(out, size, "%s", text) >= (int)size)
        *out = '\0';
}

void jvmtrace_fill(const struct jvm *j, struct jvmtrace *ret)
{
    ssize_t n = readlinkat(j->proc.fd, "cwd", ret->work, sizeof(ret->work) - 1);

    ret->pid = j->proc.pid;
    ret->inner_pid = j->status.inner_pid;
    ret->uid = j->status.uid;
    ret->started_ns = j->started_ns;
    ret->same_files = proc_shares(&j->proc, "ns/mnt");
    ret->work[n > 0 && ret->work[0] == '/' ? n : 0] = '\0';
    copy(ret->error, sizeof(ret->error), j->options.error_file);
    copy(ret->dump, sizeof(ret->dump), j->options.heap_dump_path);
    copy(ret->command, sizeof(ret->command), j->command);
    copy(ret->version, sizeof(ret->version), j->version);
}
