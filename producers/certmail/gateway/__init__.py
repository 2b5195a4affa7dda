"""The gateway: what browsers and upstream applications reach by HTTP.

It never composes and never sends.
"""
