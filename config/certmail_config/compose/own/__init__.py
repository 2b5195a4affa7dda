"""A tenant's own words and look in a mail: `tenant_words` says them, `known` is what they may name."""
