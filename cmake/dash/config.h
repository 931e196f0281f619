/* SPDX-License-Identifier: Apache-2.0
 *
 * What dash's configure would find out on Linux with glibc, and what we want of it. HAVE_GETPWNAM is missing on purpose:
 * in a static program on another libc it would load name-service modules, and crash. `~user` stays as it is.
 */
#define HAVE_ALIAS_ATTRIBUTE 1
#define HAVE_ALLOCA_H 1
#define HAVE_BSEARCH 1
#define HAVE_DECL_ISBLANK 1
#define HAVE_FACCESSAT 1
#define HAVE_GETRLIMIT 1
#define HAVE_ISALPHA 1
#define HAVE_KILLPG 1
#define HAVE_MEMPCPY 1
#define HAVE_PATHS_H 1
#define HAVE_SIGSETMASK 1
#define HAVE_STPCPY 1
#define HAVE_STRCHRNUL 1
#define HAVE_STRSIGNAL 1
#define HAVE_STRTOD 1
#define HAVE_STRTOIMAX 1
#define HAVE_STRTOUMAX 1
#define HAVE_ST_MTIM 1
#define HAVE_SYSCONF 1
#define SIZEOF_INTMAX_T 8
#define SIZEOF_LONG_LONG_INT 8
#define SMALL 1       /* no line editing */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
