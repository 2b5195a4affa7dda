"""Linking a Google account: from the callback to a question, and on to a connection that works.

Start with `linking`, which tells it from beginning to end.
"""
