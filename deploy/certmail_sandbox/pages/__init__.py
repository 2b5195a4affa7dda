"""The sandbox's own pages for people: mailboxes and messages.

Start reading at `mailbox`, which has the addresses.
"""
