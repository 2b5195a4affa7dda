"""How Google's APIs read a request and write an answer, whatever the method: parameters, JSON, `fields=`, errors."""
