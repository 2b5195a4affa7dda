"""`certmail preview`: mails to look at, before they leave and after.

Start at `preview`, the command. `samples` and `of_tenant` write what a tenant's mails would be, `of_job` what a
reminder's mail was, `writing` puts one on stdout.
"""
