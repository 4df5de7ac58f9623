"""One network computed by PyTorch, by graft, and the distances between them.

Every number is compared per tensor in relative L2 norm with PyTorch in float64. graft in float32 may be as far from it
as PyTorch in float32 is, times a factor, plus 1e-6.

An error is one draw of rounding: two sound evaluations of a network differ in the order of their sums alone, and by
chance one may come out several times as exact as the other, in a tensor of few numbers above all (the loss is one). So
PyTorch is asked in each of the ways that it has of computing the same, and the largest of its errors counts: in both
layouts, by oneDNN and by its own loops. All are what a user of PyTorch may get."""
import copy
import re
import subprocess
import zlib
from dataclasses import dataclass

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

FACTOR = 3.0  # graft's error over PyTorch's
WINOGRAD_FACTOR = 10.0  # the same where graft chooses Winograd: it rounds coarser by design
FLOOR = 1e-6


def uniform(name, shape, seed):
    """Numbers in [-1, 1), keyed by a tensor's name."""
    random = torch.Generator().manual_seed(zlib.crc32(name.encode()) + seed)
    return torch.rand(shape, generator=random) * 2 - 1


def fill(model, case, seed):
    """Random numbers for every tensor of a state_dict: weights uniform with He's deviation, statistics round theirs.

    A gradient jumps where a ReLU goes over to its other side, by far more than rounding, and which units lie that near
    to the kink is chance. So a batch norm of a training step leaves its channels about three deviations from it,
    most above, some below. One that a residual is added to (case.above) leaves all above."""
    norms = {name for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        owner, _, kind = name.rpartition(".")
        values = uniform(name, tensor.shape, seed)
        if kind == "running_var":
            values = 1 + 0.5 * values
        elif owner in norms and kind == "weight":
            values = 0.25 + 0.05 * values
        elif owner in norms and kind == "bias":
            below = uniform(name + "#", tensor.shape, seed) < (-1 if re.search(case.above, owner) else -0.5)
            values = torch.where(below, -1.0, 1.0) * (1 + 0.2 * values)
        elif tensor.dim() >= 2:
            values *= (6.0 / (tensor.numel() // tensor.shape[0])) ** 0.5
        else:
            values *= 0.25
        with torch.no_grad():
            tensor.copy_(values)


def make_input(case, seed):
    random = torch.Generator().manual_seed(seed)
    count, channels, height, width = case.shape
    numbers = {"input": torch.randn(count, channels, height, width, generator=random)}
    if case.several_labels:  # 1 and 0 are known, -1 is not
        numbers["labels"] = torch.randint(-1, 2, (count, case.classes), generator=random).float()
    else:
        numbers["labels"] = torch.randint(case.classes, (count,), generator=random)
    return numbers


def make_model(case, seed):
    model = case.make()
    fill(model, case, seed)
    return model


def save_model(case, model, folder):
    """The files that graft reads the network's numbers from, the same in each."""
    state = model.state_dict()
    files = [folder / "weights.safetensors"]
    save_file(state, files[0])
    if case.quick:
        files.append(folder / "weights.pth")
        torch.save(state, files[-1])
    if case.legacy:
        files.append(folder / "legacy.pth")
        torch.save(state, files[-1], _use_new_zipfile_serialization=False)
    return files


def copy_of(model):
    return copy.deepcopy(model)


def loss_of(logits, labels):
    if labels.dim() == 1:
        return functional.cross_entropy(logits, labels)
    known = labels >= 0
    return functional.binary_cross_entropy_with_logits(logits[known], labels[known].to(logits.dtype))


def run_pytorch(model, case, numbers, dtype, layout=torch.contiguous_format):
    """Every number that parity_run writes, under its names."""
    model = copy.deepcopy(model).to(dtype, memory_format=layout)
    images = numbers["input"].to(dtype, memory_format=layout)
    results = {}
    hooks = []
    for stage, path, *after in case.stages:
        def keep(module, inputs, output, stage=stage, after=after):
            output = after[0](output) if after else output
            results["stage/" + stage] = output.detach().clone()
        hooks.append(model.get_submodule(path).register_forward_hook(keep))
    with torch.no_grad():
        results["eval/logits"] = model.eval()(images)
    for hook in hooks:
        hook.remove()
    logits = model.train()(images)
    loss = loss_of(logits, numbers["labels"])
    loss.backward()
    results["train/logits"] = logits.detach()
    results["train/loss"] = loss.detach().reshape(1)
    for name, parameter in model.named_parameters():
        results["gradient/" + name] = parameter.grad
    for name, buffer in model.named_buffers():
        results["buffer/" + name] = buffer
    return results


def run_single(model, case, numbers):
    """PyTorch in float32, in each of its ways."""
    results = []
    try:
        for by_onednn in (True, False):
            torch.backends.mkldnn.enabled = by_onednn
            results += [run_pytorch(model, case, numbers, torch.float32, layout)
                        for layout in (torch.contiguous_format, torch.channels_last)]
    finally:
        torch.backends.mkldnn.enabled = True
    return results


def run_graft(program, case, folder, weights, numbers, device="cpu"):
    """(what graft computed, the network as graft exports it). It reads every file of `weights`, and fails unless the
    network is the same bits of each."""
    paths = {name: str(folder / f"{name}.safetensors") for name in ("input", "out", "export")}
    save_file(numbers, paths["input"])
    subprocess.run(
        [program, "--model", case.name, "--weights", *map(str, weights), "--input", paths["input"], "--out",
         paths["out"], "--export", paths["export"], "--classes", str(case.classes), "--device", device],
        check=True)
    return load_file(paths["out"]), load_file(paths["export"])


def error_of(actual, exact, scale):
    if actual.shape != exact.shape:
        return float("inf")
    error = float((actual.double() - exact).norm()) / scale if scale > 0 else float(actual.double().norm())
    return error if error == error else float("inf")


def scale_of(name, exact):
    """The norm that an error is relative to. The gradient of a bias in front of a batch norm is zero, and what is
    computed is rounding alone: its scale is that of the weight beside it."""
    norm = float(exact[name].norm())
    if name.startswith("gradient/") and name.endswith(".bias"):
        weight = exact.get(name[: -len("bias")] + "weight")
        if weight is not None and norm < 1e-9 * float(weight.norm()):
            return float(weight.norm())
    return norm


@dataclass
class Distance:
    name: str
    graft: float
    pytorch: float
    factor: float

    @property
    def share(self):
        """Of what is allowed; above one is a failure."""
        return self.graft / (self.factor * self.pytorch + FLOOR)


def distances(graft, single, exact, factor):
    """One Distance a tensor, PyTorch's being the larger of its runs; a tensor that only one side has is infinitely
    far."""
    result = []
    for name in sorted(set(graft) | set(exact)):
        if name not in graft or name not in exact:
            result.append(Distance(name, float("inf"), 0.0, factor))
        elif name.endswith("num_batches_tracked"):
            result.append(Distance(name, 0.0 if int(graft[name]) == int(exact[name]) else float("inf"), 0.0, factor))
        else:
            scale = scale_of(name, exact)
            reference = exact[name].double()
            result.append(Distance(name, error_of(graft[name], reference, scale),
                                   max(error_of(run[name], reference, scale) for run in single), factor))
    return result


def uses_winograd(model, has_avx512):
    """graft's rule on a CPU of AVX-512, but for the image's extent: 3x3 convolutions of stride 1 in one group, if they
    are wide enough. All that a network computes behind one, and all gradients in front of it, bear its rounding."""
    return has_avx512 and any(
        isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3) and m.stride == (1, 1) and m.groups == 1
        and min(m.in_channels, m.out_channels) >= 16 and max(m.in_channels, m.out_channels) >= 32
        for m in model.modules())
