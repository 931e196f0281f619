/* SPDX-License-Identifier: Apache-2.0
 *
 * Tags and flags of the records of a portable heap dump.
 */
#pragma once

enum {
    PHD_TAG_END = 3,
    PHD_TAG_LONG_OBJECT = 4,
    PHD_TAG_OLD_OBJECT_ARRAY = 5,
    PHD_TAG_CLASS = 6,
    PHD_TAG_LONG_PRIMITIVE_ARRAY = 7,
    PHD_TAG_OBJECT_ARRAY = 8,
    PHD_TAG_PRIMITIVE_ARRAY = 0x20,
    PHD_TAG_MEDIUM_OBJECT = 0x40,
    PHD_TAG_SHORT_OBJECT = 0x80
};
enum { PHD_FLAG_HAS_HASH = 2, PHD_FLAG_CLASS_HAS_HASH = 8, PHD_FLAG_IN_WORDS = 0x10 };
