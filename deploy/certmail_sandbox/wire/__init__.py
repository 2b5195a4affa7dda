"""How Google's APIs read a request and write an answer, whatever the method.

Parameters, JSON bodies, `fields=` and errors belong here, and nothing that is remembered. Start
reading at `errors`, then `gmail_errors`.
"""
