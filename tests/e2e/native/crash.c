/* SPDX-License-Identifier: Apache-2.0
 *
 * crash MIB [SUID]: fills memory, then dereferences a null pointer.
 */
#include <stdint.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
    uint64_t *data = malloc(size + sizeof(*data)), x = 88172645463325252u;

    for (size_t i = 0; data && i < size / sizeof(*data); i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = i % 4 ? 0 : x;
    }
    return *(volatile int *)NULL;
}
