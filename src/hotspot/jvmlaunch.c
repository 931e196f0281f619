/* SPDX-License-Identifier: Apache-2.0
 *
 * First the words, as the launcher makes them; then HotSpot's options from them.
 */
#include "hotspot/jvmlaunch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jvmcommand.h"

enum { WORDS_MAX = 16 * 1024, FEATURE_FILES = 9 };

struct reader {
    const struct jvmlaunch *in;
    struct strv words;
    struct jvmopts said, flags; /* from all sources but the flags file; from the flags file */
    char *flags_file;
    bool literal; /* after --disable-@files */
    bool in_file; /* reading a VMOptionsFile, which cannot name another */
    bool unread;
};

static void reader_done(struct reader *r)
{
    strv_done(&r->words);
    jvmopts_done(&r->said);
    jvmopts_done(&r->flags);
    free(r->flags_file);
}

static bool knows_files(const struct jvmlaunch *in)
{
    return in->feature == 0 || in->feature >= FEATURE_FILES;
}

/* Calls fn for each word of an options file; an unreadable file has none. */
static int each_in_file(struct reader *r, const char *path, enum jvmopts_grammar grammar,
                        int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = JVMLAUNCH_FILE_MAX};
    int result = r->in->load(r->in->ctx, path, &text);

    if (result == -ENOMEM)
        return result;
    if (result < 0) {
        r->unread = true;
        return 0;
    }
    return jvmopts_each_word(grammar, buf_text(&text), text.size, fn, ctx);
}

/* --- words -----------------------------------------------------------------------------------------------------------
 */

static bool names_argfile(const char *word)
{
    return word[0] == '@' && word[1] && word[1] != '@';
}

static bool names_application(const struct strv *words)
{
    size_t name;

    jvmcommand_words(words->count, words->item, &name);
    return name < words->count;
}

/* Words beyond WORDS_MAX are left out. */
static int add_word(void *ctx, const char *word)
{
    struct reader *r = ctx;

    if (text_eq(word, "--disable-@files"))
        r->literal = true;
    return r->words.count == WORDS_MAX ? 0 : strv_add(&r->words, word);
}

/* A word of the launcher: an @argfile before the application's name is replaced by its words. */
static int expand_word(void *ctx, const char *word)
{
    struct reader *r = ctx;

    if (names_argfile(word) && !r->literal && knows_files(r->in) && !names_application(&r->words))
        return each_in_file(r, word + 1, JVMOPTS_ARGFILE, add_word, r);
    return add_word(r, word);
}

static int make_words(struct reader *r)
{
    const struct jvmlaunch *in = r->in;
    bool java = in->kind == JVMLAUNCH_JAVA;
    const char *more = java && knows_files(in) ? in->variable(in->ctx, "JDK_JAVA_OPTIONS") : NULL;
    int result = in->argc > 0 ? add_word(r, in->argv[0]) : 0;

    if (result == 0 && more)
        result = jvmopts_each(more, expand_word, r);
    for (size_t i = 1; i < in->argc && result == 0; i++)
        result = java ? expand_word(r, in->argv[i]) : add_word(r, in->argv[i]);
    return result;
}

/* --- HotSpot's options
 * ----------------------------------------------------------------------------------------------- */

/* The file that an option "-XX:NAME=FILE" names, also with -J in front; NULL for another option. */
static const char *file_of(const char *option, const char *name)
{
    size_t length = strlen(name);

    if (text_starts(option, "-J"))
        option += 2;
    return strncmp(option, name, length) == 0 ? option + length : NULL;
}

/* The options of a VMOptionsFile take the place of the option that names it. */
static int read_option(void *ctx, const char *option)
{
    struct reader *r = ctx;
    const char *file = file_of(option, "-XX:VMOptionsFile=");
    int result;

    if (file && !r->in_file && knows_files(r->in)) {
        r->in_file = true;
        result = each_in_file(r, file, JVMOPTS_VARIABLE, read_option, r);
        r->in_file = false;
        return result;
    }
    if (!(file = file_of(option, "-XX:Flags=")))
        return jvmopts_add(&r->said, option);
    free(r->flags_file);
    r->flags_file = strdup(file);
    return r->flags_file ? 0 : -ENOMEM;
}

static int read_flag(void *ctx, const char *option)
{
    struct reader *r = ctx;

    return jvmopts_add(&r->flags, option);
}

/* A word of a shell script, or of a command that starts `java`. */
static int read_parent_word(void *ctx, const char *word)
{
    struct reader *r = ctx;

    return names_argfile(word) ? each_in_file(r, word + 1, JVMOPTS_ARGFILE, read_option, r) : read_option(r, word);
}

static int read_variable(struct reader *r, const char *name, int (*fn)(void *ctx, const char *option))
{
    const char *value = r->in->variable(r->in->ctx, name);

    return value ? jvmopts_each(value, fn, r) : 0;
}

static int read_parent(struct reader *r)
{
    int result = read_variable(r, "JDK_JAVA_OPTIONS", read_parent_word);

    for (size_t i = 0; i < r->words.count && result == 0; i++) {
        const char *word = r->words.item[i];
        bool script = word[0] != '-' && strpbrk(word, " \t\n");

        result = script ? jvmopts_each(word, read_parent_word, r) : read_parent_word(r, word);
    }
    return result;
}

static int read_words(struct reader *r)
{
    size_t count = r->words.count, name;
    int result = 0;

    if (r->in->kind == JVMLAUNCH_PARENT)
        return read_parent(r);
    if (r->in->kind == JVMLAUNCH_JAVA)
        count = jvmcommand_words(count, r->words.item, &name);
    for (size_t i = 1; i < count && r->words.item && result == 0; i++)
        result = read_option(r, r->words.item[i]);
    return result;
}

int jvmlaunch_read(const struct jvmlaunch *in, struct jvmopts *ret, struct strv *ret_words, bool *ret_unread)
{
    assert(in->variable && in->load && (in->argc == 0 || in->argv));
    CLEANUP(reader_done) struct reader r = {.in = in, .said = JVMOPTS_NONE, .flags = JVMOPTS_NONE};
    int result = make_words(&r);

    if (result < 0 || (result = read_variable(&r, "JAVA_TOOL_OPTIONS", read_option)) < 0 ||
        (result = read_words(&r)) < 0 || (result = read_variable(&r, "_JAVA_OPTIONS", read_option)) < 0)
        return result;
    if (r.flags_file && (result = each_in_file(&r, r.flags_file, JVMOPTS_FLAGS, read_flag, &r)) < 0)
        return result;
    if ((result = jvmopts_override(&r.flags, &r.said)) < 0)
        return result;
    *ret = r.flags;
    r.flags = (struct jvmopts)JVMOPTS_NONE;
    *ret_words = r.words;
    r.words = (struct strv){0};
    *ret_unread = r.unread;
    return 0;
}

/* --- a variable without some options ---------------------------------------------------------------------------------
 */

struct writer {
    struct reader reader;
    bool launcher; /* the variable is read by the launcher, which expands @argfiles */
    bool in_argfile;
    bool (*drop)(const char *option);
    size_t dropped; /* words so far */
    bool dropped_in_file;
    struct buf text;
};

static void writer_done(struct writer *w)
{
    reader_done(&w->reader);
    buf_done(&w->text);
}

/* Quotes a word where needed: each run of characters with the quote that does not occur in it. */
static int add_quoted(struct buf *b, const char *word)
{
    int r = 0;

    if (*word && !strpbrk(word, " \t\n\v\f\r'\""))
        return buf_add_text(b, word);
    if (!*word)
        return buf_add_text(b, "''");
    while (*word && r == 0) {
        const char *quote = *word == '\'' ? "\"" : "'";
        size_t length = strcspn(word, quote);

        if ((r = buf_add_text(b, quote)) == 0 && (r = buf_add(b, word, length)) == 0)
            r = buf_add_text(b, quote);
        word += length;
    }
    return r;
}

static int append_word(struct writer *w, const char *word)
{
    int r;

    if (w->drop(word)) {
        w->dropped++;
        return 0;
    }
    r = w->text.size > 0 ? buf_add_text(&w->text, " ") : 0;
    if (r == 0 && w->in_argfile && word[0] == '@')
        r = buf_add_text(&w->text, "@"); /* in an argfile the word is literal; in the variable it would name a file */
    return r < 0 ? r : add_quoted(&w->text, word);
}

/* Whether a word names an options file; its grammar and path. */
static bool names_file(const struct writer *w, const char *word, enum jvmopts_grammar *ret, const char **ret_path)
{
    if (w->launcher && !w->in_argfile && !w->reader.literal && names_argfile(word)) {
        *ret = JVMOPTS_ARGFILE;
        *ret_path = word + 1;
        return true;
    }
    *ret = JVMOPTS_VARIABLE;
    if (!w->reader.in_file && (*ret_path = file_of(word, "-XX:VMOptionsFile=")))
        return true;
    *ret = JVMOPTS_FLAGS;
    return (*ret_path = file_of(word, "-XX:Flags="));
}

static int write_word(void *ctx, const char *word);

static int write_file(struct writer *w, const char *path, enum jvmopts_grammar grammar)
{
    bool *within = grammar == JVMOPTS_ARGFILE ? &w->in_argfile : &w->reader.in_file, before = *within;
    int r;

    *within = true;
    r = each_in_file(&w->reader, path, grammar, write_word, w);
    *within = before;
    return r;
}

/* Words of a file are inserted only if one of them was dropped; else the file stays named. */
static int write_word(void *ctx, const char *word)
{
    struct writer *w = ctx;
    size_t size = w->text.size, dropped = w->dropped;
    enum jvmopts_grammar grammar;
    const char *path;
    int r;

    if (text_eq(word, "--disable-@files"))
        w->reader.literal = true;
    if (!names_file(w, word, &grammar, &path))
        return append_word(w, word);
    if ((r = write_file(w, path, grammar)) < 0)
        return r;
    if (w->dropped == dropped) {
        w->text.size = size;
        if (w->text.data)
            w->text.data[size] = '\0';
        return append_word(w, word);
    }
    w->dropped_in_file = true;
    return 0;
}

char *jvmlaunch_without(const struct jvmlaunch *in, const char *name, bool (*drop)(const char *option))
{
    assert(in->variable && in->load && drop);
    CLEANUP(writer_done)
    struct writer w = {.reader = {.in = in, .said = JVMOPTS_NONE, .flags = JVMOPTS_NONE},
                       .launcher = text_eq(name, "JDK_JAVA_OPTIONS"),
                       .drop = drop};
    const char *value = in->variable(in->ctx, name);

    if (!value)
        value = "";
    if (jvmopts_each(value, write_word, &w) < 0)
        return NULL;
    return w.dropped_in_file ? buf_take(&w.text) : jvmopts_without(value, drop);
}
