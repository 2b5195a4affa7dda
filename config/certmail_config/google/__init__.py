"""What certmail knows of Google: the token protocol, its refusals, the pages of its consoles.

Pure: requests are made by the worker and the gateway.
"""
