"""When what waits will have left, worked out from the ledger by a fluid model of pacing.

Start at `Forecaster` in forecaster.py; model.py and fair_shares.py, which it fills, are pure.
"""
