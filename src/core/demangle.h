/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of C++, Rust and D functions as a person reads them, by GNU's demangler, which is for a process in a sandbox
 * alone: names are foreign.
 */
#pragma once

enum { DEMANGLE_MAX = 1024 };

/* Without parameters, and Rust's without their hash; the name itself if it is not mangled. Cut to DEMANGLE_MAX bytes.
 * Owned by the caller; NULL without memory. */
char *demangle(const char *name);
