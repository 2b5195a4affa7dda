"""Webhooks: what upstream is told of reminders and connections, signed, and where that may be sent.

Pure, but for `posting`, the one module that sends. Start at catalogue.py.
"""
