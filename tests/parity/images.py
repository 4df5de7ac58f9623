#!/usr/bin/env python3
"""Compares graft's image decoding, resizing and cropping with Pillow's and torchvision's, byte for byte.

    images.py --dump build/release/bin/image_dump

Images are generated (JPEG baseline and progressive, all samplings, all PNG kinds, EXIF orientations, sizes from 1x1)
and real (scikit-image's photographs, where that package is there). Prints a line a group; exits 1 on any difference.
Pillow is taken as it was up to 12.3: columns are always resized before rows. Pillow 13 takes some shapes the other way
round, which rounds differently, and is refused here.
"""

import argparse
import glob
import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import PIL
from PIL import Image

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
Image.MAX_IMAGE_PIXELS = None


class Dump:
    """The C++ side: requests in, (status, pixels or message) out."""

    def __init__(self, program, folder):
        self.out = os.path.join(folder, "pixels")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request, path, *words):
        self.process.stdin.write(" ".join([request, path, self.out, *map(str, words)]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n").split(" ", 2)
        if answer[0] != "ok":
            return None, " ".join(answer)
        shape = (int(answer[1]), int(answer[2]), 3)
        return np.fromfile(self.out, np.uint8).reshape(shape), ""


class Group:
    """Counts the comparisons of one kind."""

    def __init__(self, name, bound=0):
        self.name, self.bound, self.count, self.worst, self.faults = name, bound, 0, 0, []

    def compare(self, what, got, message, expected):
        self.count += 1
        expected = np.asarray(expected)
        if got is None or got.shape != expected.shape:
            self.faults.append(f"{what}: {message or got.shape} where {expected.shape} is right")
            return
        difference = np.abs(got.astype(int) - expected.astype(int))
        self.worst = max(self.worst, int(difference.max(initial=0)))
        if difference.max(initial=0) > self.bound:
            at = np.unravel_index(difference.argmax(), difference.shape)
            self.faults.append(f"{what}: at {tuple(map(int, at))} {got[at]} where {expected[at]} is right")

    def report(self):
        verdict = "differs" if self.faults else "ok"
        print(f"{self.name:<44} {self.count:>5} compared, largest difference {self.worst} (allowed {self.bound}): {verdict}")
        for fault in self.faults[:5]:
            print("    " + fault)
        return not self.faults


def scene(rng, height, width, channels=3):
    """Smooth colours, edges and noise."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    layers = []
    for _ in range(channels):
        a, b, c = rng.uniform(0, 0.3, 2).tolist() + [rng.uniform(0, 6)]
        layers.append(127 + 100 * np.sin(a * x + b * y + c) + rng.normal(0, rng.choice([0, 5, 40]), x.shape))
    image = np.stack(layers, -1)
    top, left = rng.integers(0, max(1, height)), rng.integers(0, max(1, width))
    image[top : top + height // 3, left : left + width // 3] = rng.uniform(0, 255, channels)
    return np.clip(image, 0, 255).astype(np.uint8)


def sizes(rng, count):
    fixed = [(1, 1), (1, 9), (17, 1), (8, 8), (16, 16), (15, 33), (375, 500), (500, 375)]
    return fixed + [tuple(map(int, rng.integers(1, 300, 2))) for _ in range(count)]


def rgb(path):
    with Image.open(path) as image:
        return image.convert("RGB")


def png(width, height, depth, colour, rows, extra=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg_groups(dump, rng, folder):
    path = os.path.join(folder, "image.jpg")
    for progressive in (False, True):
        for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "gray"):
            group = Group(f"JPEG {'progressive' if progressive else 'baseline'} {sampling}")
            for height, width in sizes(rng, 30):
                array = scene(rng, height, width, 3)
                image = Image.fromarray(array if sampling != "gray" else array[..., 0])
                options = {"quality": int(rng.integers(5, 100)), "progressive": progressive}
                options["optimize"] = bool(rng.integers(2))
                if rng.integers(2):
                    options["restart_marker_blocks"] = int(rng.integers(1, 9))
                if sampling != "gray":
                    options["subsampling"] = {"4:4:0": "4:2:0", "4:1:1": "4:2:0"}.get(sampling, sampling)
                image.save(path, **options)
                if sampling in ("4:4:0", "4:1:1"):
                    resample_header(path, 0x12 if sampling == "4:4:0" else 0x41)
                group.compare(f"{height}x{width}", *dump.ask("decode", path), rgb(path))
            yield group
    group = Group("JPEG CMYK, Adobe")
    for height, width in sizes(rng, 10):
        Image.fromarray(scene(rng, height, width, 4), "CMYK").save(path, quality=90)
        group.compare(f"{height}x{width}", *dump.ask("decode", path), rgb(path))
    yield group
    group = Group("JPEG with EXIF orientation, which is ignored")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(scene(rng, 20, 31)).save(path, exif=exif)
        group.compare(f"orientation {orientation}", *dump.ask("decode", path), rgb(path))
    yield group


def resample_header(path, factors):
    """Another sampling of the first component in a 4:2:0 file's header: the blocks are read in another order and some are
    left over or missing, which decoders must treat alike. Where blocks would run out the file keeps its end."""
    data = bytearray(open(path, "rb").read())
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    data[at + 11] = factors
    open(path, "wb").write(data)


def png_groups(dump, rng, folder):
    path = os.path.join(folder, "image.png")
    for mode, channels in (("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)):
        group = Group(f"PNG 8 bits {mode}")
        for height, width in sizes(rng, 20):
            array = scene(rng, height, width, channels)
            Image.fromarray(array[..., 0] if channels == 1 else array, mode).save(path)
            group.compare(f"{height}x{width}", *dump.ask("decode", path), rgb(path))
        yield group
    group = Group("PNG palette, with and without transparency")
    for height, width in sizes(rng, 20):
        image = Image.fromarray(scene(rng, height, width)).quantize(int(rng.integers(2, 256)))
        image.save(path, **({"transparency": 0} if rng.integers(2) else {}))
        group.compare(f"{height}x{width}", *dump.ask("decode", path), rgb(path))
    yield group
    group = Group("PNG gray of 1, 2, 4 and 16 bits, colour of 16")
    for depth, colour, channels in ((1, 0, 1), (2, 0, 1), (4, 0, 1), (16, 0, 1), (16, 2, 3), (16, 4, 2), (16, 6, 4)):
        for _ in range(5):
            width, height = map(int, rng.integers(1, 60, 2))
            row = (width * depth * channels + 7) // 8
            data = rng.integers(0, 256, (height, row + 1)).astype(np.uint8)
            data[:, 0] = 0
            if depth == 16 and channels == 1:
                data[:, 1::2] *= rng.integers(0, 2, data[:, 1::2].shape).astype(np.uint8)
            open(path, "wb").write(png(width, height, depth, colour, data.tobytes()))
            group.compare(f"depth {depth} colour {colour}", *dump.ask("decode", path), rgb(path))
    yield group
    group = Group("BMP, PGM and PPM")
    for suffix in ("bmp", "ppm", "pgm"):
        for height, width in sizes(rng, 10):
            other = os.path.join(folder, "image." + suffix)
            array = scene(rng, height, width)
            modes = [Image.fromarray(array), Image.fromarray(array[..., 0])]
            if suffix == "bmp":
                modes += [modes[0].quantize(16), modes[1].convert("1")]
            for image in modes[1:2] if suffix == "pgm" else modes[:1] if suffix == "ppm" else modes:
                image.save(other)
                group.compare(f"{suffix} {image.mode} {height}x{width}", *dump.ask("decode", other), rgb(other))
    yield group


def resize_groups(dump, rng, folder, paths):
    path = os.path.join(folder, "image.png")
    for name, filter_ in FILTERS.items():
        group = Group(f"resize {name}")
        for height, width in sizes(rng, 25):
            Image.fromarray(scene(rng, height, width)).save(path)
            for to in ([int(v) for v in rng.integers(1, 320, 2)], [height, int(rng.integers(1, 99))], [height, width]):
                expected = rgb(path).resize((to[1], to[0]), filter_)
                group.compare(f"{height}x{width} to {to}", *dump.ask("resize", path, *to, name), expected)
        for real in paths:
            image = rgb(real)
            for to in ((224, 224), (image.height // 2 + 1, image.width // 3 + 1)):
                got = dump.ask("resize", real, *to, name)
                group.compare(f"{real} to {to}", *got, image.resize((to[1], to[0]), filter_))
        yield group


def torchvision_groups(dump, rng, folder, paths):
    from torchvision import transforms
    from torchvision.datasets.folder import default_loader
    from torchvision.transforms import functional

    modes = {name: getattr(transforms.InterpolationMode, name.upper()) for name in FILTERS}
    path = os.path.join(folder, "image.png")
    shapes = sizes(rng, 25)
    for resize, size in ((256, 224), (232, 224), (40, 40), (33, 48), (50, 31)):
        group = Group(f"torchvision Resize({resize}), CenterCrop({size})")
        for name in ("bilinear", "bicubic", "nearest"):
            transform = transforms.Compose([transforms.Resize(resize, modes[name]), transforms.CenterCrop(size)])
            for i in range(len(shapes) + len(paths)):
                real = paths[i - len(shapes)] if i >= len(shapes) else path
                if i < len(shapes):
                    Image.fromarray(scene(rng, *shapes[i])).save(path)
                got = dump.ask("eval", real, resize, size, name)
                group.compare(f"{name} {shapes[i] if i < len(shapes) else real}", *got, transform(default_loader(real)))
        yield group
    group = Group("torchvision resized_crop")
    for real in [path] * 30 + paths:
        if real == path:
            Image.fromarray(scene(rng, *map(int, rng.integers(4, 200, 2)))).save(path)
        image = default_loader(real)
        top, left, bottom, right = (int(rng.integers(0, n)) for n in (image.height, image.width) * 2)
        box = (min(top, bottom), min(left, right), abs(top - bottom) + 1, abs(left - right) + 1)
        for name in ("bilinear", "bicubic"):
            expected = functional.resized_crop(image, *box, [64, 64], modes[name])
            group.compare(f"{real} {box}", *dump.ask("crop", real, *box, 64, name), expected)
    yield group


def damage_group(dump, rng, folder):
    """Cut files are refused by both; whatever Pillow reads of a damaged file, graft reads alike or refuses."""
    group = Group("truncated files are refused")
    for suffix, options in (("jpg", {}), ("jpg", {"progressive": True}), ("png", {})):
        path = os.path.join(folder, "cut." + suffix)
        buffer = io.BytesIO()
        Image.fromarray(scene(rng, 40, 50)).save(buffer, {"jpg": "jpeg"}.get(suffix, suffix), **options)
        data = buffer.getvalue()
        for end in range(0, len(data), max(1, len(data) // 60)):
            open(path, "wb").write(data[:end])
            group.count += 1
            got, message = dump.ask("decode", path)
            if got is not None or not message.startswith("error 3 ") or path not in message:
                group.faults.append(f"{suffix} cut to {end} bytes: {message or 'was read'}")
            try:
                rgb(path)
                group.faults.append(f"{suffix} cut to {end} bytes: Pillow reads it")
            except (OSError, SyntaxError):
                pass
    yield group
    group = Group("JPEG with changed bytes: Pillow's pixels or refused")
    path = os.path.join(folder, "damaged.jpg")
    for progressive in (False, True):
        buffer = io.BytesIO()
        Image.fromarray(scene(rng, 60, 70)).save(buffer, "jpeg", progressive=progressive, quality=80)
        for _ in range(150):
            data = bytearray(buffer.getvalue())
            data[int(rng.integers(620, len(data) - 2))] ^= 1 << int(rng.integers(8))
            open(path, "wb").write(data)
            try:
                expected = rgb(path)
            except (OSError, SyntaxError, ValueError):
                continue
            got, message = dump.ask("decode", path)
            if got is not None:
                group.compare("damaged", got, message, expected)
    yield group


def photographs():
    try:
        import skimage
    except ImportError:
        return []
    folder = os.path.join(os.path.dirname(skimage.__file__), "data")
    found = sorted(p for s in ("jpg", "jpeg", "png") for p in glob.glob(os.path.join(folder, "*." + s)))
    return [path for path in found if rgb(path).size[0] >= 16]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump", required=True, help="the program image_dump")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    if int(PIL.__version__.split(".")[0]) > 12:
        sys.exit(f"images.py: Pillow {PIL.__version__} resizes rows first in some shapes: install pillow==12.3.0")
    rng = np.random.default_rng(flags.seed)
    paths = photographs()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        dump = Dump(flags.dump, folder)
        real = Group(f"{len(paths)} photographs of scikit-image")
        for path in paths:
            real.compare(path, *dump.ask("decode", path), rgb(path))
        good &= real.report()
        groups = (
            jpeg_groups(dump, rng, folder),
            png_groups(dump, rng, folder),
            resize_groups(dump, rng, folder, paths),
            torchvision_groups(dump, rng, folder, paths),
            damage_group(dump, rng, folder),
        )
        for kind in groups:
            for group in kind:
                good &= group.report()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
