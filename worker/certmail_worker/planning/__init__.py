"""Planning the campaigns that run, and applying the plans to the ledger.

Start with `turn`: which campaigns, one tenant after the other. `known` is what SQL and the record
say, `applying` what is done about the difference, `intake` how mails become jobs.
"""
