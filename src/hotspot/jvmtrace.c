/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies texts; one that does not fit counts as unknown.
 */
#include "hotspot/jvmtrace.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

static void copy(char *out, size_t size, const char *text)
{
    if (!text || snprintf(out, size, "%s", text) >= (int)size)
        *out = '\0';
}

/* While HotSpot makes its counters file, and removes those of JVMs that have ended, it works in their folder, and then
 * returns to its own (perfMemory_posix.cpp, open_directory_secure_cwd). */
static void read_working_folder(const struct jvm *j, char out[static JVMTRACE_PATH_MAX])
{
    ssize_t n = readlinkat(j->proc.fd, "cwd", out, JVMTRACE_PATH_MAX - 1);

    out[n > 0 && out[0] == '/' ? n : 0] = '\0';
    if (text_starts(text_base_name(out), "hsperfdata_"))
        out[0] = '\0';
}

void jvmtrace_fill(const struct jvm *j, struct jvmtrace *ret)
{
    read_working_folder(j, ret->work);
    ret->pid = j->proc.pid;
    ret->inner_pid = j->status.inner_pid;
    ret->uid = j->status.uid;
    ret->started_ns = j->started_ns;
    ret->same_files = proc_shares(&j->proc, "ns/mnt");
    copy(ret->error, sizeof(ret->error), j->options.error_file);
    copy(ret->dump, sizeof(ret->dump), j->options.heap_dump_path);
    copy(ret->command, sizeof(ret->command), j->command);
    copy(ret->version, sizeof(ret->version), j->version);
}
