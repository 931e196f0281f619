/* SPDX-License-Identifier: Apache-2.0
 *
 * Calendar arithmetic of our own: it needs no time zone files, no locale and no lock, and parses strictly.
 */
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char DAYS[] = "MonTueWedThuFriSatSun", MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

enum { NS_PER_MS = 1000 * 1000, NS_PER_S = 1000 * 1000 * 1000, S_PER_DAY = 24 * 60 * 60 };

struct date {
    unsigned year, month, day, hour, minute, second; /* month and day from 1 */
};

uint64_t clock_mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / NS_PER_MS;
}

uint64_t clock_mono_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int64_t clock_wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

uint64_t clock_left_ms(uint64_t until_ms)
{
    uint64_t now = clock_mono_ms();

    return now < until_ms ? until_ms - now : 0;
}

void clock_sleep_ms(uint64_t ms)
{
    struct timespec t;

    /* An absolute deadline, so that signals do not extend the sleep. */
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * NS_PER_MS;
    if (t.tv_nsec >= NS_PER_S) {
        t.tv_nsec -= NS_PER_S;
        t.tv_sec++;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

/* Days since 1970-01-01 and back, by years that begin in March (Howard Hinnant, "chrono-compatible low-level date
 * algorithms"): a leap day is then the last day of its year. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
    int64_t era, year_of_era, day_of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    year_of_era = year - era * 400;
    day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, struct date *ret)
{
    int64_t era, day_of_era, year_of_era, day_of_year, month;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    ret->day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    ret->year = (unsigned)(year_of_era + era * 400 + (ret->month <= 2));
}

/* The date of a time, and its ms. */
static unsigned split(int64_t wall_ns, struct date *ret)
{
    int64_t seconds = wall_ns / NS_PER_S, rest = wall_ns % NS_PER_S, days, of_day;

    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    days = seconds / S_PER_DAY;
    of_day = seconds % S_PER_DAY;
    if (of_day < 0) {
        of_day += S_PER_DAY;
        days--;
    }
    date_from_days(days, ret);
    ret->hour = (unsigned)(of_day / 3600);
    ret->minute = (unsigned)(of_day / 60 % 60);
    ret->second = (unsigned)(of_day % 60);
    return (unsigned)(rest / NS_PER_MS);
}

const char *clock_format(int64_t wall_ns, char *out)
{
    struct date d;
    unsigned ms = split(wall_ns, &d);

    snprintf(out, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year, d.month, d.day, d.hour, d.minute,
             d.second, ms);
    return out;
}

const char *clock_format_basic(int64_t wall_ns, char *out)
{
    struct date d;

    split(wall_ns, &d);
    snprintf(out, CLOCK_TEXT_MAX, "%04u%02u%02uT%02u%02u%02uZ", d.year, d.month, d.day, d.hour, d.minute, d.second);
    return out;
}

const char *clock_format_http(int64_t wall_ns, char *out)
{
    struct date d;
    int64_t days;

    split(wall_ns, &d);
    days = days_from_date(d.year, d.month, d.day) + 3; /* 1970-01-01 was a Thursday */
    snprintf(out, CLOCK_TEXT_MAX, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", &DAYS[3 * ((days % 7 + 7) % 7)], d.day,
             &MONTHS[(size_t)3 * (d.month - 1)], d.year, d.hour, d.minute, d.second);
    return out;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (leap && month == 2 ? 1u : 0u);
}

/* A leap second (60) counts as the first second of the next minute. */
static int join(const struct date *d, int64_t ns, int64_t *ret_wall_ns)
{
    int64_t seconds, wall_ns;

    if (d->month < 1 || d->month > 12 || d->day < 1 || d->day > days_in_month(d->year, d->month) || d->hour > 23 ||
        d->minute > 59 || d->second > 60)
        return -EINVAL;
    seconds = days_from_date(d->year, d->month, d->day) * S_PER_DAY;
    seconds += (int64_t)d->hour * 3600 + (int64_t)d->minute * 60 + d->second;
    if (__builtin_mul_overflow(seconds, (int64_t)NS_PER_S, &wall_ns) || __builtin_add_overflow(wall_ns, ns, &wall_ns))
        return -EINVAL;
    *ret_wall_ns = wall_ns;
    return 0;
}

/* Matches text with a pattern in which Y, M, D, h, m, s stand for a digit of theirs and '?' for any byte; everything
 * else for itself. The end of the match, or NULL. */
static const char *match(const char *text, const char *pattern, struct date *d)
{
    static const char letters[] = "YMDhms";
    unsigned *const fields[] = {&d->year, &d->month, &d->day, &d->hour, &d->minute, &d->second};

    for (; *pattern; pattern++, text++) {
        const char *letter = strchr(letters, *pattern);
        unsigned digit = (unsigned)(unsigned char)*text - '0';

        if (!*text)
            return NULL;
        if (letter) {
            if (digit > 9)
                return NULL;
            *fields[letter - letters] = *fields[letter - letters] * 10 + digit;
        } else if (*pattern != '?' && *pattern != *text) {
            return NULL;
        }
    }
    return text;
}

int clock_parse(const char *text, int64_t *ret_wall_ns)
{
    struct date d = {0};
    int64_t ns = 0, weight = NS_PER_S / 10;

    text = text ? match(text, "YYYY-MM-DDThh:mm:ss", &d) : NULL;
    if (!text)
        return -EINVAL;
    if (*text == '.') {
        if (*++text < '0' || *text > '9')
            return -EINVAL;
        for (; *text >= '0' && *text <= '9'; text++, weight /= 10)
            ns += (*text - '0') * weight;
    }
    return text[0] == 'Z' && !text[1] ? join(&d, ns, ret_wall_ns) : -EINVAL;
}

/* The position, from 1 on, of three letters in a row of such names; 0: not found. */
static unsigned find_name(const char *text, const char *names)
{
    for (unsigned i = 0; names[i]; i += 3)
        if (memcmp(text, names + i, 3) == 0)
            return i / 3 + 1;
    return 0;
}

int clock_parse_http(const char *text, int64_t *ret_wall_ns)
{
    struct date d = {0};
    const char *end = text ? match(text, "???, DD ??? YYYY hh:mm:ss", &d) : NULL;

    if (!end || strcmp(end, " GMT") != 0 || !find_name(text, DAYS))
        return -EINVAL;
    d.month = find_name(text + strlen("Sun, 06 "), MONTHS);
    return join(&d, 0, ret_wall_ns);
}
