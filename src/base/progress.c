/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawing, at most ten times a second.
 */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { DRAW_EVERY_MS = 100, NAME_WIDTH = 24, BAR_MOST = 40, REST_WIDTH = 52 };

void progress_begin(struct progress *p, const char *name)
{
    const char *slash = strrchr(name, '/');

    *p = (struct progress){
        .name = slash && slash[1] ? slash + 1 : name, .terminal = isatty(STDERR_FILENO), .begun_ms = clock_mono_ms()};
}

void progress_skip(struct progress *p, uint64_t bytes)
{
    p->first = bytes;
}

static int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void draw_unbounded(const struct progress *p, uint64_t done, uint64_t speed, uint64_t ms)
{
    char name[NAME_WIDTH + 1], have[TEXT_SIZE_MAX], rate[TEXT_SIZE_MAX], time[TEXT_DURATION_MAX];

    fprintf(stderr, "\r\033[K%-*s %9s %9s/s  %s", NAME_WIDTH, text_printable(p->name, name, sizeof(name)),
            text_format_size(done, have), text_format_size(speed, rate), text_format_duration(ms / 1000, time));
}

static void draw_bar(const struct progress *p, uint64_t done, uint64_t total, uint64_t speed)
{
    char name[NAME_WIDTH + 1], have[TEXT_SIZE_MAX], all[TEXT_SIZE_MAX], rate[TEXT_SIZE_MAX], left[TEXT_DURATION_MAX];
    char bar[BAR_MOST * 3 + 1] = "";
    int width = terminal_width() - NAME_WIDTH - REST_WIDTH, filled;

    width = width > BAR_MOST ? BAR_MOST : width;
    filled = width > 0 ? (int)((double)done / (double)total * width) : 0;
    for (int i = 0; i < width; i++)
        memcpy(bar + (size_t)i * 3, i < filled ? "█" : "░", 4);
    fprintf(stderr, "\r\033[K%-*s %s %3u%% %9s of %-9s %9s/s  %s left", NAME_WIDTH,
            text_printable(p->name, name, sizeof(name)), bar, (unsigned)(done * 100 / total),
            text_format_size(done, have), text_format_size(total, all), text_format_size(speed, rate),
            speed ? text_format_duration((total - done) / speed, left) : "-:--");
}

static void draw(struct progress *p, uint64_t done, uint64_t total, uint64_t now)
{
    uint64_t ms = now - p->begun_ms, speed = done > p->first ? (done - p->first) * 1000 / (ms ? ms : 1) : 0;

    p->drawn_ms = now;
    p->drawn = true;
    if (total == 0 || done > total)
        draw_unbounded(p, done, speed, ms);
    else
        draw_bar(p, done, total, speed);
    fflush(stderr);
}

void progress_show(struct progress *p, uint64_t done, uint64_t total)
{
    uint64_t now = clock_mono_ms();

    if (p->terminal && now - p->drawn_ms >= DRAW_EVERY_MS)
        draw(p, done, total, now);
}

void progress_end(struct progress *p, uint64_t done, uint64_t total)
{
    if (p->terminal) {
        draw(p, done, total, clock_mono_ms());
        fputc('\n', stderr);
    }
    p->drawn = false;
}

void progress_clear(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
