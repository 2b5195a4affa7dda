"""From the ledger's event stream to SQL, each event exactly once.

consistency.py says whether this Redis and this record belong together.
"""
