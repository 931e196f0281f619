/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of columns for each view. The formulas are those of jdk.jcmd's sun/tools/jstat, which calculates with
 * doubles and rounds to even, too.
 */
#include "hotspot/jstat.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum { CELL_MAX = 400, TERMS_MAX = 3, TIMESTAMP_WIDTH = 12 };

enum formula {
    COUNT,     /* sum of the counters */
    KIB,       /* sum of bytes, in KiB */
    SECONDS,   /* sum of ticks, in seconds */
    SECONDS_0, /* the same; missing counters count as 0 */
    PERCENT,   /* the first counter is the capacity, the second what is used */
    TEXT
};

struct column {
    const char *name;
    enum formula formula;
    const char *counter[TERMS_MAX];
    int width;
    int decimals;
    const char *key; /* name in JSON; NULL: as name */
};

#define YOUNG "sun.gc.generation.0."
#define OLD "sun.gc.generation.1."
#define EDEN YOUNG "space.0."
#define SURVIVOR_0 YOUNG "space.1."
#define SURVIVOR_1 YOUNG "space.2."
#define TENURED OLD "space.0."
#define METASPACE "sun.gc.metaspace."
#define CLASS_SPACE "sun.gc.compressedclassspace."
#define COLLECTOR "sun.gc.collector."

#define USE(name, space)                                                                                               \
    {                                                                                                                  \
        name, PERCENT, {space "capacity", space "used"}, 6, 2, NULL                                                    \
    }
#define SIZE(name, counter, width)                                                                                     \
    {                                                                                                                  \
        name, KIB, {counter}, width, 1, NULL                                                                           \
    }
#define COLLECTIONS(name, number)                                                                                      \
    {                                                                                                                  \
        name, COUNT, {COLLECTOR number ".invocations"}, 6, 0, NULL                                                     \
    }
#define COLLECTING(name, number)                                                                                       \
    {                                                                                                                  \
        name, SECONDS, {COLLECTOR number ".time"}, 9, 3, NULL                                                          \
    }

/* Young, full (or old), and concurrent collections. */
#define ALL_COLLECTIONS                                                                                                \
    COLLECTIONS("YGC", "0"), COLLECTING("YGCT", "0"), COLLECTIONS("FGC", "1"), COLLECTING("FGCT", "1"),                \
        COLLECTIONS("CGC", "2"), COLLECTING("CGCT", "2"),                                                              \
    {                                                                                                                  \
        "GCT", SECONDS_0, {COLLECTOR "0.time", COLLECTOR "1.time", COLLECTOR "2.time"}, 9, 3, NULL                     \
    }

#define ALL_USE                                                                                                        \
    USE("S0", SURVIVOR_0), USE("S1", SURVIVOR_1), USE("E", EDEN), USE("O", TENURED), USE("M", METASPACE),              \
        USE("CCS", CLASS_SPACE)

static const struct column GCUTIL[] = {ALL_USE, ALL_COLLECTIONS, {0}};

static const struct column GCCAUSE[] = {
    ALL_USE,
    ALL_COLLECTIONS,
    {"LGCC", TEXT, {"sun.gc.lastCause"}, 20, 0, NULL},
    {"GCC", TEXT, {"sun.gc.cause"}, 20, 0, NULL},
    {0},
};

static const struct column GC[] = {
    SIZE("S0C", SURVIVOR_0 "capacity", 10),
    SIZE("S1C", SURVIVOR_1 "capacity", 10),
    SIZE("S0U", SURVIVOR_0 "used", 10),
    SIZE("S1U", SURVIVOR_1 "used", 10),
    SIZE("EC", EDEN "capacity", 11),
    SIZE("EU", EDEN "used", 11),
    SIZE("OC", TENURED "capacity", 11),
    SIZE("OU", TENURED "used", 11),
    SIZE("MC", METASPACE "capacity", 10),
    SIZE("MU", METASPACE "used", 10),
    SIZE("CCSC", CLASS_SPACE "capacity", 9),
    SIZE("CCSU", CLASS_SPACE "used", 9),
    ALL_COLLECTIONS,
    {0},
};

static const struct column GCCAPACITY[] = {
    SIZE("NGCMN", YOUNG "minCapacity", 11),
    SIZE("NGCMX", YOUNG "maxCapacity", 11),
    SIZE("NGC", YOUNG "capacity", 11),
    SIZE("S0C", SURVIVOR_0 "capacity", 10),
    SIZE("S1C", SURVIVOR_1 "capacity", 10),
    SIZE("EC", EDEN "capacity", 11),
    SIZE("OGCMN", OLD "minCapacity", 11),
    SIZE("OGCMX", OLD "maxCapacity", 11),
    SIZE("OGC", OLD "capacity", 11),
    SIZE("OC", TENURED "capacity", 11),
    SIZE("MCMN", METASPACE "minCapacity", 9),
    SIZE("MCMX", METASPACE "maxCapacity", 10),
    SIZE("MC", METASPACE "capacity", 10),
    SIZE("CCSMN", CLASS_SPACE "minCapacity", 8),
    SIZE("CCSMX", CLASS_SPACE "maxCapacity", 10),
    SIZE("CCSC", CLASS_SPACE "capacity", 9),
    COLLECTIONS("YGC", "0"),
    COLLECTIONS("FGC", "1"),
    COLLECTIONS("CGC", "2"),
    {0},
};

static const struct column CLASS[] = {
    {"Loaded", COUNT, {"java.cls.loadedClasses", "java.cls.sharedLoadedClasses"}, 7, 0, NULL},
    {"Bytes", KIB, {"sun.cls.loadedBytes", "sun.cls.sharedLoadedBytes"}, 10, 1, "LoadedBytes"},
    {"Unloaded", COUNT, {"java.cls.unloadedClasses", "java.cls.sharedUnloadedClasses"}, 9, 0, NULL},
    {"Bytes", KIB, {"sun.cls.unloadedBytes", "sun.cls.sharedUnloadedBytes"}, 10, 1, "UnloadedBytes"},
    {"Time", SECONDS, {"sun.cls.time"}, 9, 2, NULL},
    {0},
};

static const struct column *const VIEWS[] = {
    [JSTAT_GCUTIL] = GCUTIL,   [JSTAT_GC] = GC,       [JSTAT_GCCAPACITY] = GCCAPACITY,
    [JSTAT_GCCAUSE] = GCCAUSE, [JSTAT_CLASS] = CLASS,
};

static double counter(const struct hsperf *h, const char *name, double otherwise)
{
    int64_t n;

    return hsperf_long(h, name, &n) ? (double)n : otherwise;
}

static double divide(double a, double b)
{
    return b == 0 ? NAN : a / b;
}

static double evaluate(const struct column *c, const struct hsperf *h)
{
    double otherwise = c->formula == SECONDS_0 ? 0 : NAN, first = counter(h, c->counter[0], otherwise), sum = first;

    if (c->formula == PERCENT)
        return (1 - divide(first - counter(h, c->counter[1], NAN), first)) * 100;
    for (unsigned i = 1; i < TERMS_MAX && c->counter[i]; i++)
        sum += counter(h, c->counter[i], otherwise);
    switch (c->formula) {
    case KIB:
        return sum / 1024;
    case SECONDS:
    case SECONDS_0:
        return divide(sum, counter(h, "sun.os.hrt.frequency", otherwise));
    case COUNT:
    case PERCENT:
    case TEXT:
        break;
    }
    return sum;
}

/* A column's text; returns out. */
static const char *cell(const struct column *c, const struct hsperf *h, char out[static CELL_MAX])
{
    char text[CELL_MAX / 2];
    double n;

    if (c->formula == TEXT)
        return hsperf_string(h, c->counter[0], text, sizeof(text)) ? text_printable(text, out, CELL_MAX) : "-";
    n = evaluate(c, h);
    if (isnan(n))
        return "-";
    snprintf(out, CELL_MAX, "%.*f", c->decimals, n);
    return out;
}

/* Numbers are aligned to the right, texts to the left; no blanks after the last column. */
static int add_cell(const struct column *c, const char *text, struct buf *ret)
{
    bool last = !c[1].name;
    int width = c->width;

    if (c->formula == TEXT)
        width = last ? 0 : -width;
    return buf_printf(ret, "%*s%s", width, text, last ? "\n" : " ");
}

double jstat_uptime(const struct hsperf *h, int64_t wall_ns)
{
    double own = divide(counter(h, "sun.os.hrt.ticks", NAN), counter(h, "sun.os.hrt.frequency", NAN));

    /* JDK 25 has the frequency, but no ticks. */
    return isnan(own) ? ((double)wall_ns / 1e6 - counter(h, "sun.rt.createVmBeginTime", NAN)) / 1e3 : own;
}

int jstat_header(enum jstat_view view, bool timestamp, struct buf *ret)
{
    int r = timestamp ? buf_printf(ret, "%*s ", TIMESTAMP_WIDTH, "Timestamp") : 0;

    for (const struct column *c = VIEWS[view]; c->name && r == 0; c++)
        r = add_cell(c, c->name, ret);
    return r;
}

int jstat_row(enum jstat_view view, const struct hsperf *h, const double *timestamp, struct buf *ret)
{
    char text[CELL_MAX];
    int r = 0;

    if (timestamp && isnan(*timestamp))
        r = buf_printf(ret, "%*s ", TIMESTAMP_WIDTH, "-");
    else if (timestamp)
        r = buf_printf(ret, "%*.1f ", TIMESTAMP_WIDTH, *timestamp);
    for (const struct column *c = VIEWS[view]; c->name && r == 0; c++)
        r = add_cell(c, cell(c, h, text), ret);
    return r;
}

/* NaN, an unknown number, is null. */
static json_t *json_number(double n, int decimals)
{
    char text[CELL_MAX];

    if (isnan(n))
        return json_null();
    snprintf(text, sizeof(text), "%.*f", decimals, n);
    return decimals > 0 || fabs(n) > 9e18 ? json_real(strtod(text, NULL)) : json_integer(strtoll(text, NULL, 10));
}

static json_t *json_cell(const struct column *c, const struct hsperf *h)
{
    char text[CELL_MAX], out[CELL_MAX];

    if (c->formula != TEXT)
        return json_number(evaluate(c, h), c->decimals);
    return hsperf_string(h, c->counter[0], text, sizeof(text)) ? json_string(text_printable(text, out, sizeof(out)))
                                                               : json_null();
}

static int fill_object(json_t *o, enum jstat_view view, const struct jstat_sample *s)
{
    char time[CLOCK_TEXT_MAX];

    if (json_object_set_new(o, "pid", json_integer(s->pid)) < 0 ||
        json_object_set_new(o, "time", json_string(clock_format(s->wall_ns, time))) < 0 ||
        json_object_set_new(o, "uptime", json_number(s->uptime, 1)) < 0)
        return -ENOMEM;
    for (const struct column *c = VIEWS[view]; c->name; c++)
        if (json_object_set_new(o, c->key ? c->key : c->name, json_cell(c, s->counters)) < 0)
            return -ENOMEM;
    return 0;
}

int jstat_json(enum jstat_view view, const struct jstat_sample *s, struct buf *ret)
{
    CLEANUP_FREE char *text = NULL;
    json_t *o = json_object();
    int r = o ? fill_object(o, view, s) : -ENOMEM;

    if (r == 0)
        text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
    json_decref(o);
    if (r < 0 || !text)
        return -ENOMEM;
    return buf_printf(ret, "%s\n", text);
}
