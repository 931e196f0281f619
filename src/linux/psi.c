/* SPDX-License-Identifier: Apache-2.0
 *
 * "some avg10=0.12 avg60=0.00 avg300=0.00 total=626899". Numbers are the kernel's "%lu.%02lu": no locale, no strtod.
 */
#include "linux/psi.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Digits at *at, at most 19 of them. */
static bool parse_number(const char **at, uint64_t *ret)
{
    const char *begin = *at;
    uint64_t value = 0;

    for (; **at >= '0' && **at <= '9'; ++*at) {
        if (*at - begin == 19)
            return false;
        value = value * 10 + (uint64_t)(**at - '0');
    }
    *ret = value;
    return *at > begin;
}

static bool parse_text(const char **at, const char *text)
{
    if (!text_starts(*at, text))
        return false;
    *at += strlen(text);
    return true;
}

static bool parse_average(const char **at, const char *name, double *ret)
{
    uint64_t whole, hundredths;
    const char *point;

    if (!parse_text(at, name) || !parse_number(at, &whole) || !parse_text(at, "."))
        return false;
    point = *at;
    if (!parse_number(at, &hundredths) || *at - point != 2)
        return false;
    *ret = (double)whole + (double)hundredths / 100;
    return true;
}

/* The line that begins with name. */
static bool read_line(const char *text, const char *name, struct psi_line *ret)
{
    struct psi_line line;

    while (*text && !text_starts(text, name)) {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    if (!parse_text(&text, name) || !parse_average(&text, " avg10=", &line.avg10) ||
        !parse_average(&text, " avg60=", &line.avg60) || !parse_average(&text, " avg300=", &line.avg300) ||
        !parse_text(&text, " total=") || !parse_number(&text, &line.total_us) || (*text && *text != '\n'))
        return false;
    *ret = line;
    return true;
}

int psi_parse(const char *text, struct psi *ret)
{
    struct psi p = {0};

    if (!read_line(text, "some", &p.some))
        return -EINVAL;
    read_line(text, "full", &p.full);
    *ret = p;
    return 0;
}

double psi_share(uint64_t before_us, uint64_t after_us, uint64_t passed_us)
{
    double share = passed_us > 0 && after_us > before_us ? (double)(after_us - before_us) / (double)passed_us : 0;

    return share > 1 ? 1 : share;
}
