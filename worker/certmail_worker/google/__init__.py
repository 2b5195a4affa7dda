"""Talking to Google: the HTTP session, access tokens, Gmail, and reading what comes back.

Each request is made once; who repeats it decides elsewhere.
"""
