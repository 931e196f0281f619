/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses without strptime(3), which depends on the locale. Foreign bytes.
 */
#include "oom/logdate.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/scan.h"

enum { YEARLESS = 1972 /* has a 29th of February */ };

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char DAYS[] = "SunMonTueWedThuFriSat";

struct date {
    struct tm tm;
    long nanoseconds;
    int offset_s;
    bool zoned, yearless;
};

bool logdate_digits(const char **at, int least, int most, int *ret)
{
    const char *p = *at;
    int n = 0, digits = 0;

    for (; isdigit((unsigned char)*p) && digits < most; p++, digits++)
        n = n * 10 + (*p - '0');
    if (digits < least || isdigit((unsigned char)*p))
        return false;
    *at = p;
    *ret = n;
    return true;
}

/* One of the three-letter words of list, as its index. */
static bool take_name(const char **at, const char *list, int *ret)
{
    for (size_t i = 0; list[3 * i]; i++) {
        if (strncmp(*at, list + 3 * i, 3) == 0 && !isalpha((unsigned char)(*at)[3])) {
            *at += 3;
            *ret = (int)i;
            return true;
        }
    }
    return false;
}

bool logdate_month(const char **at, int *ret)
{
    return take_name(at, MONTHS, ret);
}

long logdate_fraction(const char **at)
{
    const char *p = *at;
    long unit = 100000000L, n = 0;

    if ((*p != '.' && *p != ',') || !isdigit((unsigned char)p[1]))
        return 0;
    for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
        n += (*p - '0') * unit;
    *at = p;
    return n;
}

/* "04:17:52.118305" */
static bool take_clock(const char **at, struct date *d)
{
    const char *p = *at;

    if (!logdate_digits(&p, 2, 2, &d->tm.tm_hour) || !scan_word(&p, ":") || !logdate_digits(&p, 2, 2, &d->tm.tm_min) ||
        !scan_word(&p, ":") || !logdate_digits(&p, 2, 2, &d->tm.tm_sec) || d->tm.tm_hour > 23 || d->tm.tm_min > 59 ||
        d->tm.tm_sec > 60)
        return false;
    d->nanoseconds = logdate_fraction(&p);
    *at = p;
    return true;
}

/* "Z", "+01:00", "+0100", " UTC", " CET": of names without an offset only UTC is known. */
static void take_zone(const char **at, struct date *d)
{
    const char *p = *at;
    int hours, minutes = 0, sign;
    size_t name;

    if (scan_word(&p, "Z")) {
        d->zoned = true;
    } else if (*p == '+' || *p == '-') {
        sign = *p++ == '-' ? -1 : 1;
        if (logdate_digits(&p, 4, 4, &hours)) {
            minutes = hours % 100;
            hours /= 100;
        } else if (!logdate_digits(&p, 2, 2, &hours) || (scan_word(&p, ":") && !logdate_digits(&p, 2, 2, &minutes))) {
            return;
        }
        d->zoned = true;
        d->offset_s = sign * (hours * 3600 + minutes * 60);
    } else if (*p == ' ') {
        name = strspn(++p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (name < 3 || name > 5 || (p[name] != ' ' && p[name] != ':' && p[name] != ']'))
            return;
        d->zoned = (name == 3 && (memcmp(p, "UTC", 3) == 0 || memcmp(p, "GMT", 3) == 0));
        p += name;
    } else {
        return;
    }
    *at = p;
}

/* "2025-03-11T04:17:52", with a blank or '/' too */
static bool take_iso(const char **at, struct date *d)
{
    const char *p = *at;
    char part;

    if (!logdate_digits(&p, 4, 4, &d->tm.tm_year) || (*p != '-' && *p != '/'))
        return false;
    part = *p++;
    if (!logdate_digits(&p, 2, 2, &d->tm.tm_mon) || *p++ != part || !logdate_digits(&p, 2, 2, &d->tm.tm_mday) ||
        (*p != 'T' && *p != ' ') || (p++, !take_clock(&p, d)))
        return false;
    d->tm.tm_mon--;
    take_zone(&p, d);
    *at = p;
    return true;
}

/* "Mar 11 04:17:52", "Tue Mar 11 04:17:52 2025" (dmesg -T), "Mar 11 2025 04:17:52", "Tue Mar 11 04:17:52 CET 2025" */
static bool take_words(const char **at, struct date *d)
{
    const char *p = *at, *year;

    if (!take_name(&p, MONTHS, &d->tm.tm_mon) || *p != ' ')
        return false;
    p += strspn(p, " ");
    if (!logdate_digits(&p, 1, 2, &d->tm.tm_mday) || !scan_word(&p, " "))
        return false;
    year = p;
    d->yearless = !(logdate_digits(&year, 4, 4, &d->tm.tm_year) && scan_word(&year, " "));
    if (!d->yearless)
        p = year;
    if (!take_clock(&p, d))
        return false;
    year = p;
    if (d->yearless) {
        take_zone(&year, d);
        if (scan_word(&year, " ") && logdate_digits(&year, 4, 4, &d->tm.tm_year) && (!*year || strchr(" ]:", *year))) {
            d->yearless = false;
            p = year;
        } else {
            d->zoned = false;
            d->offset_s = 0;
        }
    }
    *at = p;
    return true;
}

bool logdate_take(const char **at, struct logdate *ret)
{
    struct date d = {0};
    const char *p = *at;
    int day;
    time_t seconds;

    if (take_name(&p, DAYS, &day))
        p += strspn(p, ", ");
    if (!take_iso(&p, &d)) {
        d = (struct date){0};
        if (!take_words(&p, &d))
            return false;
    }
    if (d.tm.tm_mon < 0 || d.tm.tm_mon > 11 || d.tm.tm_mday < 1 || d.tm.tm_mday > 31 ||
        (!d.yearless && (d.tm.tm_year < 1970 || d.tm.tm_year > 2200)))
        return false;
    d.tm.tm_year = (d.yearless ? YEARLESS : d.tm.tm_year) - 1900;
    seconds = timegm(&d.tm) - d.offset_s;
    ret->zoned = d.zoned;
    ret->yearless = d.yearless;
    ret->wall_ns = (int64_t)seconds * 1000 * 1000 * 1000 + d.nanoseconds;
    *at = p;
    return true;
}

static const uint64_t END_OF_2200_S = 7289654400; /* dates beyond it are none; nanoseconds of it fit 63 bits */

/* journalctl -o short-unix: "1700000000.123456 " */
bool logdate_take_unix(const char **at, struct logdate *ret)
{
    const char *p = *at;
    uint64_t seconds;
    long fraction;

    if (strspn(p, "0123456789") != 10 || !scan_number(&p, &seconds) || *p != '.')
        return false;
    fraction = logdate_fraction(&p);
    if (*p != ' ' || seconds >= END_OF_2200_S)
        return false;
    ret->zoned = true;
    ret->yearless = false;
    ret->wall_ns = (int64_t)seconds * 1000 * 1000 * 1000 + fraction;
    *at = p;
    return true;
}
