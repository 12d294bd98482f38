"""What is no picture is named for what it is, by its first bytes (F26)."""

import io

import numpy as np
import pytest
from pictures import arranged, encoded, named, tree
from PIL import Image, ImageCms

from peft_demo.contracts.errors import BadData, BadImage
from peft_demo.data import decode, formats, images, parse

HEIC = b"\0\0\0\x18ftyp%s\0\0\0\0mif1heic"
KINDS = {
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n",
    "DICOM image": bytes(128) + b"DICM" + bytes(40),
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "raw photo": b"\0\0\0\x18ftypcrx " + bytes(40),
    "Photoshop file": b"8BPS" + bytes(40),
    "OpenEXR": b"v/1\x01" + bytes(40),
    "NumPy array": b"\x93NUMPY" + bytes(40),
    "FITS image": b"SIMPLE  =" + bytes(40),
    "7z archive": b"7z\xbc\xaf\x27\x1c" + bytes(40),
    "RAR archive": b"Rar!\x1a\x07" + bytes(40),
    "gzip archive": b"\x1f\x8b" + bytes(40),
    "parquet file": b"PAR1" + bytes(40),
    "PDF": b"%PDF-1.7",
    "video": b"\0\0\0\x18ftypisom" + bytes(40),
    "web page": b"\n<!DOCTYPE html><title>404</title>",
    "SVG drawing": b'<?xml version="1.0"?><svg xmlns="x"/>',
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_named_for_what_it_is(kind):
    """F26"""
    with pytest.raises(BadImage, match=f"it looks like .*{kind}"):
        decode(KINDS[kind])


def test_folders_of_what_cannot_be_read_are_classes_all_the_same():
    """F26: a folder of DICOM files is missed by nobody."""
    names = named({"cat": 2, "dog": 2})
    dataset = arranged(
        names, {"ct/0.dcm": KINDS["DICOM image"], "lfs/0.jpg": KINDS["Git LFS pointer"]}
    )
    assert dataset.classes == ("cat", "ct", "dog", "lfs")
    assert "export it as PNG of 16 bits" in dict(dataset.rejected)["ct/0.dcm"]


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1", b"hevc"])
def test_heic_is_read_where_its_package_is_installed_and_named_where_not(brand, monkeypatch):
    """F26, R5"""
    monkeypatch.setattr(images, "_register_heic", lambda: False)
    with pytest.raises(BadImage, match=r"HEIC photo; install pillow-heif \(pip install"):
        decode(HEIC % brand)


def test_an_heic_photo_is_decoded():
    """R5"""
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (64, 64), (200, 30, 30))).save(file)
    red, green, blue = decode(file.getvalue()).getpixel((30, 30))
    assert red > 150 and green < 80 and blue < 80


def test_an_avif_picture_is_decoded():
    if "AVIF" not in images._formats():
        pytest.skip("this Pillow reads no AVIF")
    content = encoded(Image.new("RGB", (64, 64), (30, 160, 60)), "AVIF")
    assert not formats.is_heic(content) and decode(content).getpixel((30, 30))[1] > 120


def swapped_profile() -> bytes:
    """sRGB under another name, what it says of red and of green swapped."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    named_otherwise = srgb.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))
    red, green = b"rXYZ", b"gXYZ"
    return named_otherwise.replace(red, b"????").replace(green, red).replace(b"????", green)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_another_profile_become_srgb(mode):
    """Adobe RGB and Display P3, stood in for by a profile whose effect is seen at once."""
    image = Image.new(mode, (8, 8), (200, 100, 50, 255)[: len(mode)])
    seen = decode(encoded(image, icc_profile=swapped_profile())).getpixel((4, 4))
    assert np.abs(np.array(seen) - (100, 200, 50)).max() <= 3
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for harmless in (srgb, b"no profile at all"):
        assert decode(encoded(image, icc_profile=harmless)).getpixel((4, 4)) == (200, 100, 50)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_upright_in_every_format(kind):
    """P7"""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode(encoded(Image.new("RGB", (40, 20)), kind, exif=exif))
    assert turned.size == (20, 40)


def test_tiny_and_narrow_pictures_are_pictures():
    """P7"""
    for size in ((1, 1), (3000, 2), (1, 700)):
        assert decode(encoded(Image.new("RGB", size))).size == size


def test_many_files_of_a_kind_are_one_notice(zipped):
    files = tree({"cat": 2, "dog": 2}) | {f"cat/{n}.xml": b"<x/>" for n in range(30)}
    dataset = zipped(files)
    assert not dataset.rejected and "30 files that end in .xml" in dataset.notices[0]


def test_a_raw_photo_is_not_read_by_its_preview():
    """F26: NEF and ARW are TIFF files whose first picture is a small preview."""
    tags = {254: 1, 330: 8}
    content = encoded(Image.new("RGB", (8, 8)), "TIFF", tiffinfo=tags)
    with pytest.raises(BadImage, match="raw photo"):
        decode(content)
    assert decode(encoded(Image.new("RGB", (8, 8)), "TIFF", tiffinfo={254: 1})).size == (8, 8)


def test_a_file_that_is_no_dataset_is_named_for_what_it_is(tmp_path):
    """F26: a 7z archive was only "no dataset"."""
    file = tmp_path / "photos.7z"
    file.write_bytes(KINDS["7z archive"])
    with pytest.raises(BadData, match="a 7z archive; unpack it"):
        parse(str(file))
