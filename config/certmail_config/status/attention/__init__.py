"""What does not go on by itself, read once for console, API and command line.

Start with `attention`.
"""
