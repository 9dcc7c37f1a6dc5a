/* Files whose text the kernel makes at open: the reader sees one moment, however it reads. */
#pragma once

#include <kernel/fs/file.h>
#include <lib/radix.h>

/* A growing text.  Printing never sleeps and may be done under spin locks below RANK_KMEM. */
struct textbuf {
    struct radix pages; /* single ones, as no block would hold every table that users can fill */
    size_t len_bytes;
    err_t err; /* -ENOMEM: the text is not whole; sticky */
};

void textbuf_print(struct textbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Bytes that text_escape makes of n, with the NUL. */
#define TEXT_ESCAPED_BYTES(n) (4 * (n) + 1)

/* A name that its reader can tell from the text around it: blanks, control characters and
 * backslashes become \ooo, as in Linux's /proc.  `to` holds TEXT_ESCAPED_BYTES(strlen(from)). */
const char *text_escape(char *to, const char *from);

/* For vnode_ops.open of a vnode that makes text: `print` is called once.  -ENOMEM, -EACCES
 * (writing). */
err_t textfile_open(struct vnode *v, unsigned flags,
                    void (*print)(struct vnode *v, struct textbuf *b), struct file **out);
