/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's shared files, as botocore reads them: what is indented deeper than the name before it belongs to that name
 * (nested settings: "s3 =" and its lines), and a section or a name that comes again adds to, or wins over, the first.
 * Refuses nothing: a line that makes no sense is passed over, as other tools do.
 */
#include "net/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct span {
    const char *text;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct span trim(struct span s)
{
    while (s.size > 0 && is_blank(s.text[0]))
        s = (struct span){s.text + 1, s.size - 1};
    while (s.size > 0 && is_blank(s.text[s.size - 1]))
        s.size--;
    return s;
}

static bool span_is(struct span s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.text, text, s.size) == 0;
}

/* Cuts the next line off; false at the end. */
static bool next_line(struct span *rest, struct span *ret)
{
    const char *end;

    if (rest->size == 0)
        return false;
    end = memchr(rest->text, '\n', rest->size);
    *ret = (struct span){rest->text, end ? (size_t)(end - rest->text) : rest->size};
    size_t used = ret->size + (end ? 1 : 0);
    *rest = (struct span){rest->text + used, rest->size - used};
    return true;
}

/* "profile NAME" without its first word; false if that is not kind. */
static bool take_kind(struct span *name, const char *kind)
{
    size_t size = strlen(kind);

    if (name->size <= size || memcmp(name->text, kind, size) != 0 || !is_blank(name->text[size]))
        return false;
    *name = trim((struct span){name->text + size, name->size - size});
    /* [profile "two words"] */
    if (name->size >= 2 && strchr("\"'", name->text[0]) && name->text[name->size - 1] == name->text[0])
        *name = (struct span){name->text + 1, name->size - 2};
    return true;
}

/* Is the "[NAME]" in this line the wanted section? */
static bool header_is(struct span line, enum ini_kind kind, const char *section)
{
    static const char *const words[INI_KINDS] = {
        [INI_PROFILE] = "profile", [INI_SERVICES] = "services", [INI_SSO_SESSION] = "sso-session"};
    const char *end = memchr(line.text, ']', line.size);
    struct span name;

    if (!end)
        return false; /* the lines below belong to no known section */
    name = trim((struct span){line.text + 1, (size_t)(end - line.text) - 1});
    if (kind == INI_PROFILE && strcmp(section, "default") == 0 && span_is(name, section))
        return true;
    return (!words[kind] || take_kind(&name, words[kind])) && span_is(name, section);
}

/* The text of value if line reads "name = value"; where it is not nested, "name: value" is the same. A NUL in it would
 * cut it short unseen: no value then. */
static bool line_value(struct span line, const char *name, bool nested, struct span *ret)
{
    const char *delimiter = memchr(line.text, '=', line.size);
    const char *colon = nested ? NULL : memchr(line.text, ':', line.size);
    struct span key, value;

    if (colon && (!delimiter || colon < delimiter))
        delimiter = colon;
    if (!delimiter)
        return false;
    key = trim((struct span){line.text, (size_t)(delimiter - line.text)});
    value = trim((struct span){delimiter + 1, (size_t)(line.text + line.size - delimiter) - 1});
    if (key.size != strlen(name) || strncasecmp(key.text, name, key.size) != 0 ||
        (value.size > 0 && memchr(value.text, '\0', value.size)))
        return false;
    *ret = value;
    return true;
}

/* Whether the section is there; and, if a name is given, whether and with which value it is in it. */
static bool find(const char *data, size_t size, const struct ini_place *p, struct span *ret_value)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    struct span rest = {data, size}, line, value;
    bool inside = false, found = false, after_name = false, after_ours = false;
    size_t indent = 0; /* of the last name */

    if (size >= 3 && memcmp(data, byte_order_mark, 3) == 0)
        rest = (struct span){data + 3, size - 3};
    while (next_line(&rest, &line)) {
        struct span text = trim(line);
        size_t depth = (size_t)(text.text - line.text);

        if (text.size == 0 || text.text[0] == '#' || text.text[0] == ';')
            continue;
        if (after_name && depth > indent) {
            found |= after_ours && p->below && line_value(text, p->below, true, ret_value);
            continue;
        }
        if (text.text[0] == '[') {
            inside = header_is(text, p->kind, p->section);
            found |= inside && !p->name;
            after_name = after_ours = false;
            continue;
        }
        indent = depth;
        after_name = true;
        after_ours = inside && p->name && line_value(text, p->name, false, &value);
        if (!after_ours)
            continue;
        found = !p->below; /* the last one counts, and it alone */
        if (!p->below)
            *ret_value = value;
        after_ours = value.size == 0;
    }
    return found;
}

int ini_get(const char *data, size_t size, const struct ini_place *place, char **ret)
{
    struct span value = {0};
    char *copy;

    if (!find(data, size, place, &value))
        return -ENOENT;
    copy = strndup(value.text ? value.text : "", value.size);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

int ini_has_section(const char *data, size_t size, enum ini_kind kind, const char *section)
{
    const struct ini_place place = {.kind = kind, .section = section};

    return find(data, size, &place, NULL) ? 0 : -ENOENT;
}
