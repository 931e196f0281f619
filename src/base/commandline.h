/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Splits a command from a configuration file into words, by the quoting rules of a POSIX shell: '…' is
 * literal, in "…" a backslash escapes '"' and '\', elsewhere it escapes the next character. No variables, patterns or
 * operators (like Python's shlex.split, which botocore uses).
 */
#pragma once

#include "base/strv.h"

/* Adds the words to ret, which the caller frees, on failure, too. -EINVAL: an open quote, or a backslash at the end;
 * -ENOMEM. */
int commandline_split(const char *text, struct strv *ret);
