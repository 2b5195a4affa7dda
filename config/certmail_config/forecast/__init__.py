"""When what waits will have left: a fluid model of pacing, and the forecaster that fills it from the ledger.

model.py and fair_shares.py are pure.
"""
