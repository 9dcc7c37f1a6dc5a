/* The kernel command line: first byte, how the text is repeated to reach the limits; then the text.
 */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/host_support.h"
#include <kernel/base/cmdline.h>

/* ---- the words of cmdline.h, said a second time */

static char words[CMDLINE_BYTES][CMDLINE_BYTES]; /* a line has fewer words than bytes */
static unsigned nwords;

/* One word from `s` into `to`; where the line goes on. */
static const char *ref_word(const char *s, char *to)
{
    bool quoted = false;
    while (*s && (quoted || *s != ' ')) {
        if (*s == '"')
            quoted = !quoted;
        else if (*s == '\\' && s[1])
            *to++ = *++s;
        else
            *to++ = *s;
        s++;
    }
    *to = '\0';
    return s;
}

static void ref_split(const char *line)
{
    char cut[CMDLINE_BYTES];
    snprintf(cut, sizeof(cut), "%s", line);
    nwords = 0;
    for (const char *s = cut;;) {
        while (*s == ' ')
            s++;
        if (!*s)
            return;
        s = ref_word(s, words[nwords++]);
    }
}

/* Index of the "--", or the number of words. */
static unsigned ref_options_end(void)
{
    unsigned i = 0;
    while (i < nwords && strcmp(words[i], "--") != 0)
        i++;
    return i;
}

/* The value of the last option of this name. */
static const char *ref_get(const char *name, unsigned noptions)
{
    const char *found = NULL;
    size_t n = strlen(name);
    for (unsigned i = 0; i < MIN(noptions, (unsigned)CMDLINE_ARGS_MAX); i++) {
        if (strcmp(words[i], name) == 0)
            found = "";
        else if (strncmp(words[i], name, n) == 0 && words[i][n] == '=')
            found = words[i] + n + 1;
    }
    return found;
}

static bool ref_has(const char *value, const char *word)
{
    char list[CMDLINE_BYTES + 2], item[CMDLINE_BYTES + 2];
    if (!value || !*value)
        return false;
    snprintf(list, sizeof(list), ",%s,", value);
    snprintf(item, sizeof(item), ",%s,", word);
    return strstr(list, item) != NULL;
}

/* What cmdline_u64 makes of it: digits, or 0x and hexadecimal digits, and nothing else. */
static unsigned long ref_number(const char *value)
{
    char *end;
    int base = 10;
    if (value && value[0] == '0' && (value[1] == 'x' || value[1] == 'X')) {
        base = 16;
        value += 2;
    }
    if (!value || !(base == 16 ? isxdigit((uint8_t)*value) : isdigit((uint8_t)*value)))
        return 77;
    errno = 0;
    unsigned long number = strtoul(value, &end, base);
    return errno || *end || (base == 16 && strchr("xX", value[1]) && value[1]) ? 77 : number;
}

/* ---- the comparison */

static void check_option(const char *name, unsigned noptions)
{
    const char *want = ref_get(name, noptions), *got = cmdline_get(name);
    CHECK(!want == !got, "\"%s\" is there or not", name);
    CHECK(!want || strcmp(want, got) == 0, "\"%s\": \"%s\", not \"%s\"", name, got, want);
    /* A word with a comma is two words of the list. */
    static const char *const items[] = {"a", "syscall", "", "a=b"};
    for (unsigned i = 0; i < ARRAY_LEN(items); i++) {
        bool empty_last = !*items[i] && want && *want && want[strlen(want) - 1] == ',';
        CHECK(empty_last || cmdline_has(name, items[i]) == ref_has(want, items[i]), "%s in %s",
              items[i], name);
    }
    CHECK(cmdline_u64(name, 77) == ref_number(want), "%s as a number", name);
}

static void check_options(unsigned noptions)
{
    check_option("a", noptions);
    check_option("", noptions);
    check_option("trace", noptions);
    for (unsigned i = 0; i < MIN(noptions, 70u); i++) {
        char *name = strdup(words[i]);
        check_option(name, noptions);
        char *equals = strchr(name, '=');
        if (equals) {
            *equals = '\0';
            check_option(name, noptions);
        }
        free(name);
    }
}

static void check_init_args(unsigned first)
{
    const char *const *argv;
    unsigned n = cmdline_init_args(&argv);
    CHECK(n == MIN(nwords - first, (unsigned)CMDLINE_ARGS_MAX), "%u arguments of %u words", n,
          nwords - first);
    for (unsigned i = 0; i < n; i++)
        CHECK(strcmp(argv[i], words[first + i]) == 0, "argument %u", i);
    CHECK(argv[n] == NULL, "no end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    unsigned times = 1 + (take_byte(&in) % 4 == 3 ? take_byte(&in) : 0);
    size_t n = input_left(&in);
    char *line = malloc(times * n + 1);
    for (unsigned i = 0; i < times; i++)
        memcpy(line + i * n, in.at, n);
    line[times * n] = '\0';
    host_console_clear();
    cmdline_init(line);
    ref_split(line);
    free(line); /* cmdline_init has made a copy */
    unsigned noptions = ref_options_end();
    check_options(noptions);
    check_init_args(MIN(noptions + 1, nwords));
    return 0;
}
