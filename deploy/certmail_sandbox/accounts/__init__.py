"""Who exists at Google, and what was granted to whom.

Accounts, service accounts, OAuth clients, projects, domains and tokens belong here, without any
HTTP. Start reading at `directory`, which holds them, and `tokens`, which were handed out.
"""
