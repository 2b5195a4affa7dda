"""Operators in the console, for admins: who they are, and what they may do.

operator_pages.py shows and adds them, operator_changes.py changes one.
"""
