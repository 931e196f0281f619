/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that no file may call: CMake includes this header before each file of src/, and a call is a compile error
 * that names the function. The headers that declare them come first, so that their declarations are left alone.
 * Functions of headers that few files include (getaddrinfo, getpwnam …) are refused by scripts/layers.
 */
#pragma once

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(function) function##_is_banned_see_base_banned_h

/* No bound on what they write: snprintf, memcpy with a known size, base/buf.h. */
#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(...) BANNED(gets)
#undef alloca
#define alloca(...) BANNED(alloca)

/* No NUL at the end, or a bound that is not the buffer's size: snprintf. */
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)

/* Hidden state: use strchr or strcspn; base/clock.h, because all times are UTC. */
#undef strtok
#define strtok(...) BANNED(strtok)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef ctime
#define ctime(...) BANNED(ctime)
#undef asctime
#define asctime(...) BANNED(asctime)

/* No errors: text_parse_uint. */
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef atoll
#define atoll(...) BANNED(atoll)

/* A shell, or a name that another process can take first: linux/shell.h, uv_spawn; mkstemp, memfd_create. */
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)
#undef mktemp
#define mktemp(...) BANNED(mktemp)
#undef tmpnam
#define tmpnam(...) BANNED(tmpnam)
