/* Text made at open. */
#include <kernel/fs/textfile.h>
#include <kernel/phys/kmem.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct textfile {
    struct file file;
    struct textbuf text; /* constant once open */
};

static struct kmem_cache textfile_cache = KMEM_CACHE("text file", struct textfile);

static size_t textbuf_room_bytes(const struct textbuf *b)
{
    return b->text != NULL ? PAGE_BYTES << b->order : 0;
}

/* Doubles the room until it holds `bytes`. */
static err_t textbuf_grow(struct textbuf *b, size_t bytes)
{
    unsigned order = 0;

    while (order <= PMEM_ORDER_MAX && PAGE_BYTES << order < bytes)
        order++;
    struct page *page = order <= PMEM_ORDER_MAX ? page_alloc(PAGE_KERNEL, order, 0) : NULL;
    if (page == NULL)
        return -ENOMEM;
    char *text = page_to_ptr(page);
    if (b->text != NULL) {
        memcpy(text, b->text, b->len_bytes);
        page_free(ptr_to_page(b->text));
    }
    b->text = text;
    b->order = order;
    return 0;
}

static void textbuf_add(void *arg, const char *s, size_t n)
{
    struct textbuf *b = arg;

    if (b->err == 0 && b->len_bytes + n > textbuf_room_bytes(b))
        b->err = textbuf_grow(b, b->len_bytes + n);
    if (b->err != 0)
        return;
    memcpy(b->text + b->len_bytes, s, n);
    b->len_bytes += n;
}

void textbuf_print(struct textbuf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fmt_write(textbuf_add, b, fmt, ap);
    va_end(ap);
}

const char *text_escape(char *to, const char *from)
{
    char *at = to;

    for (; *from != '\0'; from++) {
        unsigned char c = (unsigned char)*from;
        if (c > ' ' && c != 0x7f && c != '\\')
            *at++ = (char)c;
        else
            at += fmt_snprint(at, 5, "\\%03o", c);
    }
    *at = '\0';
    return to;
}

static void textbuf_free(struct textbuf *b)
{
    if (b->text != NULL)
        page_free(ptr_to_page(b->text));
    b->text = NULL;
}

static long textfile_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    const struct textbuf *b = &container_of(f, struct textfile, file)->text;

    if (pos >= b->len_bytes)
        return 0;
    size_t n = MIN(to->left_bytes, b->len_bytes - (size_t)pos);
    err_t err = iobuf_put(to, b->text + pos, n);
    return err != 0 ? err : (long)n;
}

static void textfile_release(struct file *f)
{
    struct textfile *t = container_of(f, struct textfile, file);

    textbuf_free(&t->text);
    kmem_free(&textfile_cache, t);
}

static const struct file_ops textfile_ops = {
    .seekable = true,
    .read = textfile_read,
    .release = textfile_release,
};

err_t textfile_open(struct vnode *v, unsigned flags,
                    void (*print)(struct vnode *v, struct textbuf *b), struct file **out)
{
    if ((flags & O_ACCMODE) != O_RDONLY)
        return -EACCES;
    struct textfile *t = kmem_alloc(&textfile_cache);
    if (t == NULL)
        return -ENOMEM;
    print(v, &t->text);
    if (t->text.err != 0) {
        err_t err = t->text.err;
        textbuf_free(&t->text);
        kmem_free(&textfile_cache, t);
        return err;
    }
    file_init(&t->file, &textfile_ops, v, flags);
    *out = &t->file;
    return 0;
}
