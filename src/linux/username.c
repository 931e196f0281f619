/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines "name:password:uid:…" (passwd(5)).
 */
#include "linux/username.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum { PASSWD_MAX = 16 * 1024 * 1024 };

bool username_exists(const char *path, uid_t uid)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = PASSWD_MAX};
    const char *line;

    if (file_load(AT_FDCWD, path, &text) < 0)
        return false;
    for (line = buf_text(&text); line; line = strchr(line, '\n')) {
        const char *at;
        char *end;

        line += *line == '\n';
        at = line + strcspn(line, ":\n");
        if (at == line || *at != ':')
            continue;
        at += 1 + strcspn(at + 1, ":\n");
        if (*at == ':' && at[1] >= '0' && at[1] <= '9' && strtoul(at + 1, &end, 10) == uid && *end == ':')
            return true;
    }
    return false;
}
