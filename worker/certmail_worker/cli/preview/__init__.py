"""`certmail preview`: mails to look at, before they leave and after.

Start at `preview`, the command. `samples` writes what a tenant's mails would be, `writing` puts one
on stdout.
"""
