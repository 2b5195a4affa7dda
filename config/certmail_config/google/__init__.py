"""What certmail knows of Google: the token protocol, its refusals, the pages of its consoles.

Start at oauth.py. All is pure but http.py; requests are made by the worker and the gateway.
"""
