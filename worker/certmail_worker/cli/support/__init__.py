"""What commands share: how they print, what they take, how one is found, run, and ends when something is wrong.

A command of its own is not here, nor anything that only one command needs.
"""
