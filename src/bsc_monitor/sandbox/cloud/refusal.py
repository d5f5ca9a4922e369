"""Why a cost API refuses a request."""


class RefusedError(Exception):
    """A refusal by the vendor's name for it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
