"""The API's handlers, one module for each kind of thing.

Start with `reminders`; `api.routes` says which address leads to which handler.
"""
