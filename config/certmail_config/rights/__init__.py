"""What each process may do in Redis, and the rules of Redis's own that allow no more than that.

`touches` reads the ledger's scripts; `roles` adds what each process does beside them; `rules` writes
both as Redis wants it.
"""
