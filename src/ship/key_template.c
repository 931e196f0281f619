/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys from templates. A hostile name can't leave the store's prefix ("..", a leading '/'), make a key that can't be
 * listed (ship/key_characters.h), or push {id} out of a key that is too long.
 */
#include "ship/key_template.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/key_characters.h"

const struct template_variable TEMPLATE_VARIABLES[] = {
    {"place",
     "what it belongs to: NAMESPACE/POD in Kubernetes, ecs/CLUSTER/FAMILY/TASK on ECS and Fargate, else host/HOSTNAME",
     true},
    {"namespace", "the pod's namespace", false},
    {"pod", "the pod's name", false},
    {"node", "the name of the pod's node", false},
    {"container", "the container's name", false},
    {"container_id", "the container's id, as its runtime knows it", false},
    {"image", "the container's image", false},
    {"host", "the host name", false},
    {"cluster", "ECS: the cluster's name", false},
    {"family", "ECS: the family of the task definition", false},
    {"revision", "ECS: the revision of the task definition", false},
    {"task", "ECS: the task's id", false},
    {"instance", "EC2: the instance's id", false},
    {"region", "AWS: the region", false},
    {"zone", "AWS: the availability zone", false},
    {"time", "when the file was made, in UTC: 20261121T015605Z", false},
    {"date", "the day of it, in UTC: 2026-11-21", false},
    {"cause", "why the file was made: java-oom, signal, user, manual, unknown (docs/kinds.md)", false},
    {"kind", "what the file is: heap-dump, core, hs-err, javacore, flight-recording, heap-snapshot, file", false},
    {"id", "16 hex digits: the same for the same file, another for every other", false},
    {"name", "the file's own name", false},
    {"file", "the usual name for its kind, with the codec's suffix: heap.hprof.zst", false},
    {0},
};
const char TEMPLATE_DEFAULT[] = "{place}/{time}-{cause}-{id}/{file}";

enum {
    VARIABLES = ARRAY_SIZE(TEMPLATE_VARIABLES) - 1,
    VALUE_MIN = 8,   /* bytes that each value may have at least: some whole characters, and more than dots */
    SUFFIX_MAX = 32, /* bytes; a longer suffix is not preserved when a value is cut */
    PIECES_MAX = TEMPLATE_MAX
};

/* --- the template's parts ----------------------------------------------------------------------------------------- */

enum token_type { TOKEN_TEXT, TOKEN_SLASH, TOKEN_VARIABLE, TOKEN_UNKNOWN, TOKEN_BRACE };

struct token {
    enum token_type type;
    const char *text; /* in the template; for a variable, its name */
    size_t size;
    unsigned variable; /* index of */
    bool is_id;
};

static bool token_is(const struct token *t, const char *name)
{
    return t->type == TOKEN_VARIABLE && strcmp(TEMPLATE_VARIABLES[t->variable].name, name) == 0;
}

/* The variable in braces; *p is at the opening one. */
static void take_variable(const char **p, struct token *ret)
{
    const char *name = *p + 1;
    size_t size = strcspn(name, "{}/");

    if (name[size] != '}') {
        *ret = (struct token){.type = TOKEN_BRACE, .text = *p, .size = size + 1};
        *p = name + size;
        return;
    }
    *ret = (struct token){.type = TOKEN_UNKNOWN, .text = name, .size = size};
    *p = name + size + 1;
    for (unsigned i = 0; i < VARIABLES; i++) {
        if (strlen(TEMPLATE_VARIABLES[i].name) != size || memcmp(TEMPLATE_VARIABLES[i].name, name, size) != 0)
            continue;
        ret->type = TOKEN_VARIABLE;
        ret->variable = i;
        ret->is_id = token_is(ret, "id");
    }
}

/* The token at *p, which moves behind it; false at the end. */
static bool next_token(const char **p, struct token *ret)
{
    const char *at = *p;
    enum token_type type = *at == '/' ? TOKEN_SLASH : *at == '}' ? TOKEN_BRACE : TOKEN_TEXT;
    size_t size = type == TOKEN_TEXT ? strcspn(at, "{}/") : 1;

    if (!*at)
        return false;
    if (*at == '{') {
        take_variable(p, ret);
        return true;
    }
    *ret = (struct token){.type = type, .text = at, .size = size};
    *p = at + size;
    return true;
}

/* --- checking ----------------------------------------------------------------------------------------------------- */

static int unknown_variable(const struct token *t, const char *template, struct err *e)
{
    char names[384];
    size_t used = 0;

    for (unsigned i = 0; i < VARIABLES && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, " {%s}", TEMPLATE_VARIABLES[i].name);
    return err_set(e, -FAULT_TEMPLATE, "key template '%s': no variable {%.*s}; there are%s", template, (int)t->size,
                   t->text, names);
}

struct segment_facts {
    size_t size; /* the least bytes that it needs */
    size_t tokens;
    bool named; /* has {file}, {name} or {id} */
    bool dots;  /* is "." or ".." */
};

/* The problem of a complete segment; NULL: none. */
static const char *segment_problem(const struct segment_facts *s)
{
    if (s->tokens == 0)
        return "an empty part: a '/' too much, at the beginning, at the end or in the middle";
    if (s->dots)
        return "a part that is '.' or '..'";
    if (s->size > TEMPLATE_SEGMENT_MAX)
        return "a part between two '/' that is too long: its values would have no room";
    return NULL;
}

static void segment_add(struct segment_facts *s, const struct token *t)
{
    s->dots = s->tokens == 0 && t->type == TOKEN_TEXT && key_only_dots(t->text, t->size);
    s->named |= t->is_id || token_is(t, "file") || token_is(t, "name");
    s->size += t->type == TOKEN_TEXT ? t->size : t->is_id ? TEMPLATE_ID_SIZE : VALUE_MIN;
    s->tokens++;
}

int template_check(const char *template, struct err *e)
{
    struct segment_facts segment = {0};
    const char *p = template, *problem = NULL;
    bool has_id = false;
    struct token t;

    if (!*template)
        return err_set(e, -FAULT_TEMPLATE, "the key template is empty: the default is %s", TEMPLATE_DEFAULT);
    if (strlen(template) > TEMPLATE_MAX)
        return err_set(e, -FAULT_TEMPLATE, "the key template is longer than %d bytes", TEMPLATE_MAX);
    if (!key_is_clean(template))
        return err_set(e, -FAULT_TEMPLATE, "key template '%s': control characters, or bytes that are not UTF-8",
                       template);
    while (!problem && next_token(&p, &t)) {
        if (t.type == TOKEN_BRACE)
            return err_set(e, -FAULT_TEMPLATE, "key template '%s': a brace without its other half", template);
        if (t.type == TOKEN_UNKNOWN)
            return unknown_variable(&t, template, e);
        has_id |= t.is_id;
        if (t.type != TOKEN_SLASH) {
            segment_add(&segment, &t);
            continue;
        }
        problem = segment_problem(&segment);
        segment = (struct segment_facts){0};
    }
    if (!problem)
        problem = segment_problem(&segment);
    if (!problem && !has_id)
        problem = "no {id} in it: a second dump would overwrite the first";
    if (!problem && !segment.named)
        problem = "its last part needs {file}, {name} or {id}";
    return problem ? err_set(e, -FAULT_TEMPLATE, "key template '%s': %s", template, problem) : 0;
}

/* --- filling ------------------------------------------------------------------------------------------------------ */

struct piece {
    const char *text; /* borrowed */
    size_t size;
    bool may_be_cut;
};

struct filling {
    char *value[VARIABLES]; /* sanitised */
    struct piece piece[PIECES_MAX];
    size_t pieces; /* of the current segment */
    struct buf out;
};

static void filling_done(struct filling *f)
{
    for (unsigned i = 0; i < VARIABLES; i++)
        free(f->value[i]);
    buf_done(&f->out);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The largest size that values of this segment may have. */
static size_t value_limit(const struct filling *f)
{
    size_t limit, total;

    for (limit = TEMPLATE_SEGMENT_MAX; limit > VALUE_MIN; limit--) {
        total = 0;
        for (size_t i = 0; i < f->pieces; i++)
            total += f->piece[i].may_be_cut ? smaller(f->piece[i].size, limit) : f->piece[i].size;
        if (total <= TEMPLATE_SEGMENT_MAX)
            break;
    }
    return limit;
}

/* Adds a value of more than limit bytes: its beginning, and its suffix if it has one. */
static int add_cut(struct buf *out, const struct piece *p, size_t limit)
{
    const char *dot = memrchr(p->text, '.', p->size);
    size_t suffix = dot ? (size_t)(p->text + p->size - dot) : 0;
    size_t head;
    int r;

    if (suffix > SUFFIX_MAX || suffix > limit / 2)
        suffix = 0;
    head = limit - suffix;
    while (head > 0 && ((unsigned char)p->text[head] & 0xC0) == 0x80)
        head--;
    r = buf_add(out, p->text, head);
    return r < 0 ? r : buf_add(out, p->text + p->size - suffix, suffix);
}

static int end_segment(struct filling *f)
{
    size_t limit = value_limit(f);
    int r = 0;

    for (size_t i = 0; i < f->pieces && r == 0; i++) {
        const struct piece *p = &f->piece[i];

        r = p->may_be_cut && p->size > limit ? add_cut(&f->out, p, limit) : buf_add(&f->out, p->text, p->size);
    }
    f->pieces = 0;
    return r;
}

static int add_slash(struct filling *f)
{
    int r = end_segment(f);

    return r < 0 ? r : buf_add(&f->out, "/", 1);
}

/* A value may contain slashes: each ends a segment. */
static int add_value(struct filling *f, const struct token *t)
{
    const char *text = f->value[t->variable];
    size_t size;
    int r;

    if (t->is_id) {
        f->piece[f->pieces++] = (struct piece){text, strnlen(text, TEMPLATE_ID_SIZE), false};
        return 0;
    }
    for (;; text += size + 1) {
        size = strcspn(text, "/");
        f->piece[f->pieces++] = (struct piece){text, size, true};
        if (!text[size])
            return 0;
        if ((r = add_slash(f)) < 0)
            return r;
    }
}

char *template_fill(const char *template, const char *(*value_of)(void *ctx, const char *name), void *ctx)
{
    CLEANUP(filling_done) struct filling f = {0};
    const char *p = template;
    struct token t;
    int r = 0;

    assert(value_of);
    if (strlen(template) > TEMPLATE_MAX)
        return NULL; /* not checked by the caller */
    while (r == 0 && next_token(&p, &t)) {
        if (t.type == TOKEN_VARIABLE && !f.value[t.variable]) {
            const struct template_variable *v = &TEMPLATE_VARIABLES[t.variable];

            if (!(f.value[t.variable] = key_value(value_of(ctx, v->name), v->slashes)))
                return NULL;
        }
        if (t.type == TOKEN_SLASH)
            r = add_slash(&f);
        else if (t.type == TOKEN_VARIABLE)
            r = add_value(&f, &t);
        else
            f.piece[f.pieces++] = (struct piece){t.text, t.size, false};
    }
    return r < 0 || end_segment(&f) < 0 ? NULL : buf_take(&f.out);
}

/* --- matching ----------------------------------------------------------------------------------------------------- */

/* What the next byte of a key has to be. */
enum element_type { ELEMENT_BYTE, ELEMENT_HEX, ELEMENT_VALUE, ELEMENT_PATH };

struct element {
    unsigned char type;
    char byte;
};

enum { ELEMENTS_MAX = TEMPLATE_MAX / 4 * TEMPLATE_ID_SIZE }; /* the shortest text with the most elements is {id} */

static bool element_matches(const struct element *e, char c)
{
    switch ((enum element_type)e->type) {
    case ELEMENT_BYTE:
        return c == e->byte;
    case ELEMENT_HEX:
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    case ELEMENT_VALUE:
        return key_keeps(c) || (unsigned char)c >= 0x80;
    case ELEMENT_PATH:
        return key_keeps(c) || (unsigned char)c >= 0x80 || c == '/';
    }
    return false;
}

static size_t compile(const char *template, struct element *out)
{
    const char *p = template;
    size_t n = 0;
    struct token t;

    while (next_token(&p, &t)) {
        if (t.is_id)
            for (int i = 0; i < TEMPLATE_ID_SIZE; i++)
                out[n++].type = ELEMENT_HEX;
        else if (t.type == TOKEN_VARIABLE)
            out[n++].type = TEMPLATE_VARIABLES[t.variable].slashes ? ELEMENT_PATH : ELEMENT_VALUE;
        else
            for (size_t i = 0; i < t.size; i++)
                out[n++] = (struct element){ELEMENT_BYTE, t.text[i]};
    }
    return n;
}

/* True for every key that template_fill makes. */
static bool is_key(const char *key)
{
    if (!key_is_clean(key))
        return false;
    for (;; key++) {
        size_t size = strcspn(key, "/");

        if (size == 0 || size > TEMPLATE_SEGMENT_MAX || key_only_dots(key, size))
            return false;
        key += size;
        if (!*key)
            return true;
    }
}

/* Follows all ways to read the key at once, byte by byte: the time is at most the key's length times the template's. */
bool template_match(const char *template, const char *key)
{
    struct element element[ELEMENTS_MAX] = {0};
    bool at[ELEMENTS_MAX + 1] = {true}; /* at[i]: the bytes read so far match the elements before i */
    bool next[ELEMENTS_MAX + 1];
    size_t n;

    if (strlen(template) > TEMPLATE_MAX || !is_key(key))
        return false;
    n = compile(template, element);
    for (; *key; key++) {
        memset(next, 0, n + 1);
        for (size_t i = 0; i < n; i++) {
            if (!at[i] || !element_matches(&element[i], *key))
                continue;
            next[i + 1] = true;
            next[i] |= element[i].type >= ELEMENT_VALUE; /* a value goes on */
        }
        memcpy(at, next, n + 1);
    }
    return at[n];
}
