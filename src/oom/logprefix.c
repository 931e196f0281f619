/* SPDX-License-Identifier: Apache-2.0
 *
 * Removes the parts of a prefix one by one, in any order, as long as one of the known formats matches. Foreign
 * bytes.
 */
#include "oom/logprefix.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/text.h"

enum { PIECES_MAX = 16, HOST_MAX = 256 };

static bool take_date(const char **at, struct logprefix *ret)
{
    if (!logdate_take(at, &ret->date) && !logdate_take_unix(at, &ret->date))
        return false;
    ret->dated = true;
    return true;
}

/* --- parts in brackets ----------------------------------------------------------------------------------------------
 */

/* "[ 5120.771002]", also followed by the caller ("[  T123]", CONFIG_PRINTK_CALLER, and vendors' additions), or dmesg
 * -d's "[ 5120.771002 <    0.000007>]". */
static bool take_stamp(const char **at, struct logprefix *ret)
{
    const char *p = *at, *end;
    uint64_t seconds;
    long fraction;

    if (!scan_word(&p, "["))
        return false;
    p += strspn(p, " ");
    if (!scan_number(&p, &seconds) || *p != '.')
        return false;
    fraction = logdate_fraction(&p);
    if (*p == ' ' && p[1] == '<' && (end = strchr(p, '>')))
        p = end + 1;
    if (!scan_word(&p, "]") || __builtin_mul_overflow(seconds, UINT64_C(1000000), &ret->usec) ||
        __builtin_add_overflow(ret->usec, (uint64_t)fraction / 1000, &ret->usec))
        return false;
    ret->stamped = true;
    while (*p == '[' && (end = strchr(p, ']')) && end - p < 40)
        p = end + 1;
    if (p[0] == ' ' && p[1] == '[' && strchr("TC", p[2 + strspn(p + 2, " ")]) && (end = strchr(p, ']')) && end - p < 16)
        p = end + 1;
    *at = p;
    return true;
}

/* dmesg -e: "[Mar11 04:17]", "[  +0.000007]" */
static bool take_relative(const char **at)
{
    const char *p = *at;
    int n;

    if (!scan_word(&p, "["))
        return false;
    p += strspn(p, " ");
    if (*p == '+') {
        p += strspn(p, "+0123456789.");
    } else if (!logdate_month(&p, &n) && !(isalpha((unsigned char)p[0]) && (p += 3))) {
        return false;
    } else {
        p += strspn(p, "0123456789");
        if (*p++ != ' ' || !logdate_digits(&p, 2, 2, &n) || !scan_word(&p, ":") || !logdate_digits(&p, 2, 2, &n))
            return false;
    }
    if (!scan_word(&p, "]"))
        return false;
    *at = p;
    return true;
}

static bool take_bracketed_date(const char **at, struct logprefix *ret)
{
    const char *p = *at;

    if (!scan_word(&p, "[") || !take_date(&p, ret) || !scan_word(&p, "]"))
        return false;
    scan_word(&p, ":"); /* Talos */
    *at = p;
    return true;
}

/* --- the sender -----------------------------------------------------------------------------------------------------
 */

/* "<4>" in the kernel log, "<6>1 " in RFC 5424: the priority, which includes the facility. */
static bool take_priority(const char **at, struct logprefix *ret)
{
    const char *p = *at;
    uint64_t n;

    if (!scan_word(&p, "<") || !scan_number(&p, &n) || n > 199 || !scan_word(&p, ">"))
        return false;
    scan_word(&p, "1 ");
    ret->foreign |= n / 8 != 0;
    *at = p;
    return true;
}

/* "kern  :err   : " (dmesg -x), "kern: warning: " (Talos), "10.1.1.2: kern: info: " (several machines) */
static bool take_facility(const char **at, struct logprefix *ret)
{
    static const char *const others[] = {"user", "daemon", "syslog", "auth", "authpriv", "cron", "mail", "local0"};
    const char *p = *at, *native = strstr(p, ": kern:");
    size_t size, level;

    if (native && native - p < HOST_MAX && memchr(p, ' ', (size_t)(native - p)) == NULL)
        p = native + 2;
    size = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (size == 0 || p[size + strspn(p + size, " ")] != ':')
        return false;
    if (size != 4 || memcmp(p, "kern", 4) != 0) {
        bool other = false;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
            other |= strlen(others[i]) == size && memcmp(p, others[i], size) == 0;
        if (!other)
            return false;
        ret->foreign = true;
    }
    p += size + strspn(p + size, " ") + 1;
    p += strspn(p, " ");
    level = strspn(p, "abcdefghijklmnopqrstuvwxyz");
    if (level == 0 || p[level + strspn(p + level, " ")] != ':')
        return false;
    p += level + strspn(p + level, " ") + 1;
    *at = p;
    return true;
}

/* "kernel:", "kernel[0]:", RFC 5424's "kernel - - -" */
static bool take_tag(const char **at)
{
    const char *p = *at;

    if (!scan_word(&p, "kernel"))
        return false;
    if (scan_word(&p, "[")) {
        p += strspn(p, "0123456789");
        if (!scan_word(&p, "]"))
            return false;
    }
    if (!scan_word(&p, ":") && !scan_word(&p, " - - -"))
        return false;
    *at = p;
    return true;
}

static size_t word_size(const char *text)
{
    return strcspn(text, " ");
}

/* After a date: "HOST kernel:", "HOST kern.err kernel:", "kern.err kernel:". */
static bool take_sender(const char **at, struct logprefix *ret)
{
    const char *p = *at;

    if (take_tag(at) || scan_word(at, "stdout F") || scan_word(at, "stderr F")) /* CRI's logs of containers */
        return true;
    if (!ret->dated && !ret->stamped) /* journalctl -o short-monotonic has a stamp, and the host behind it */
        return false;
    for (int words = 0; words < 2; words++) {
        size_t size = word_size(p);

        if (size == 0 || size > HOST_MAX || p[size] != ' ' || p[size - 1] == ':')
            return false;
        p += size + 1;
        if (take_tag(&p)) {
            *at = p;
            return true;
        }
        size = word_size(p);
        /* "HOST systemd[1]: ", "HOST app: " */
        if (words == 0 && size > 1 && p[size - 1] == ':' && !strstr(*at, " invoked oom-killer: "))
            ret->foreign |= ret->dated;
    }
    return false;
}

/* --- the prefix -----------------------------------------------------------------------------------------------------
 */

/* Colours of a terminal: "\033[32m". */
static bool take_colour(const char **at)
{
    const char *p = *at;

    if (!scan_word(&p, "\033["))
        return false;
    p += strspn(p, "0123456789;");
    if (!isalpha((unsigned char)*p))
        return false;
    *at = p + 1;
    return true;
}

static bool take_piece(const char **at, struct logprefix *ret)
{
    return take_colour(at) || take_priority(at, ret) || take_stamp(at, ret) || take_bracketed_date(at, ret) ||
           take_relative(at) || take_date(at, ret) || take_facility(at, ret) || take_sender(at, ret);
}

/* One blank follows each part: further blanks may belong to the text. */
static bool take_all(const char **at, struct logprefix *ret)
{
    bool any = false;

    for (int i = 0; i < PIECES_MAX && take_piece(at, ret); i++) {
        any = true;
        if (**at == ' ')
            ++*at;
    }
    return any;
}

/* "kern.log:", "messages-20250311:12:" (grep), "> " (a quotation), blanks (pasted text): if a known part follows. */
static bool take_behind(const char **at, struct logprefix *ret)
{
    const char *p = *at + strspn(*at, " \t>|");
    uint64_t line;

    if (p == *at) {
        p += strcspn(p, ": \"");
        if (p == *at || !scan_word(&p, ":"))
            return false;
        if (scan_number(&p, &line) && !scan_word(&p, ":"))
            return false;
    }
    if (!take_all(&p, ret))
        return false;
    *at = p;
    return true;
}

/* An unknown prefix ends with a time stamp in the kernel's format. */
static bool take_unknown(const char **at, struct logprefix *ret)
{
    for (const char *p = strchr(*at, '['); p; p = strchr(p + 1, '[')) {
        const char *behind = p;

        if ((p == *at || strchr(" \t>:", p[-1])) && !memchr(*at, '"', (size_t)(p - *at)) && take_stamp(&behind, ret)) {
            *at = behind + (*behind == ' ');
            return true;
        }
    }
    return false;
}

void logprefix_read(const char *line, struct logprefix *ret)
{
    struct logprefix l = {0};
    const char *at = line;

    l.found = take_all(&at, &l) || take_behind(&at, &l);
    if (!l.stamped && !l.foreign && take_unknown(&at, &l))
        l.found = true;
    l.text = at;
    *ret = l;
}
