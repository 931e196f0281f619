/* SPDX-License-Identifier: Apache-2.0
 *
 * jps's rules (MonitoredVmUtil.java, the same in JDK 8 to 25).
 */
#include "hotspot/jps.h"

#include <string.h>

size_t jps_class(const char *command, const char **ret_arguments)
{
    const char *blank = strchr(command, ' ');
    size_t size = blank && blank > command ? (size_t)(blank - command) : strlen(command);

    *ret_arguments = command + size + (command[size] == ' ');
    return size;
}

/* The offset after the last of these bytes, unless that is the first byte. */
static size_t behind_last(const char *text, size_t size, const char *bytes)
{
    while (size > 1)
        if (strchr(bytes, text[--size]))
            return size + 1;
    return 0;
}

size_t jps_short(const char *name, size_t size)
{
    size_t file = behind_last(name, size, "/\\");
    size_t last = behind_last(name + file, size - file, ".");

    if (size - file - last == 3 && last > 0 && memcmp(name + file + last, "jar", 3) == 0)
        last = 0;
    return file + last;
}
