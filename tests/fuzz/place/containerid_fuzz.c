/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as /proc/self/cgroup and mountinfo: an id that is found stands there, and is nothing but hex, or a task's.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/containerid.h"

static void check_mounted(const char *data, size_t size)
{
    char name[CONTAINERNAME_MAX];

    if (containerid_name_from_mountinfo(data, size, "6f1c2a3b-0000-1111-2222-333344445555", name))
        assert(*name && strnlen(name, sizeof(name)) < sizeof(name) && !strchr(name, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool (*find)(const char *, size_t, char[CONTAINERID_MAX]), const char *data, size_t size)
{
    char id[CONTAINERID_MAX];
    size_t length, head;

    if (!find(data, size, id))
        return;
    length = strnlen(id, sizeof(id));
    assert(length < sizeof(id));
    if (find == containerid_from_cgroup) /* mountinfo may spell any letter in octal */
        assert(memmem(data, size, id, length));
    head = strspn(id, "0123456789abcdef");
    assert((head == 64 && length == 64) ||
           (head == 32 && id[32] == '-' && length > 33 && strspn(id + 33, "0123456789") == length - 33));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(containerid_from_cgroup, (const char *)data, size);
    check(containerid_from_mountinfo, (const char *)data, size);
    check_mounted((const char *)data, size);
    return 0;
}
