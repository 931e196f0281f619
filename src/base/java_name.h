/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of Java classes, as people write them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* "[[Ljava/lang/String;" is "java.lang.String[][]", "[B" is "byte[]", "java/lang/String" is "java.lang.String" (JVMS
 * 4.3.2). Others as they are; cut to room - 1 bytes. Into out[room], room > 0; returns out. */
const char *java_name(const char *name, size_t size, char *out, size_t room);

/* Whether a class (or a frame, which begins with its class) is of the JDK or of a language's runtime, or an array of
 * primitive elements: it holds what a program puts into it, and the program's classes say more. */
bool java_name_is_runtime(const char *name);
