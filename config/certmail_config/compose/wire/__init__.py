"""The mail as it is on the wire (RFC 5322): its headers, its bodies, and both in one message.

Start at `message`. The bytes are ours, and the same on every release of Python: evidence hashes
them. The standard library's `EmailMessage`, which took three quarters of a mail's composing, is
their judge in the tests.
"""
