"""Small pictures, drawn here, and their pixels."""

from __future__ import annotations

import io

from PIL import Image, PngImagePlugin

_SIZE = (48, 32)


def _drawing(mode: str = "RGB") -> Image.Image:
    picture = Image.new("RGB", _SIZE)
    for x in range(_SIZE[0]):
        for y in range(_SIZE[1]):
            picture.putpixel((x, y), (x * 5, y * 7, (x * y) % 256))
    return picture.convert(mode)


def png(mode: str = "RGB") -> bytes:
    """A PNG that can be made smaller."""
    file = io.BytesIO()
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "drawn by a test " * 20)
    _drawing(mode).save(file, "PNG", compress_level=0, pnginfo=note)
    return file.getvalue()


def jpeg(*, orientation: int = 1, profile: bytes = b"") -> bytes:
    """A JPEG that can be made smaller, turned by its metadata if asked."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "drawn by a test"
    _drawing().save(file, "JPEG", quality=90, exif=exif, icc_profile=profile or None)
    return file.getvalue()


def gif(*, moving: bool = False) -> bytes:
    """A GIF that can be made smaller, with transparent parts, and colours that nothing has."""
    file = io.BytesIO()
    picture = _drawing().quantize(20)
    frames = [picture.transpose(Image.Transpose.ROTATE_180)] if moving else []
    picture.save(
        file, "GIF", optimize=False, interlace=1, transparency=3, comment=b"drawn by a test" * 9,
        save_all=moving, append_images=frames,
    )  # fmt: skip
    return file.getvalue()


def webp(
    *, lossless: bool = True, moving: bool = False, orientation: int = 1, profile: bytes = b""
) -> bytes:
    """A WebP that can be made smaller, with transparent parts that have colours."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "drawn by a test"
    picture = _drawing()
    picture.putalpha(picture.getchannel("R").point(lambda red: 0 if red < 50 else 255))
    more = {"save_all": True, "append_images": [picture.rotate(90)]} if moving else {}
    picture.save(
        file, "WEBP", lossless=lossless, quality=0, method=0, exact=True, exif=exif,
        icc_profile=profile, **more,
    )  # fmt: skip
    return file.getvalue()


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    """Size and colours, whatever way they are stored."""
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size, picture.convert("RGBA").tobytes()


def orientation(data: bytes) -> int:
    """The turn that a browser gives the picture; 1 is none."""
    with Image.open(io.BytesIO(data)) as picture:
        return int(picture.getexif().get(0x0112, 1))


def profile(data: bytes) -> bytes:
    """The colour profile, b"" for none."""
    with Image.open(io.BytesIO(data)) as picture:
        return bytes(picture.info.get("icc_profile", b""))
