/* SPDX-License-Identifier: Apache-2.0
 *
 * The launcher's rules (JDK java.c, JLI_ParseArguments): the first word that is not an option ends the options.
 */
#include "hotspot/jvmcommand.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { WORD_MAX = 200, SHOWN_MAX = 2000 };

/* Options whose value is the next word (java.c, IsWhiteSpaceOption and IsLauncherOption of JDK 8 to 25). With -jar and
 * -m that word names the application. */
static bool takes_a_word(const char *option)
{
    static const char *const names[] = {
        "-cp",
        "-classpath",
        "--class-path",
        "-p",
        "--module-path",
        "--add-exports",
        "--add-modules",
        "--add-opens",
        "--add-reads",
        "--describe-module",
        "-d",
        "--source",
        "--finalization",
        "--limit-modules",
        "--patch-module",
        "--upgrade-module-path",
        "--enable-native-access",
        "--illegal-native-access",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (text_eq(option, names[i]))
            return true;
    return false;
}

bool jvmcommand_is_launcher(size_t argc, char *const *argv)
{
    return argc > 0 && text_eq(text_base_name(argv[0]), "java");
}

size_t jvmcommand_words(size_t argc, char *const *argv, size_t *ret_name)
{
    *ret_name = argc;
    for (size_t i = 1; i < argc; i++) {
        if (text_eq(argv[i], "-jar") || text_eq(argv[i], "-m") || text_eq(argv[i], "--module")) {
            *ret_name = i + 1 < argc ? i + 1 : argc;
            return i + 1 < argc ? i + 2 : argc;
        }
        if (text_starts(argv[i], "--module=")) {
            *ret_name = i;
            return i + 1;
        }
        if (takes_a_word(argv[i])) {
            i++;
        } else if (argv[i][0] != '-' && argv[i][0] != '@') {
            *ret_name = i;
            return i;
        }
    }
    return argc;
}

/* The bytes of a word that may be shown; the rest is shown as "...". */
static size_t shown_length(const char *word)
{
    static const char *const hidden[] = {
        "-D", "-javaagent:", "-agentlib:", "-agentpath:", "-XX:OnError=", "-XX:OnOutOfMemoryError=",
    };
    size_t length = strlen(word);

    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        const char *value = strchr(word, '=');

        if (text_starts(word, hidden[i]) && value && (size_t)(value - word) < length)
            length = (size_t)(value - word) + 1;
    }
    return length < WORD_MAX ? length : WORD_MAX;
}

static int add_word(struct buf *b, const char *word)
{
    size_t length = shown_length(word);
    int r = b->size > 0 ? buf_add(b, " ", 1) : 0;

    if (r == 0)
        r = buf_add(b, word, length);
    return r == 0 && word[length] ? buf_add_text(b, "...") : r;
}

char *jvmcommand_describe(size_t argc, char *const *argv)
{
    CLEANUP(buf_done) struct buf b = {0};
    size_t words = argc > 0, name, left;
    int r = 0;

    if (jvmcommand_is_launcher(argc, argv)) {
        words = jvmcommand_words(argc, argv, &name);
        words += name == words && name < argc; /* the main class */
    }
    left = argc - words;
    for (size_t i = 0; i < words && r == 0; i++) {
        if (b.size > SHOWN_MAX) {
            r = buf_add_text(&b, " ...");
            break;
        }
        r = add_word(&b, argv[i]);
    }
    if (r == 0 && left > 0)
        r = buf_printf(&b, " (%zu argument%s)", left, left == 1 ? "" : "s");
    return r < 0 ? NULL : buf_take(&b);
}
