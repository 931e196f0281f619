/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's shared files, as botocore reads them: what is indented deeper than the name before it belongs to that name
 * (nested settings: "s3 =" and its lines), and a section or a name that comes again adds to, or wins over, the first.
 * Refuses nothing: a line that makes no sense is passed over, as other tools do.
 */
#include "format/ini.h"

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

/* Is the "[NAME]" or "[profile NAME]" in this line the wanted section? */
static bool header_is(struct span line, const char *section)
{
    static const char profile[] = "profile";
    const char *end = memchr(line.text, ']', line.size);
    struct span name;

    if (!end)
        return false; /* whose the lines below are is anybody's guess: nobody's */
    name = trim((struct span){line.text + 1, (size_t)(end - line.text) - 1});
    if (span_is(name, section))
        return true;
    if (name.size < sizeof(profile) || memcmp(name.text, profile, sizeof(profile) - 1) != 0 ||
        !is_blank(name.text[sizeof(profile) - 1]))
        return false;
    return span_is(trim((struct span){name.text + sizeof(profile) - 1, name.size - sizeof(profile) + 1}), section);
}

/* The text of value if line reads "name = value". A NUL in it would cut it short unseen: no value then. */
static bool line_value(struct span line, const char *name, struct span *ret)
{
    const char *equals = memchr(line.text, '=', line.size);
    struct span key, value;

    if (!equals)
        return false;
    key = trim((struct span){line.text, (size_t)(equals - line.text)});
    value = trim((struct span){equals + 1, (size_t)(line.text + line.size - equals) - 1});
    if (key.size != strlen(name) || strncasecmp(key.text, name, key.size) != 0 ||
        (value.size > 0 && memchr(value.text, '\0', value.size)))
        return false;
    *ret = value;
    return true;
}

/* Whether the section is there; and, if name is given, whether and with which value name is in it. */
static bool find(const char *data, size_t size, const char *section, const char *name, struct span *ret_value)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    struct span rest = {data, size}, line;
    bool inside = false, found = false, after_name = false;
    size_t indent = 0; /* of the last name */

    if (size >= 3 && memcmp(data, byte_order_mark, 3) == 0)
        rest = (struct span){data + 3, size - 3};
    while (next_line(&rest, &line)) {
        struct span text = trim(line);
        size_t depth = (size_t)(text.text - line.text);

        if (text.size == 0 || text.text[0] == '#' || text.text[0] == ';' || (after_name && depth > indent))
            continue;
        if (text.text[0] == '[') {
            inside = header_is(text, section);
            found |= inside && !name;
            after_name = false;
            continue;
        }
        indent = depth;
        after_name = true;
        if (inside && name && line_value(text, name, ret_value))
            found = true;
    }
    return found;
}

int ini_get(const char *data, size_t size, const char *section, const char *name, char **ret)
{
    struct span value = {0};
    char *copy;

    if (!find(data, size, section, name, &value))
        return -ENOENT;
    copy = strndup(value.text, value.size);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

int ini_has_section(const char *data, size_t size, const char *section)
{
    return find(data, size, section, NULL, NULL) ? 0 : -ENOENT;
}
