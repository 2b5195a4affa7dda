"""The sessions of whoever looks at the console, their cookies, and limits on how often they try.

Start with `sessions`, which lets somebody in and finds them again by their cookie.
"""
