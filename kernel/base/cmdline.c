#include <kernel/base/cmdline.h>
#include <kernel/base/printk.h>
#include <lib/string.h>

/* Written by cmdline_init only, constant after. */
static char text[CMDLINE_BYTES];
static const char *options[CMDLINE_ARGS_MAX];
static unsigned noptions;
static const char *init_args[CMDLINE_ARGS_MAX + 1];
static unsigned ninit_args;

/* Unquotes the word at *from in place and steps over it.  NULL at the end of the line. */
static const char *word_next(char **from)
{
    char *in = *from;
    while (*in == ' ')
        in++;
    if (!*in)
        return NULL;
    char *word = in, *out = in; /* the unquoted word is never longer than what was read */
    bool quoted = false;
    for (; *in && (quoted || *in != ' '); in++) {
        if (*in == '"') {
            quoted = !quoted;
            continue;
        }
        if (*in == '\\' && in[1])
            in++;
        *out++ = *in;
    }
    *from = *in ? in + 1 : in;
    *out = '\0';
    return word;
}

static void list_add(const char **list, unsigned *n, const char *word)
{
    if (*n < CMDLINE_ARGS_MAX)
        list[(*n)++] = word;
    else
        printk("command line: more than %d words, \"%s\" is ignored\n", CMDLINE_ARGS_MAX, word);
}

void cmdline_init(const char *line)
{
    noptions = ninit_args = 0;
    if (str_copy(text, line, sizeof(text)) >= sizeof(text))
        printk("command line: longer than %d bytes, cut\n", CMDLINE_BYTES - 1);

    bool for_init = false;
    char *from = text;
    for (const char *word; (word = word_next(&from));) {
        if (for_init)
            list_add(init_args, &ninit_args, word);
        else if (strcmp(word, "--") == 0)
            for_init = true;
        else
            list_add(options, &noptions, word);
    }
    init_args[ninit_args] = NULL;
}

/* A word that comes later wins, so that a script can append to a line. */
const char *cmdline_get(const char *name)
{
    size_t n = strlen(name);
    for (unsigned i = noptions; i > 0; i--) {
        const char *option = options[i - 1];
        if (strncmp(option, name, n) != 0)
            continue;
        if (option[n] == '\0')
            return option + n;
        if (option[n] == '=')
            return option + n + 1;
    }
    return NULL;
}

bool cmdline_has(const char *name, const char *word)
{
    size_t n = strlen(word);
    for (const char *list = cmdline_get(name); list && *list;) {
        const char *end = strchr(list, ',');
        size_t length = end ? (size_t)(end - list) : strlen(list);
        if (length == n && strncmp(list, word, n) == 0)
            return true;
        list = end ? end + 1 : NULL;
    }
    return false;
}

unsigned long cmdline_u64(const char *name, unsigned long default_value)
{
    const char *value = cmdline_get(name);
    if (!value)
        return default_value;
    unsigned long number;
    const char *end;
    if (!str_to_u64(value, &end, &number) || *end) {
        printk("command line: %s=%s is not a number, %lu is used\n", name, value, default_value);
        return default_value;
    }
    return number;
}

unsigned cmdline_init_args(const char *const **argv)
{
    *argv = init_args;
    return ninit_args;
}
