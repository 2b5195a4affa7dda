"""Mails of which nobody knows whether Gmail took them: looked for, or resolved by a person.

verifier.py, where to start, looks for them among the sent mails; manual_resolution.py carries out
what a person decides. Nothing here sends.
"""
