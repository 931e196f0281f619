/* SPDX-License-Identifier: Apache-2.0
 *
 * By capget(2), for which libc has no wrapper.
 */
#include "linux/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

bool capability_has(unsigned number)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (number / 32 >= _LINUX_CAPABILITY_U32S_3 || syscall(SYS_capget, &header, data) < 0)
        return false;
    return data[number / 32].effective & 1u << number % 32;
}
