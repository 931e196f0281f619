/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass, one word at a time.
 */
#include "base/commandline.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const char BLANKS[] = " \t\r\n";

/* The text between quotes; *at is at the opening one. */
static int next_quoted(const char **at, struct buf *word)
{
    const char quote = *(*at)++;

    for (; **at != quote; (*at)++) {
        if (quote == '"' && **at == '\\' && ((*at)[1] == '"' || (*at)[1] == '\\'))
            (*at)++;
        if (!**at)
            return -EINVAL;
        if (buf_add(word, *at, 1) < 0)
            return -ENOMEM;
    }
    (*at)++;
    return 0;
}

static int next_word(const char **at, struct buf *word)
{
    int r = 0;

    while (r == 0 && **at && !strchr(BLANKS, **at)) {
        if (**at == '"' || **at == '\'') {
            r = next_quoted(at, word);
            continue;
        }
        if (**at == '\\' && !*++(*at))
            return -EINVAL;
        r = buf_add(word, *at, 1) < 0 ? -ENOMEM : 0;
        (*at)++;
    }
    return r;
}

int commandline_split(const char *text, struct strv *ret)
{
    for (;;) {
        CLEANUP(buf_done) struct buf word = {0};
        int r;

        text += strspn(text, BLANKS);
        if (!*text)
            return 0;
        if ((r = next_word(&text, &word)) < 0 || (r = strv_add(ret, buf_text(&word))) < 0)
            return r;
    }
}
