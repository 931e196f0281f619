/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite's SQL functions sin(), log() and so on, and the ranks of its text search, need libm, and we ask for none of
 * them: libm would take 300 KiB of every idle watch. The program is linked with these instead (tests and fuzzers with
 * libm, which libFuzzer needs). Whoever calls one aborts; code that needs another one does not link.
 */
#include <stdlib.h>

#define NONE_OF_ONE(name)                                                                                              \
    double name(double x);                                                                                             \
    double name(double x)                                                                                              \
    {                                                                                                                  \
        (void)x;                                                                                                       \
        abort();                                                                                                       \
    }
#define NONE_OF_TWO(name)                                                                                              \
    double name(double x, double y);                                                                                   \
    double name(double x, double y)                                                                                    \
    {                                                                                                                  \
        (void)x, (void)y;                                                                                              \
        abort();                                                                                                       \
    }

NONE_OF_ONE(acos)
NONE_OF_ONE(acosh)
NONE_OF_ONE(asin)
NONE_OF_ONE(asinh)
NONE_OF_ONE(atan)
NONE_OF_ONE(atanh)
NONE_OF_ONE(cos)
NONE_OF_ONE(cosh)
NONE_OF_ONE(exp)
NONE_OF_ONE(log)
NONE_OF_ONE(sin)
NONE_OF_ONE(sinh)
NONE_OF_ONE(sqrt)
NONE_OF_ONE(tan)
NONE_OF_ONE(tanh)
NONE_OF_ONE(trunc)
NONE_OF_TWO(atan2)
NONE_OF_TWO(fmod)
NONE_OF_TWO(pow)
