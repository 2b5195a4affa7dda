"""Mails of which nobody knows whether Gmail took them: looked for among the sent mails.

verifier.py is where to start. What a person decides instead is carried out by certmail_config's
admin/settling. Nothing here sends.
"""
