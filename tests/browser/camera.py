"""What the browser's camera films: a still that tells left from right."""

from pathlib import Path

WIDTH = 320
HEIGHT = 240
RED = (81, 90, 240)
BLUE = (41, 240, 110)
"""As (Y, U, V)."""


def write_film(file: Path) -> None:
    """A film in Y4M, whose left half is red and whose right half is blue."""
    half = WIDTH // 2
    planes = []
    for plane in range(3):
        width, height = (half, HEIGHT) if plane == 0 else (half // 2, HEIGHT // 2)
        row = bytes([RED[plane]]) * width + bytes([BLUE[plane]]) * width
        planes.append(row * height)
    frame = b"FRAME\n" + b"".join(planes)
    file.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip C420\n".encode() + frame * 10)
