/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A command as it stands in a file of settings, split into its words as a POSIX shell would, and no more
 * than that: '…' keeps all, in "…" a backslash keeps '"', '\' and itself, elsewhere it keeps the next character. No
 * variables, no patterns, no operators (Python's shlex.split, which botocore uses).
 */
#pragma once

#include "base/strv.h"

/* The words, added to ret, whose owner frees them on failure, too. -EINVAL: a quote or a backslash at the end; -ENOMEM.
 */
int commandline_split(const char *text, struct strv *ret);
