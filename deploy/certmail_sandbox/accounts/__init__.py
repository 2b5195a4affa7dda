"""Who exists at Google, and what was granted to whom: accounts, service accounts, OAuth clients, tokens."""
