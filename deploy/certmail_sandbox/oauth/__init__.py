"""Sign-in and tokens: consent, the token endpoint and its grants, identities, public keys.

Start reading at `consent` for the person's side, and at `token_endpoint` for the application's.
"""
