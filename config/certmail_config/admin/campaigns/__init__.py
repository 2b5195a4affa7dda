"""What is done with campaigns that run, for command line, API and console alike.

SQL is the source. What makes a reminder unwanted is told to the ledger in the same transaction,
before anybody hears that it was done (`marks`).
"""
