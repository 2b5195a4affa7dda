"""What one worker of the fleet does for all: pacing, reaping, watching connections, forgetting.

leader.py decides which; the recorder and the verifier, which it runs too, are in `recording` and
`uncertain`.
"""
