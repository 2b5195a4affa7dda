"""A reminder's life in a worker: read `deliver` in deliver.py from top to bottom.

prepare.py finds connection, token and message, attempt.py makes the request, send_failures.py
judges what Gmail answers, settlement.py decides what follows, and finish.py carries it out.
"""
