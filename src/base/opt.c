/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser: first the command line, then environment and defaults for options that were not given. opt_print.c
 * prints.
 */
#include "base/opt.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"

struct parse {
    const struct opt *table;
    unsigned count;
    void *options;
    bool *given; /* by table row */
    char **operands;
    int operand_count;
    struct err *e;
};

/* Words split from the environment and the defaults, which options borrow as long as the process lives. */
struct words {
    struct words *next;
    char text[];
};
static struct words *all_words;

const char *opt_environment(const char *name, char *out)
{
    char *to = out;

    to += snprintf(out, OPT_ENVIRONMENT_MAX, "SALVAGE_");
    for (; *name && to < out + OPT_ENVIRONMENT_MAX - 1; name++)
        *to++ = *name == '-' ? '_' : (*name >= 'a' && *name <= 'z') ? (char)(*name - 'a' + 'A') : *name;
    *to = '\0';
    return out;
}

static int bad_value(struct err *e, const char *origin, const char *value, const char *wanted)
{
    return err_set(e, -FAULT_USAGE, "%s: '%s' is %s", origin, value, wanted);
}

static int parse_choice(const char *names, const char *value, int *ret)
{
    size_t length = strlen(value);

    for (int i = 0;; i++) {
        size_t size = strcspn(names, "|");

        if (size == length && memcmp(names, value, size) == 0) {
            *ret = i;
            return 0;
        }
        if (!names[size])
            return -EINVAL;
        names += size + 1;
    }
}

static int parse_bool(const char *value, bool *ret)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(value, words[i]) == 0) {
            *ret = i % 2;
            return 0;
        }
    return -EINVAL;
}

static int add_item(struct opt_list *list, const char *origin, const char *value, struct err *e)
{
    if (list->count == OPT_LIST_MAX)
        return err_set(e, -FAULT_USAGE, "%s: more than %d values", origin, OPT_LIST_MAX);
    list->item[list->count++] = value;
    return 0;
}

/* The message for a number that was parsed with result r; wanted: what it is not. */
static int number_result(int r, const char *origin, const char *value, const char *wanted, struct err *e)
{
    if (r == -ERANGE)
        return bad_value(e, origin, value, "too large");
    return r < 0 ? bad_value(e, origin, value, wanted) : 0;
}

/* Puts a value into its field. origin is "--memory" or "SALVAGE_MEMORY". */
static int set_value(const struct parse *p, const struct opt *o, const char *origin, const char *value)
{
    void *field = (char *)p->options + o->offset;

    switch (o->type) {
    case OPT_FLAG:
        if (parse_bool(value, field) < 0)
            return bad_value(p->e, origin, value, "neither yes nor no");
        return 0;
    case OPT_STRING:
        *(const char **)field = value;
        return 0;
    case OPT_LIST:
        return add_item(field, origin, value, p->e);
    case OPT_UINT:
        return number_result(text_parse_uint(value, UINT64_MAX, field), origin, value, "not a number", p->e);
    case OPT_SIZE:
        return number_result(text_parse_size(value, field), origin, value, "not a size (like 64M)", p->e);
    case OPT_DURATION:
        return number_result(text_parse_duration(value, field), origin, value, "not a duration (like 30s, 10m or 2h)",
                             p->e);
    case OPT_CHOICE:
        if (parse_choice(o->arg, value, field) < 0)
            return err_set(p->e, -FAULT_USAGE, "%s: '%s' is none of %s", origin, value, o->arg);
        return 0;
    case OPT_END:
    case OPT_HEADING:
    case OPT_EXCLUDES:
        break;
    }
    return 0;
}

static int set_words(const struct parse *p, const struct opt *o, const char *origin, const char *value)
{
    static const char blank[] = " \t\r\n";
    struct words *words = malloc(sizeof(*words) + strlen(value) + 1);
    char *at;
    int r = 0;

    if (!words)
        return err_set(p->e, -ENOMEM, "out of memory");
    words->next = all_words;
    all_words = words;
    memcpy(words->text, value, strlen(value) + 1);
    for (at = words->text; r == 0 && *(at += strspn(at, blank));) {
        size_t size = strcspn(at, blank);
        bool last = !at[size];

        at[size] = '\0';
        r = set_value(p, o, origin, at);
        at += last ? size : size + 1;
    }
    return r;
}

static bool is_option(const struct opt *o)
{
    return o->type != OPT_END && o->type != OPT_HEADING && o->type != OPT_EXCLUDES;
}

static int unknown_option(const struct parse *p, const char *name)
{
    unsigned best = 1 + (unsigned)strlen(name) / 4;
    const char *hint = NULL;

    for (unsigned i = 0; i < p->count; i++) {
        const struct opt *o = &p->table[i];
        unsigned far;

        if (!is_option(o))
            continue;
        far = *name && text_starts(o->name, name) ? 0 : text_distance(name, o->name);
        if (far < best || (far == best && !hint)) {
            best = far;
            hint = o->name;
        }
    }
    if (hint)
        return err_set(p->e, -FAULT_USAGE, "unknown option --%s: did you mean --%s? (see --help)", name, hint);
    return err_set(p->e, -FAULT_USAGE, "unknown option --%s: see --help", name);
}

static const struct opt *find_long(const struct parse *p, const char *name)
{
    for (unsigned i = 0; i < p->count; i++)
        if (is_option(&p->table[i]) && text_eq(p->table[i].name, name))
            return &p->table[i];
    return NULL;
}

static const struct opt *find_letter(const struct parse *p, char letter)
{
    for (unsigned i = 0; i < p->count; i++)
        if (is_option(&p->table[i]) && p->table[i].letter == letter)
            return &p->table[i];
    return NULL;
}

/* Sets an option from the command line. value: NULL if it is missing. */
static int give(const struct parse *p, const struct opt *o, const char *value)
{
    char origin[OPT_ENVIRONMENT_MAX];

    snprintf(origin, sizeof(origin), "--%s", o->name);
    if (!value)
        return err_set(p->e, -FAULT_USAGE, "%s needs a value: %s %s", origin, origin, o->arg ? o->arg : "VALUE");
    p->given[o - p->table] = true;
    return set_value(p, o, origin, value);
}

/* Parses "--name", "--name=value" or "--no-name" at argv[*at]; *at moves on if the value is the next argument. */
static int parse_long(const struct parse *p, char **argv, int *at)
{
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    CLEANUP_FREE char *name = equals ? strndup(text, (size_t)(equals - text)) : strdup(text);
    const struct opt *o;

    if (!name)
        return err_set(p->e, -ENOMEM, "out of memory");
    if ((o = find_long(p, name))) {
        if (o->type == OPT_FLAG)
            return equals ? err_set(p->e, -FAULT_USAGE, "--%s takes no value", name) : give(p, o, "yes");
        return give(p, o, equals ? equals + 1 : argv[*at + 1] ? argv[++*at] : NULL);
    }
    if (text_starts(name, "no-") && (o = find_long(p, name + 3)) && o->type == OPT_FLAG)
        return equals ? err_set(p->e, -FAULT_USAGE, "--%s takes no value", name) : give(p, o, "no");
    return unknown_option(p, name);
}

/* Letters after one dash: flags, and at the end perhaps an option with a value. */
static int parse_letters(const struct parse *p, char **argv, int *at)
{
    const char *letter = argv[*at] + 1;
    int r = 0;

    for (; r == 0 && *letter; letter++) {
        const struct opt *o = find_letter(p, *letter);

        if (!o)
            return err_set(p->e, -FAULT_USAGE, "unknown option %s: see --help", argv[*at]);
        if (o->type != OPT_FLAG)
            return give(p, o, letter[1] ? letter + 1 : argv[*at + 1] ? argv[++*at] : NULL);
        r = give(p, o, "yes");
    }
    return r;
}

static int parse_arguments(struct parse *p, int argc, char **argv)
{
    bool only_operands = false;
    int r = 0;

    for (int i = 1; r == 0 && i < argc; i++) {
        if (only_operands || argv[i][0] != '-' || !argv[i][1])
            p->operands[p->operand_count++] = argv[i];
        else if (text_eq(argv[i], "--"))
            only_operands = true;
        else if (argv[i][1] == '-')
            r = parse_long(p, argv, &i);
        else
            r = parse_letters(p, argv, &i);
    }
    return r;
}

/* The option whose value is the next argument; NULL for flags, and if the value is attached. */
static const struct opt *last_letter(const struct parse *p, const char *letters)
{
    for (; *letters; letters++) {
        const struct opt *o = find_letter(p, *letters);

        if (!o || o->type != OPT_FLAG)
            return letters[1] ? NULL : o;
    }
    return NULL;
}

int opt_leading(const struct opt *table, int argc, char **argv)
{
    struct parse p = {.table = table};
    int i = 1;

    while (table[p.count].type != OPT_END)
        p.count++;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const struct opt *o = NULL;

        if (text_eq(argv[i], "--"))
            return i + 1;
        if (argv[i][1] != '-')
            o = last_letter(&p, argv[i] + 1);
        else if (!strchr(argv[i], '='))
            o = find_long(&p, argv[i] + 2);
        /* Skip a value that is the next argument. */
        if (o && o->type != OPT_FLAG && i + 1 < argc)
            i++;
    }
    return i;
}

/* Whether the command line has operands, or an option and not its --no- form. */
static bool is_asked_for(const struct parse *p, const char *name)
{
    const struct opt *o = find_long(p, name);

    if (text_eq(name, OPT_OPERANDS))
        return p->operand_count > 0;
    return o && p->given[o - p->table] && (o->type != OPT_FLAG || *(const bool *)((char *)p->options + o->offset));
}

/* Whether an option on the command line excludes this one. */
static bool is_excluded(const struct parse *p, const struct opt *o)
{
    for (unsigned i = 0; i < p->count; i++) {
        const struct opt *row = &p->table[i];

        if (row->type == OPT_EXCLUDES && ((text_eq(row->name, o->name) && is_asked_for(p, row->arg)) ||
                                          (text_eq(row->arg, o->name) && is_asked_for(p, row->name))))
            return true;
    }
    return false;
}

static int parse_elsewhere(const struct parse *p, const struct opt *o)
{
    char variable[OPT_ENVIRONMENT_MAX];
    const char *value = env_get(opt_environment(o->name, variable)), *origin = variable;

    if (!value || is_excluded(p, o)) {
        value = o->fallback;
        origin = "default";
    }
    if (!value)
        return 0;
    return o->type == OPT_LIST ? set_words(p, o, origin, value) : set_value(p, o, origin, value);
}

int opt_parse(const struct opt *table, const struct opt_argv *line, void *options, char ***ret_operands, struct err *e)
{
    CLEANUP_FREE char **operands = calloc((size_t)(line->argc > 0 ? line->argc : 0) + 1, sizeof(*operands));
    CLEANUP_FREE bool *given = NULL;
    struct parse p = {.table = table, .options = options, .operands = operands, .e = e};
    int r;

    while (table[p.count].type != OPT_END)
        p.count++;
    p.given = given = calloc(p.count + 1, sizeof(*given));
    if (!operands || !given)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = parse_arguments(&p, line->argc, line->argv)) < 0)
        return r;
    for (unsigned i = 0; i < p.count; i++)
        if (is_option(&table[i]) && !given[i] && (r = parse_elsewhere(&p, &table[i])) < 0)
            return r;
    *ret_operands = TAKE_PTR(operands);
    return p.operand_count;
}

bool opt_list_has(const struct opt_list *list, const char *text)
{
    for (unsigned i = 0; i < list->count; i++)
        if (text_eq(list->item[i], text))
            return true;
    return false;
}

bool opt_list_same(const struct opt_list *a, const struct opt_list *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!text_eq(a->item[i], b->item[i]))
            return false;
    return true;
}
