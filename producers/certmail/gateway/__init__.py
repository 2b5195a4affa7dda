"""The gateway: what browsers and upstream applications reach by HTTP; it never sends a mail.

Start with `app`, which puts the `api`, the `console` and `oauth` together; `listener` bounds the
connections below them.
"""
