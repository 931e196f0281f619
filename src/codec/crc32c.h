/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4), with the processor's instruction if it has one: several times faster
 * than SHA-256. Detects damage, not forgery.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The checksum up to the end of data. crc: the checksum of the bytes before data; 0 at the beginning. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same without the processor's instruction; the fallback of crc32c. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);
