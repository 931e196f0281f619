/* SPDX-License-Identifier: Apache-2.0
 *
 * Flag before environment before default; every type's bad value is named with where it came from; help, markdown and
 * roff say what the table says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"

struct options {
    const char *to;
    struct opt_list include;
    uint64_t threads, memory, settle_ms;
    bool keep, recursive;
    int log;
};

static const struct opt TABLE[] = {
    {OPT_HEADING, .name = "Store"},
    {OPT_STRING, 't', "to", "URL", NULL, offsetof(struct options, to), "where to"},
    {OPT_HEADING, .name = "Shipping"},
    {OPT_FLAG, 'k', "keep", NULL, NULL, offsetof(struct options, keep), "keep the local copy <really> after a|b *"},
    {OPT_FLAG, 'r', "recursive", NULL, NULL, offsetof(struct options, recursive), "folders below, too"},
    {OPT_LIST, 'i', "include", "GLOB", "*.hprof core core.*", offsetof(struct options, include), "names"},
    {OPT_UINT, 'n', "threads", "N", "0", offsetof(struct options, threads), "that compress"},
    {OPT_SIZE, 0, "memory", "SIZE", "64M", offsetof(struct options, memory),
     "ceiling of the worker process, which is not passed whatever the dump's size may be"},
    {OPT_DURATION, 0, "settle-time", "DURATION", "5s", offsetof(struct options, settle_ms), ".begins with a dot \\"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct options, log), "form of the log"},
    {OPT_EXCLUDES, .name = "to", .arg = "keep"},
    {OPT_EXCLUDES, .name = "threads", .arg = OPT_OPERANDS},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static const char *const VARIABLES[] = {"SALVAGE_TO",      "SALVAGE_KEEP",   "SALVAGE_RECURSIVE",   "SALVAGE_INCLUDE",
                                        "SALVAGE_THREADS", "SALVAGE_MEMORY", "SALVAGE_SETTLE_TIME", "SALVAGE_LOG",
                                        "COLUMNS",         "NO_COLOR"};

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(VARIABLES); i++)
        unsetenv(VARIABLES[i]);
    return 0;
}

static struct options o;
static char **operands;
static struct err e;

/* Parses "command" and the given arguments into o, operands and e. */
static int parse(const char *first, ...)
{
    static char *argv[16];
    int argc = 1;
    va_list args;

    argv[0] = "command";
    va_start(args, first);
    for (const char *a = first; a; a = va_arg(args, const char *))
        argv[argc++] = (char *)(uintptr_t)a;
    va_end(args);
    argv[argc] = NULL;
    free(operands);
    operands = NULL;
    o = (struct options){0};
    e.msg[0] = '\0';
    return opt_parse(TABLE, &(struct opt_argv){argc, argv}, &o, &operands, &e);
}

#define PARSE(...) parse(__VA_ARGS__, NULL)

#define ASSERT_REFUSED(message, ...)                                                                                   \
    do {                                                                                                               \
        assert_int_equal(PARSE(__VA_ARGS__), -FAULT_USAGE);                                                            \
        assert_string_equal(e.msg, message);                                                                           \
        assert_null(operands);                                                                                         \
    } while (0)

static int free_operands(void **state)
{
    (void)state;
    free(operands);
    operands = NULL;
    return clear_environment(state);
}

static void without_anything_the_defaults_hold(void **state)
{
    (void)state;
    assert_int_equal(parse(NULL), 0);
    assert_null(o.to);
    assert_false(o.keep);
    assert_int_equal(o.include.count, 3);
    assert_string_equal(o.include.item[0], "*.hprof");
    assert_string_equal(o.include.item[2], "core.*");
    assert_int_equal(o.threads, 0);
    assert_int_equal(o.memory, 64 << 20);
    assert_int_equal(o.settle_ms, 5000);
    assert_int_equal(o.log, 0);
    assert_non_null(operands);
    assert_null(operands[0]);
}

static void the_environment_wins_over_the_defaults(void **state)
{
    (void)state;
    setenv("SALVAGE_TO", "s3://env", 1);
    setenv("SALVAGE_KEEP", "Yes", 1);
    setenv("SALVAGE_INCLUDE", "  a\tb\nc ", 1);
    setenv("SALVAGE_THREADS", "7", 1);
    setenv("SALVAGE_MEMORY", "1.5G", 1);
    setenv("SALVAGE_SETTLE_TIME", "250ms", 1);
    setenv("SALVAGE_LOG", "json", 1);
    assert_int_equal(parse(NULL), 0);
    assert_string_equal(o.to, "s3://env");
    assert_true(o.keep);
    assert_int_equal(o.include.count, 3);
    assert_string_equal(o.include.item[0], "a");
    assert_string_equal(o.include.item[1], "b");
    assert_string_equal(o.include.item[2], "c");
    assert_int_equal(o.threads, 7);
    assert_int_equal(o.memory, 3ull << 29);
    assert_int_equal(o.settle_ms, 250);
    assert_int_equal(o.log, 1);
}

static void flags_win_over_the_environment(void **state)
{
    (void)state;
    setenv("SALVAGE_TO", "s3://env", 1);
    setenv("SALVAGE_KEEP", "1", 1);
    setenv("SALVAGE_INCLUDE", "a b c", 1);
    setenv("SALVAGE_MEMORY", "nonsense", 1); /* not looked at */
    setenv("SALVAGE_LOG", "json", 1);
    assert_int_equal(PARSE("--to", "s3://flag", "--no-keep", "--include", "x y", "--include=z", "--memory=32M", "--log",
                           "text", "--settle-time", "1m"),
                     0);
    assert_string_equal(o.to, "s3://flag");
    assert_false(o.keep);
    assert_int_equal(o.include.count, 2);
    assert_string_equal(o.include.item[0], "x y"); /* a file's name may have a space */
    assert_string_equal(o.include.item[1], "z");
    assert_int_equal(o.memory, 32 << 20);
    assert_int_equal(o.settle_ms, 60000);
    assert_int_equal(o.log, 0);
}

static void a_flag_wins_over_a_variable_that_it_excludes(void **state)
{
    (void)state;
    setenv("SALVAGE_TO", "s3://env", 1);
    assert_int_equal(PARSE("--keep"), 0);
    assert_true(o.keep);
    assert_null(o.to);
    assert_int_equal(PARSE("--no-keep"), 0); /* turned off, it excludes nothing */
    assert_string_equal(o.to, "s3://env");
    setenv("SALVAGE_KEEP", "1", 1);
    assert_int_equal(PARSE("--to", "s3://flag"), 0);
    assert_string_equal(o.to, "s3://flag");
    assert_false(o.keep);
    assert_int_equal(parse(NULL), 0); /* both from the environment, or both from the command line: the command's */
    assert_true(o.keep && o.to);
    assert_int_equal(PARSE("--keep", "--to", "s3://flag"), 0);
    assert_true(o.keep && o.to);
}

static void operands_win_over_a_variable_that_excludes_them(void **state)
{
    (void)state;
    setenv("SALVAGE_THREADS", "7", 1);
    assert_int_equal(PARSE("file"), 1);
    assert_int_equal(o.threads, 0);
    assert_int_equal(parse(NULL), 0);
    assert_int_equal(o.threads, 7);
}

static void an_empty_variable_is_none(void **state)
{
    (void)state;
    setenv("SALVAGE_MEMORY", "", 1);
    setenv("SALVAGE_INCLUDE", "", 1);
    setenv("SALVAGE_KEEP", "", 1);
    assert_int_equal(parse(NULL), 0);
    assert_int_equal(o.memory, 64 << 20);
    assert_int_equal(o.include.count, 3);
    assert_false(o.keep);
}

static void an_empty_value_on_the_command_line_is_one(void **state)
{
    (void)state;
    setenv("SALVAGE_TO", "s3://env", 1);
    assert_int_equal(PARSE("--to="), 0);
    assert_string_equal(o.to, "");
    assert_int_equal(PARSE("--to", ""), 0);
    assert_string_equal(o.to, "");
}

static void letters_may_be_joined(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-kr", "-tURL", "-n", "5", "-ia", "-i", "b"), 0);
    assert_true(o.keep && o.recursive);
    assert_string_equal(o.to, "URL");
    assert_int_equal(o.threads, 5);
    assert_int_equal(o.include.count, 2);
    assert_int_equal(PARSE("-rkn12", "-t=x"), 0);
    assert_true(o.keep && o.recursive);
    assert_int_equal(o.threads, 12);
    assert_string_equal(o.to, "=x");
}

static void the_last_of_two_wins(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--to", "a", "--keep", "--to", "b", "--no-keep"), 0);
    assert_string_equal(o.to, "b");
    assert_false(o.keep);
}

static void operands_may_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(PARSE("one", "--keep", "two", "-", "--to", "x", "", "--", "--keep", "--", "-z"), 7);
    assert_string_equal(operands[0], "one");
    assert_string_equal(operands[1], "two");
    assert_string_equal(operands[2], "-");
    assert_string_equal(operands[3], "");
    assert_string_equal(operands[4], "--keep");
    assert_string_equal(operands[5], "--");
    assert_string_equal(operands[6], "-z");
    assert_null(operands[7]);
}

static void a_value_may_look_like_an_option(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--to", "--keep"), 0);
    assert_string_equal(o.to, "--keep");
    assert_false(o.keep);
    assert_int_equal(PARSE("--to=a=b"), 0);
    assert_string_equal(o.to, "a=b");
}

static void unknown_options_get_a_hint_when_close(void **state)
{
    (void)state;
    ASSERT_REFUSED("unknown option --rec: did you mean --recursive? (see --help)", "--rec");
    ASSERT_REFUSED("unknown option --recusrive: did you mean --recursive? (see --help)", "--recusrive");
    ASSERT_REFUSED("unknown option --memroy: did you mean --memory? (see --help)", "--memroy=64M");
    ASSERT_REFUSED("unknown option --kep: did you mean --keep? (see --help)", "--kep");
    ASSERT_REFUSED("unknown option --frobnicate: see --help", "--frobnicate");
    ASSERT_REFUSED("unknown option --no-to: see --help", "--no-to", "x");
    ASSERT_REFUSED("unknown option --: see --help", "--=x");
    ASSERT_REFUSED("unknown option --Store: see --help", "--Store");
    ASSERT_REFUSED("unknown option -z: see --help", "-z");
    ASSERT_REFUSED("unknown option -kz: see --help", "-kz");
    ASSERT_REFUSED("unknown option -5: see --help", "-5");
}

static void a_strangers_option_is_printed_safely(void **state)
{
    char name[5000] = "--";

    (void)state;
    memset(name + 2, '\n', sizeof(name) - 3);
    assert_int_equal(PARSE(name), -FAULT_USAGE);
    assert_true(text_starts(e.msg, "unknown option --????"));
    assert_null(strchr(e.msg, '\n'));
}

static void values_must_be_where_they_belong(void **state)
{
    (void)state;
    ASSERT_REFUSED("--to needs a value: --to URL", "--to");
    ASSERT_REFUSED("--threads needs a value: --threads N", "-kn");
    ASSERT_REFUSED("--keep takes no value", "--keep=yes");
    ASSERT_REFUSED("--no-keep takes no value", "--no-keep=yes");
}

static void every_types_bad_value_is_named(void **state)
{
    (void)state;
    ASSERT_REFUSED("--threads: 'many' is not a number", "--threads", "many");
    ASSERT_REFUSED("--threads: '-1' is not a number", "-n-1");
    ASSERT_REFUSED("--threads: '18446744073709551616' is too large", "-n", "18446744073709551616");
    ASSERT_REFUSED("--memory: '64X' is not a size (like 64M)", "--memory=64X");
    ASSERT_REFUSED("--memory: '99999999T' is too large", "--memory=99999999T");
    ASSERT_REFUSED("--memory: '' is not a size (like 64M)", "--memory=");
    ASSERT_REFUSED("--settle-time: 'soon' is not a duration (like 30s, 10m or 2h)", "--settle-time", "soon");
    ASSERT_REFUSED("--log: 'xml' is none of text|json", "--log", "xml");
    ASSERT_REFUSED("--log: 'tex' is none of text|json", "--log", "tex");
    ASSERT_REFUSED("--log: '' is none of text|json", "--log", "");
    ASSERT_REFUSED("--log: 'text|json' is none of text|json", "--log", "text|json");
}

static void a_bad_variable_is_named(void **state)
{
    static const struct {
        const char *name, *value, *message;
    } bad[] = {
        {"SALVAGE_KEEP", "perhaps", "SALVAGE_KEEP: 'perhaps' is neither yes nor no"},
        {"SALVAGE_THREADS", "1.5", "SALVAGE_THREADS: '1.5' is not a number"},
        {"SALVAGE_MEMORY", "64X", "SALVAGE_MEMORY: '64X' is not a size (like 64M)"},
        {"SALVAGE_SETTLE_TIME", "5 s", "SALVAGE_SETTLE_TIME: '5 s' is not a duration (like 30s, 10m or 2h)"},
        {"SALVAGE_LOG", "JSON", "SALVAGE_LOG: 'JSON' is none of text|json"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        setenv(bad[i].name, bad[i].value, 1);
        assert_int_equal(parse(NULL), -FAULT_USAGE);
        assert_string_equal(e.msg, bad[i].message);
        unsetenv(bad[i].name);
    }
}

static void booleans_in_the_environment_have_six_words(void **state)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "YES"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        setenv("SALVAGE_KEEP", words[i], 1);
        assert_int_equal(parse(NULL), 0);
        assert_int_equal(o.keep, i % 2);
    }
}

static void lists_have_an_end(void **state)
{
    char words[2 * OPT_LIST_MAX + 3] = "";

    (void)state;
    for (size_t i = 0; i < OPT_LIST_MAX; i++)
        memcpy(words + 2 * i, "x ", 3);
    setenv("SALVAGE_INCLUDE", words, 1);
    assert_int_equal(parse(NULL), 0);
    assert_int_equal(o.include.count, OPT_LIST_MAX);
    memcpy(words + 2 * OPT_LIST_MAX, "y", 2);
    setenv("SALVAGE_INCLUDE", words, 1);
    assert_int_equal(parse(NULL), -FAULT_USAGE);
    assert_string_equal(e.msg, "SALVAGE_INCLUDE: more than 64 values");
}

static void variables_are_named_after_options(void **state)
{
    char out[OPT_ENVIRONMENT_MAX], name[200];

    (void)state;
    assert_string_equal(opt_environment("give-up", out), "SALVAGE_GIVE_UP");
    assert_string_equal(opt_environment("to", out), "SALVAGE_TO");
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(strlen(opt_environment(name, out)), OPT_ENVIRONMENT_MAX - 1);
}

static char *printed(void (*print)(const struct opt *, FILE *))
{
    static char *text;
    static size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    print(TABLE, out);
    fclose(out);
    return text;
}

static size_t longest_line(const char *text)
{
    size_t longest = 0;

    for (; *text; text += strspn(text, "\n")) {
        size_t size = strcspn(text, "\n");

        longest = size > longest ? size : longest;
        text += size;
    }
    return longest;
}

static void help_has_two_columns(void **state)
{
    CLEANUP_FREE char *text = printed(opt_print);

    (void)state;
    assert_string_equal(text, "Store:\n"
                              "  -t, --to URL              where to\n"
                              "\n"
                              "Shipping:\n"
                              "  -k, --keep                keep the local copy <really> after a|b *\n"
                              "  -r, --recursive           folders below, too\n"
                              "  -i, --include GLOB        names [default: *.hprof core core.*]\n"
                              "  -n, --threads N           that compress [default: 0]\n"
                              "      --memory SIZE         ceiling of the worker process, which is not passed\n"
                              "                            whatever the dump's size may be [default: 64M]\n"
                              "      --settle-time DURATION\n"
                              "                            .begins with a dot \\ [default: 5s]\n"
                              "      --log text|json       form of the log [default: text]\n"
                              "\n"
                              "Each option is also a variable in the environment: --settle-time is "
                              "SALVAGE_SETTLE_TIME.\n");
}

static void help_fits_the_terminal(void **state)
{
    CLEANUP_FREE char *narrow = NULL, *wide = NULL, *nonsense = NULL;

    (void)state;
    setenv("COLUMNS", "50", 1);
    narrow = printed(opt_print);
    *strstr(narrow, "\nEach option") = '\0';
    assert_in_range(longest_line(narrow), 40, 50);
    setenv("COLUMNS", "150", 1);
    wide = printed(opt_print);
    assert_non_null(strstr(wide, "not passed whatever the dump's size may be [default: 64M]\n"));
    setenv("COLUMNS", "3", 1);
    nonsense = printed(opt_print);
    *strstr(nonsense, "\nEach option") = '\0';
    assert_in_range(longest_line(nonsense), 60, 80);
}

static void markdown_is_a_table(void **state)
{
    CLEANUP_FREE char *text = printed(opt_print_markdown);

    (void)state;
    assert_true(text_starts(text,
                            "### Store\n\n| option | environment | default | meaning |\n|---|---|---|---|\n"
                            "| `-t, --to URL` | `SALVAGE_TO` | | where to |\n\n### Shipping\n\n"
                            "| option | environment | default | meaning |\n|---|---|---|---|\n"
                            "| `-k, --keep` | `SALVAGE_KEEP` | | keep the local copy &lt;really> after a\\|b \\* |\n"));
    assert_non_null(strstr(text, "| `--log text\\|json` | `SALVAGE_LOG` | `text` | form of the log |\n"));
    assert_non_null(strstr(text, "| `-i, --include GLOB` | `SALVAGE_INCLUDE` | `*.hprof core core.*` | names |\n"));
}

static void roff_is_escaped(void **state)
{
    CLEANUP_FREE char *text = printed(opt_print_man);

    (void)state;
    assert_true(text_starts(text, ".PP\n\\fBStore\\fR\n.TP\n\\fB\\-t\\fR, \\fB\\-\\-to\\fR \\fIURL\\fR\nwhere to\n"));
    assert_non_null(
        strstr(text, ".TP\n\\fB\\-\\-settle\\-time\\fR \\fIDURATION\\fR\n\\&.begins with a dot \\e (default: 5s)\n"));
}

static const struct command COMMAND = {
    .name = "pack",
    .args = "FILE...",
    .summary = "packs what is there",
    .text = "A first paragraph that is a good deal longer than the eighty columns of a terminal, and so is wrapped.\n\n"
            "A second one.",
    .examples = "salvage pack x\n    packs x\n",
    .options = TABLE,
};

static void a_commands_help_has_all_its_parts(void **state)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    command_print_help(&COMMAND, out);
    fclose(out);
    assert_true(text_starts(text, "usage: salvage pack FILE... [OPTION...]\n"
                                  "\n"
                                  "packs what is there\n"
                                  "\n"
                                  "A first paragraph that is a good deal longer than the eighty columns of a\n"
                                  "terminal, and so is wrapped.\n"
                                  "\n"
                                  "A second one.\n"
                                  "\n"
                                  "Store:\n"));
    assert_true(text_ends(text, "\n"
                                "\n"
                                "Examples:\n"
                                "  salvage pack x\n"
                                "      packs x\n"
                                "\n"
                                "exit codes: see salvage help exit-codes\n"));
    assert_null(strchr(text, '\033'));
}

static void a_command_may_have_a_name_only(void **state)
{
    static const struct command bare = {.name = "bare", .summary = "does nothing"};
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    command_print_help(&bare, out);
    fclose(out);
    assert_string_equal(text, "usage: salvage bare\n\ndoes nothing\n\nexit codes: see salvage help exit-codes\n");
}

/* What call(ctx) prints on a descriptor. */
static const char *captured(int fd, FILE *stream, void (*call)(void *), void *ctx)
{
    static char text[16 * 1024];
    int ends[2], saved = dup(fd);
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    fflush(stream);
    dup2(ends[1], fd);
    close(ends[1]);
    call(ctx);
    fflush(stream);
    dup2(saved, fd);
    close(saved);
    n = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

struct help_question {
    char *argv[4];
    int argc;
    bool answer;
};

static void ask_for_help(void *ctx)
{
    struct help_question *q = ctx;

    q->answer = command_wants_help(&COMMAND, q->argc, q->argv);
}

static void help_is_printed_when_asked_for(void **state)
{
    struct help_question questions[] = {
        {{"pack", "--keep", "--help", NULL}, 3, false},
        {{"pack", "-h", NULL}, 2, false},
        {{"pack", "--", "--help", NULL}, 3, false},
        {{"pack", "file", NULL}, 2, false},
        {{"--help", NULL}, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        const char *text = captured(STDOUT_FILENO, stdout, ask_for_help, &questions[i]);

        assert_int_equal(questions[i].answer, i < 2);
        assert_int_equal(text_starts(text, "usage: salvage pack "), i < 2);
    }
}

struct failure {
    int result, exit_code;
    const struct err *e;
};

static void fail_with(void *ctx)
{
    struct failure *f = ctx;

    f->exit_code = command_fail(f->result, f->e);
}

static void a_failure_is_one_line_and_an_exit_code(void **state)
{
    struct err story = {.msg = "s3: 403 for x"}, none = {0};
    struct failure denied = {-FAULT_DENIED, 0, &story}, silent = {-FAULT_USAGE, 0, &none},
                   null = {-FAULT_LATER, 0, NULL};

    (void)state;
    assert_string_equal(captured(STDERR_FILENO, stderr, fail_with, &denied), "salvage: s3: 403 for x\n");
    assert_int_equal(denied.exit_code, 30);
    assert_string_equal(captured(STDERR_FILENO, stderr, fail_with, &silent),
                        "salvage: an option or an argument is wrong\n");
    assert_int_equal(silent.exit_code, 2);
    assert_true(text_starts(captured(STDERR_FILENO, stderr, fail_with, &null), "salvage: stopped by a time limit"));
    assert_int_equal(null.exit_code, 75);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, clear_environment, free_operands)

static int leading(int argc, const char *const *argv)
{
    return opt_leading(TABLE, argc, (char **)(uintptr_t)argv);
}

#define LEADING(...)                                                                                                   \
    leading((int)ARRAY_SIZE(((const char *const[]){"run", __VA_ARGS__})), (const char *const[]){"run", __VA_ARGS__})

static void the_first_operand_can_be_found(void **state)
{
    (void)state;
    assert_int_equal(LEADING("java", "--help"), 1);
    assert_int_equal(LEADING("--to", "x", "--keep", "java", "--to", "y"), 4);
    assert_int_equal(LEADING("--to=x", "java"), 2);
    assert_int_equal(LEADING("-kr", "java"), 2);
    assert_int_equal(LEADING("-kt", "x", "java"), 3);
    assert_int_equal(LEADING("-ktx", "java"), 2);
    assert_int_equal(LEADING("--no-keep", "java"), 2);
    assert_int_equal(LEADING("--keep", "--", "--to", "java"), 3);
    assert_int_equal(LEADING("--to", "--", "java"), 3);
    assert_int_equal(LEADING("--unknown", "java"), 2);
    assert_int_equal(LEADING("-"), 1);
    assert_int_equal(LEADING(""), 1);
    assert_int_equal(LEADING("--keep"), 2);
    assert_int_equal(LEADING("--to"), 2);
    assert_int_equal(leading(1, (const char *const[]){"run"}), 1);
}

static void a_command_that_wraps_another_leaves_it_its_help(void **state)
{
    static const struct command c = {.name = "run", .summary = "runs", .options = TABLE, .wraps = true};
    char *argv[] = {"run", "--to", "x", "java", "--help", NULL};

    (void)state;
    assert_false(command_wants_help(&c, 5, argv));
}

static void options_become_arguments_again(void **state)
{
    static const char *const expected[] = {"--to=s3://b/a b", "--keep",      "--no-recursive",   "--include=a",
                                           "--include=b c",   "--threads=3", "--memory=1048576", "--settle-time=250ms",
                                           "--log=json"};
    struct options first;
    CLEANUP(strv_done) struct strv v = {0};
    struct strv none = {0};

    (void)state;
    assert_int_equal(PARSE("-t", "s3://b/a b", "-k", "-i", "a", "-i", "b c", "-n3", "--memory=1M", "--settle-time",
                           "250ms", "--log=json"),
                     0);
    first = o;
    assert_int_equal(strv_add(&v, "command"), 0);
    assert_int_equal(opt_arguments(TABLE, &o, &v), 0);
    assert_int_equal(v.count, ARRAY_SIZE(expected) + 1);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_string_equal(v.item[i + 1], expected[i]);
    free(operands);
    o = (struct options){0};
    assert_int_equal(opt_parse(TABLE, &(struct opt_argv){(int)v.count, v.item}, &o, &operands, &e), 0);
    assert_string_equal(o.to, first.to);
    assert_string_equal(o.include.item[1], "b c");
    assert_true(o.keep == first.keep && o.recursive == first.recursive && o.include.count == first.include.count &&
                o.threads == first.threads && o.memory == first.memory && o.settle_ms == first.settle_ms &&
                o.log == first.log);
    assert_int_equal(parse(NULL), 0);
    assert_int_equal(opt_arguments(TABLE, &o, &none), 0);
    assert_string_equal(none.item[0], "--no-keep"); /* what is not given is not said */
    strv_done(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_anything_the_defaults_hold),
        TEST(the_environment_wins_over_the_defaults),
        TEST(flags_win_over_the_environment),
        TEST(a_flag_wins_over_a_variable_that_it_excludes),
        TEST(operands_win_over_a_variable_that_excludes_them),
        TEST(an_empty_variable_is_none),
        TEST(an_empty_value_on_the_command_line_is_one),
        TEST(letters_may_be_joined),
        TEST(the_last_of_two_wins),
        TEST(operands_may_stand_anywhere),
        TEST(a_value_may_look_like_an_option),
        TEST(unknown_options_get_a_hint_when_close),
        TEST(a_strangers_option_is_printed_safely),
        TEST(values_must_be_where_they_belong),
        TEST(every_types_bad_value_is_named),
        TEST(a_bad_variable_is_named),
        TEST(booleans_in_the_environment_have_six_words),
        TEST(lists_have_an_end),
        TEST(variables_are_named_after_options),
        TEST(help_has_two_columns),
        TEST(help_fits_the_terminal),
        TEST(markdown_is_a_table),
        TEST(roff_is_escaped),
        TEST(a_commands_help_has_all_its_parts),
        TEST(a_command_may_have_a_name_only),
        TEST(help_is_printed_when_asked_for),
        TEST(a_failure_is_one_line_and_an_exit_code),
        TEST(the_first_operand_can_be_found),
        TEST(a_command_that_wraps_another_leaves_it_its_help),
        TEST(options_become_arguments_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
