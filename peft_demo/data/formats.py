"""What a file is: by its name, before it is opened, and by its first bytes, where it is no picture
that can be read."""

PICTURES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ppm",
    ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif", ".mpo",
}  # fmt: skip
"""Suffixes of pictures that are read."""
INTENDED = {
    ".heic", ".heif", ".svg", ".jxl", ".dcm", ".dicom", ".ima", ".dng", ".cr2", ".cr3", ".nef",
    ".arw", ".orf", ".raf", ".rw2", ".pef", ".srw", ".psd", ".exr", ".hdr", ".npy", ".npz", ".nii",
    ".mha", ".fits", ".fit", ".ico", ".eps",
}  # fmt: skip
"""Suffixes of what a person means as a picture, although most are not read."""
TABLES = {".csv", ".tsv", ".jsonl", ".parquet", ".json", ".txt"}
OTHERS = {
    ".md", ".html", ".htm", ".xml", ".yaml", ".yml", ".py", ".ipynb", ".m", ".mat", ".pkl", ".pth",
    ".log", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ods", ".rtf", ".ini", ".cfg", ".toml",
    ".sh", ".bat", ".exe", ".dll", ".mp4", ".mov", ".avi", ".mp3", ".wav", ".lnk", ".url", ".names",
    ".cache", ".sqlite", ".db", ".h5", ".hdf5", ".tfrecord", ".arrow", ".safetensors", ".npmrc",
}  # fmt: skip
"""Suffixes of files that are never opened: not pictures, not tables."""

_RAW = "a raw photo of a camera; export it as JPEG or PNG"
_HEIC = "an HEIC photo; install pillow-heif (pip install 'peft-demo[heic]') or save it as JPEG"
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

_SIGNATURES = (
    (0, b"version https://git-lfs", "a Git LFS pointer instead of the picture; run git lfs pull"),
    (128, b"DICM", "a DICOM image; export it as PNG of 16 bits, which keeps its values"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture; save it as PNG or JPEG"),
    (0, b"\xff\x0a", "a JPEG XL picture; save it as PNG or JPEG"),
    (4, b"ftypcrx ", _RAW),
    (8, b"CR\x02", _RAW),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"MMOR", _RAW),
    (0, b"IIU\0", _RAW),
    (0, b"8BPS", "a Photoshop file; save it as PNG or JPEG"),
    (0, b"gimp xcf", "a GIMP file; export it as PNG or JPEG"),
    (0, b"v/1\x01", "an OpenEXR picture; save it as TIFF or PNG"),
    (0, b"#?RADIANCE", "a Radiance HDR picture; save it as TIFF or PNG"),
    (0, b"\x93NUMPY", "a NumPy array; save its pictures as PNG or TIFF"),
    (0, b"\x89HDF", "an HDF5 file; save its pictures as PNG or TIFF"),
    (0, b"SIMPLE  =", "a FITS image; save it as TIFF"),
    (344, b"n+1\0", "a NIfTI volume; save its slices as PNG of 16 bits"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it, or pack it as zip or tar"),
    (0, b"Rar!\x1a\x07", "a RAR archive; unpack it, or pack it as zip or tar"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"PAR1", "a parquet file; of a set of the Hub, name the set as hf:OWNER/NAME"),
    (0, b"%PDF", "a PDF"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (8, b"AVI LIST", "a video"),
    (0, b"\0\0\1\0", "an icon; save it as PNG"),
    (0, b"%!PS", "a PostScript file; save it as PNG"),
)  # fmt: skip
"""(offset, bytes, what it is)"""
_TEXTS = (
    (b"<svg", "an SVG drawing; save it as PNG"),
    (b"<!doctype html", "a web page, as of a download that failed"),
    (b"<html", "a web page, as of a download that failed"),
)


def suffix(name: str) -> str:
    """The last suffix of a file's name in lower case, ".jpg"."""
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def is_heic(start: bytes) -> bool:
    """Whether a file that begins so is an HEIC photo, whatever its brand."""
    if start[4:8] != b"ftyp":
        return False
    brands = start[8:12] + start[16:64]
    return start[8:12] in _HEIC_BRANDS and not any(brand in brands for brand in _AVIF_BRANDS)


def describe(start: bytes) -> str:
    """What a file is that begins with these bytes (1,024 of them), empty if nobody knows."""
    if is_heic(start):
        return _HEIC
    for offset, mark, what in _SIGNATURES:
        if start[offset : offset + len(mark)] == mark:
            return what
    lower = start.lower()
    for mark, what in _TEXTS:
        if mark in lower:
            return what
    if start[4:8] == b"ftyp" and start[8:12] not in _AVIF_BRANDS:
        return "a video"
    if b"DICM" in start[:200] or start[:4] in (b"\x08\0\0\0", b"\x08\0\x05\0"):
        return "a DICOM image; export it as PNG of 16 bits, which keeps its values"
    return ""
