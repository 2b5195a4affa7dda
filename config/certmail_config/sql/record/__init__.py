"""The record as pages show it: how much is in which state, the hours of a day, files to take away.

Each asks what deliveries.py asks for a page, by the same indexes.
"""
