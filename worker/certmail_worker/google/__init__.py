"""Talking to Google: the HTTP session, access tokens, Gmail, and reading what comes back.

Each request is made once, by `exchange` in http.py: start there. Whether it is made again is
decided elsewhere.
"""
