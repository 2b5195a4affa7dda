"""A tenant's own words and look in a mail.

`tenant_words` says them, `known` is what they may name, `plan` writes one block of them, and `blocks`
puts all of it into a letter's content.
"""
