/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of OnOutOfMemoryError: %p and %% in them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "hotspot/jvmopts.h"

enum { PID_DIGITS_MAX = 10 };

/* Whether command is pattern with the first digits of pid in place of every %p. */
static bool is_expanded_with(const char *pattern, size_t size, const char *command, const char *pid, size_t digits)
{
    for (size_t i = 0; i < size; i++) {
        bool escape = pattern[i] == '%' && i + 1 < size;

        if (escape && pattern[i + 1] == 'p') {
            if (strncmp(command, pid, digits) != 0)
                return false;
            command += digits;
            i++;
            continue;
        }
        i += escape && pattern[i + 1] == '%';
        if (*command++ != pattern[i])
            return false;
    }
    return *command == '\0';
}

/* The offset of the first %p once the pattern before it is expanded; SIZE_MAX if there is none. */
static size_t first_pid(const char *pattern, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i + 1 < size; i++, length++) {
        if (pattern[i] == '%' && pattern[i + 1] == 'p')
            return length;
        i += pattern[i] == '%' && pattern[i + 1] == '%';
    }
    return SIZE_MAX;
}

/* Whether command is pattern with a number in place of %p. */
static bool is_expansion(const char *pattern, size_t size, const char *command)
{
    size_t at = first_pid(pattern, size), most;
    const char *pid;

    if (at == SIZE_MAX)
        return is_expanded_with(pattern, size, command, "", 0);
    if (strnlen(command, at) < at)
        return false;
    pid = command + at;
    most = strspn(pid, "0123456789");
    for (size_t digits = 1; digits <= most && digits <= PID_DIGITS_MAX; digits++)
        if (is_expanded_with(pattern, size, command, pid, digits))
            return true;
    return false;
}

/* Split as by next_OnError_command of debug.cpp. */
bool jvmopts_is_hook(const char *on_out_of_memory, const char *command)
{
    for (const char *at = on_out_of_memory; *at;) {
        size_t size;

        at += strspn(at, " ;");
        size = strcspn(at, ";");
        if (size > 0 && is_expansion(at, size, command))
            return true;
        at += size;
    }
    return false;
}

char *jvmopts_expand_pid(const char *text, uint64_t pid)
{
    CLEANUP(buf_done) struct buf b = {.ceiling = SIZE_MAX};
    int r = 0;

    for (; *text && r == 0; text++) {
        if (text[0] == '%' && text[1] == 'p') {
            r = buf_printf(&b, "%" PRIu64, pid);
            text++;
        } else {
            text += text[0] == '%' && text[1] == '%';
            r = buf_add(&b, text, 1);
        }
    }
    return r < 0 ? NULL : buf_take(&b);
}
