"""A picture as an address that holds all of it."""

from base64 import b64encode


def data_url(picture: bytes, kind: str = "jpeg") -> str:
    """`data:image/jpeg;base64,…` of an encoded picture; `kind` is its format."""
    return f"data:image/{kind};base64,{b64encode(picture).decode()}"
