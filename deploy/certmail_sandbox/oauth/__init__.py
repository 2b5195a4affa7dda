"""Sign-in and tokens: consent, the token endpoint and its grants, identities, public keys."""
