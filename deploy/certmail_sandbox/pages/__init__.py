"""The sandbox's own pages for people: mailboxes and messages."""
