"""The places where people write; each one folder or file, none knows another."""
