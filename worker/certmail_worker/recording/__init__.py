"""From the ledger's event stream to SQL, each event exactly once: start with recorder.py.

decoding.py reads an entry, rows.py says what it means, writer.py writes it; consistency.py says
whether this Redis and this record belong together.
"""
