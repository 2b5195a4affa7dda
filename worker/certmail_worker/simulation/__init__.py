"""Simulation: a campaign played ahead of time, by the ledger's own scripts.

They run on a real server, under a clock that is moved. Start at `campaign_study`: how long a
campaign takes, and which limit binds.
"""
