"""A reminder's life in a worker: read `deliver` in deliver.py from top to bottom.

send_failures.py judges what Gmail answers, settlement.py decides what follows.
"""
