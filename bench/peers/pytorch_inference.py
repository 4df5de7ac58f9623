#!/usr/bin/env python3
"""A network's forward pass in PyTorch, timed: the peer of `graft bench inference`.

Evaluation mode with batch norms folded into convolutions by torch.fx's optimisation pass, channels_last,
torch.inference_mode, weights and images cast once for bf16, synthetic images. Prints one JSON object.
"""
import argparse
import json
import statistics
import time

import torch
from pytorch_step import build
from torch.fx.experimental.optimization import fuse


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)

    model = fuse(build(options.model)[0].eval())
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules()):
        raise SystemExit(f"{options.model}: a batch norm was not folded")
    model = model.to(memory_format=torch.channels_last)
    images = torch.randn(options.batch, 3, options.size, options.size).to(memory_format=torch.channels_last)
    if options.dtype == "bf16":
        model, images = model.to(torch.bfloat16), images.to(torch.bfloat16)

    seconds = []
    with torch.inference_mode():
        for _ in range(options.warmup + options.steps):
            start = time.perf_counter()
            model(images)
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[options.warmup :])
    print(json.dumps({
        "program": f"PyTorch {torch.__version__}", "model": options.model, "batch": options.batch, "size": options.size,
        "dtype": options.dtype, "threads": torch.get_num_threads(), "steps": options.steps,
        "ms_per_batch": median * 1e3, "images_per_second": options.batch / median,
    }))


if __name__ == "__main__":
    main()
