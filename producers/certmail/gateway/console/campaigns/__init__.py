"""Campaigns in the console: the list, one campaign's page, its actions, and running a new one.

`campaign_pages` shows them; `routes` says which address leads where.
"""
