"""The conversation and the platforms on which it is held."""
