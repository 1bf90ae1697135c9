"""The engine: models, their life, conversations. No platform, no screen, no sentence for a person."""
