"""The console's pages and forms, one module for each.

Start with `views`, which shows the list and a connection; `console.routes` says which address leads
where.
"""
