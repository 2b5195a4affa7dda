"""What certmail knows of Google without asking: the token protocol, its refusals, its consoles' pages.

Pure: requests are made by the worker and the gateway.
"""
