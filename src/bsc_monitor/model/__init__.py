"""The vocabulary: small frozen types, no I/O. Imports nothing else of ours."""
