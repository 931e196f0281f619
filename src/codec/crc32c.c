/* SPDX-License-Identifier: Apache-2.0
 *
 * One loop for each processor, chosen at run time; eight bytes a step.
 */
#include "codec/crc32c.h"

#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

enum { WORD = sizeof(uint64_t) };
static const uint32_t POLYNOMIAL = 0x82f63b78; /* reflected */

/* Bit by bit in groups of four: a table of 64 bytes, and no state to set up. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *p = data;
    uint32_t table[16];

    for (uint32_t i = 0; i < 16; i++) {
        table[i] = i;
        for (int bit = 0; bit < 4; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? POLYNOMIAL : 0);
    }
    crc = ~crc;
    for (; size > 0; size--) {
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
#define CRC_TARGET "sse4.2"
#define CRC_WORD(crc, word) (uint32_t) _mm_crc32_u64(crc, word)
#define CRC_BYTE(crc, byte) _mm_crc32_u8(crc, byte)

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#define CRC_TARGET "+crc"
#define CRC_WORD(crc, word) __crc32cd(crc, word)
#define CRC_BYTE(crc, byte) __crc32cb(crc, byte)

static bool has_instruction(void)
{
    return getauxval(AT_HWCAP) & HWCAP_CRC32;
}
#endif

#ifdef CRC_TARGET
__attribute__((target(CRC_TARGET))) static uint32_t by_instruction(uint32_t crc, const unsigned char *p, size_t size)
{
    crc = ~crc;
    for (; size >= WORD; size -= WORD, p += WORD) {
        uint64_t word;

        memcpy(&word, p, WORD);
        crc = CRC_WORD(crc, word);
    }
    for (; size > 0; size--)
        crc = CRC_BYTE(crc, *p++);
    return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    return has_instruction() ? by_instruction(crc, data, size) : crc32c_portable(crc, data, size);
}
#else
uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    return crc32c_portable(crc, data, size);
}
#endif
