"""Mails of which nobody knows whether Gmail took them: looked for in the Sent folder, or resolved by a person.

Nothing here sends.
"""
