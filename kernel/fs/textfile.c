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

/* Where the byte at pos is, and in *bytes how many from there on, `most` or to the end of its page.
 * The page is there. */
static char *textbuf_at(const struct textbuf *b, size_t pos, size_t most, size_t *bytes)
{
    size_t offset = pos % PAGE_BYTES;

    *bytes = MIN(most, PAGE_BYTES - offset);
    return (char *)page_to_ptr(radix_get(&b->pages, pos / PAGE_BYTES)) + offset;
}

/* One more page.  -ENOMEM. */
static err_t textbuf_grow(struct textbuf *b)
{
    struct page *page = page_alloc(PAGE_KERNEL, 0, 0);

    if (page == NULL)
        return -ENOMEM;
    err_t err = radix_insert(&b->pages, &kmem_radix_ops, b->pages.count, page);
    if (err != 0)
        page_free(page);
    return err;
}

static void textbuf_add(void *arg, const char *s, size_t n)
{
    struct textbuf *b = arg;

    for (size_t bytes; n > 0 && b->err == 0; s += bytes, n -= bytes) {
        if (b->len_bytes == b->pages.count * PAGE_BYTES)
            b->err = textbuf_grow(b);
        if (b->err != 0)
            return;
        char *to = textbuf_at(b, b->len_bytes, n, &bytes);
        memcpy(to, s, bytes);
        b->len_bytes += bytes;
    }
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
    struct page *page;

    for (size_t i = 0; (page = radix_remove(&b->pages, &kmem_radix_ops, i)) != NULL; i++)
        page_free(page);
}

static long textfile_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    const struct textbuf *b = &container_of(f, struct textfile, file)->text;
    long done = 0;

    for (size_t bytes; to->left_bytes > 0 && pos < b->len_bytes; pos += bytes) {
        size_t most = MIN(to->left_bytes, b->len_bytes - (size_t)pos);
        const char *from = textbuf_at(b, (size_t)pos, most, &bytes);
        size_t moved = iobuf_put_some(to, from, bytes);
        done += (long)moved;
        if (moved < bytes)
            return done > 0 ? done : -EFAULT;
    }
    return done;
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
