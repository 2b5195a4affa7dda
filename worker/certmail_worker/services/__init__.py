"""What one worker of the fleet does for all: pacing, reaping, caring for connections, forgetting.

keeper.py, where to start, decides which worker; the recorder and the verifier, which it runs too,
are in `recording` and `uncertain`.
"""
