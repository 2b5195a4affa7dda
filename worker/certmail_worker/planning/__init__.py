"""Planning the campaigns that run, and applying the plans to the ledger.

Start with `turn`: some reviewers of one tenant after some of another. `slices` says which, `view`
what is known of them, `known` what SQL and the record say of their mails, `applying` what is done
about the difference, `intake` how mails become jobs, `noting` when it is looked at again.
"""
