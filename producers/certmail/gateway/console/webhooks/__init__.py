"""Webhooks in the console: the list, one endpoint's page, its forms and its actions.

`webhook_pages` shows them; `routes` says which address leads where.
"""
