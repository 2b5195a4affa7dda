"""The base that producers and the worker share; neither is imported here.

Read jobs/ first (what a reminder is), then ledger/ (how its state changes).
"""
