/* SPDX-License-Identifier: Apache-2.0 */
#include "node/accepted_config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

int accepted_config_load(const char *path, struct config **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CONFIG_SIZE_MAX};
    struct config_errors errors = {0};
    int r = file_load(AT_FDCWD, path, &text);

    if (r == 0)
        r = config_read(buf_text(&text), text.size, ret, &errors);
    if (r < 0 && errors.count > 0)
        return err_set(e, -FAULT_USAGE, "%s:%u: %s", path, errors.item[0].line, errors.item[0].text);
    return r < 0 ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}
