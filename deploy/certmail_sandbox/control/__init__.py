"""The control API, `/_sandbox`: what a test or a demo may order and ask.

Each module answers one group of paths, which the docstring of `api` lists; start reading there.
"""
