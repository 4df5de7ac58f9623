#!/usr/bin/env python3
"""Writes the small image files of tests/datasets/images and expectations.txt beside them: what Pillow makes of each;
and of small .npz arrays.

    python3 -m venv build/pillow && build/pillow/bin/pip install pillow==12.3.0 numpy
    build/pillow/bin/python tests/datasets/make_images.py

A line of expectations.txt is "FILE HEIGHT WIDTH SHA256" of the decoded RGB pixels, or
"FILE FILTER RESIZE SIZE SHA256" of Resize(RESIZE) and CenterCrop(SIZE) as torchvision does them on Pillow images.
"""

import hashlib
import os

import numpy as np
from PIL import Image

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "images")


def scene(height, width, channels=3):
    y, x = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(7)
    layers = [127 + 90 * np.sin(0.17 * (c + 1) * x + 0.11 * y + c) for c in range(channels)]
    image = np.stack(layers, -1) + rng.normal(0, 6, (height, width, channels))
    image[height // 3 : height // 2, width // 4 : width // 2] = [230, 20, 90, 128][:channels]
    return np.clip(image, 0, 255).astype(np.uint8)


def write_files():
    colour = Image.fromarray(scene(37, 50))
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        name = sampling.replace(":", "")
        colour.save(f"{HERE}/baseline-{name}.jpg", quality=75, subsampling=sampling)
        colour.save(f"{HERE}/progressive-{name}.jpg", quality=75, subsampling=sampling, progressive=True)
    gray = Image.fromarray(scene(33, 21, 1)[..., 0])
    gray.save(f"{HERE}/baseline-gray.jpg")
    gray.save(f"{HERE}/progressive-gray.jpg", progressive=True)
    Image.fromarray(scene(19, 23, 4), "CMYK").save(f"{HERE}/cmyk.jpg", quality=80)
    exif = Image.Exif()
    exif[0x0112] = 6
    colour.save(f"{HERE}/orientation-6.jpg", exif=exif)
    colour.crop((0, 0, 24, 20)).save(f"{HERE}/rgb.png")
    Image.fromarray(scene(20, 24, 4), "RGBA").save(f"{HERE}/rgba.png")
    gray.crop((0, 0, 20, 20)).save(f"{HERE}/gray.png")
    colour.quantize(16).save(f"{HERE}/palette.png")
    Image.fromarray(np.arange(300, dtype=np.uint16).reshape(15, 20) * 3).save(f"{HERE}/gray16.png")
    colour.crop((0, 0, 13, 9)).save(f"{HERE}/rgb.bmp")
    colour.crop((0, 0, 13, 9)).save(f"{HERE}/rgb.ppm")
    gray.crop((0, 0, 13, 9)).save(f"{HERE}/gray.pgm")


def write_arrays():
    """Value of image n at row y, column x of channel c: 100 n + 20 y + 4 x + c."""
    n, y, x, c = np.ogrid[0:2, 0:3, 0:4, 0:3]
    images = (100 * n + 20 * y + 4 * x + c).astype(np.uint8)
    labels = np.array([[2], [0]], np.int64)
    small = labels[:1, 0].astype(np.uint8)
    np.savez(f"{HERE}/nhwc.npz", train_images=images, train_labels=labels, test_images=images[:1], test_labels=small)
    planes = images.transpose(0, 3, 1, 2).copy()
    np.savez_compressed(f"{HERE}/nchw.npz", x_train=planes, y_train=labels, x_test=planes[:1], y_test=small)
    np.savez(f"{HERE}/part.npz", images=images[..., 0], labels=labels[:, 0].astype(np.int32))


def digest(image):
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


def evaluated(image, filter_, resize, size):
    """What torchvision does, in Pillow's words."""
    width, height = image.size
    if width <= height:
        width, height = resize, int(resize * height / width)
    else:
        width, height = int(resize * width / height), resize
    resized = image.resize((width, height), filter_)
    top, left = int(round((height - size) / 2.0)), int(round((width - size) / 2.0))
    if size > min(width, height):
        before = (max(0, (size - width) // 2), max(0, (size - height) // 2))
        canvas = Image.new("RGB", (max(size, width), max(size, height)))
        canvas.paste(resized, before)
        resized = canvas
        top, left = int(round((canvas.height - size) / 2.0)), int(round((canvas.width - size) / 2.0))
    return resized.crop((left, top, left + size, top + size))


def main():
    os.makedirs(HERE, exist_ok=True)
    write_files()
    write_arrays()
    filters = [f for f in Image.Resampling]
    with open(f"{HERE}/expectations.txt", "w") as out:
        for name in sorted(os.listdir(HERE)):
            if name.endswith((".txt", ".npz")):
                continue
            image = Image.open(f"{HERE}/{name}").convert("RGB")
            print(name, image.height, image.width, digest(image), file=out)
            if name not in ("baseline-420.jpg", "rgb.png", "gray.pgm"):
                continue
            for filter_ in filters:
                for resize, size in ((16, 14), (29, 29), (12, 20), (64, 48)):
                    pixels = digest(evaluated(image, filter_, resize, size))
                    print(name, filter_.name.lower(), resize, size, pixels, file=out)


main()
