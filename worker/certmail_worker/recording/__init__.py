"""From the ledger's event stream to SQL, each event exactly once: start with recorder.py.

decoding.py reads a batch of entries, senders.py knows whose mailboxes they name. rows.py says what
each means, folding.py what they mean together; writer.py writes that, with statements.py.
consistency.py says whether this Redis and this record belong together.
"""
