"""From a crop to a step of training: which voxels may be learned from, and a loss that leaves out the others."""

# %% A crop, labelled by hand. This one is made up: a cell with mitochondria and vesicles, in voxels of 8 x 4 x 4 nm.
import struct
import zlib
from pathlib import Path

import numpy as np
import voxmask

z, y, x = np.indices((16, 64, 64), dtype=float)
voxels = np.zeros(z.shape, np.uint8)  # 0: nobody has looked at these
voxels[(y - 34) ** 2 + (x - 30) ** 2 < 27**2] = 35  # cytosol
for label, cz, cy, cx, radius in [(3, 6, 24, 20, 8), (4, 7, 46, 36, 9), (8, 9, 25, 42, 6), (8, 4, 40, 16, 5)]:
    distance = np.sqrt(4 * (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2)
    voxels[distance < radius] = label
    voxels[distance < radius - 3] = 8 if label == 8 else 5  # 5: what is inside of mitochondria
classes = [(3, "mito mem", "dense"), (5, "mito lum", "dense"), (8, "vesicle", "dense"), (16, "er mem", "empty")]
annotated = [
    {"value": value, "name": {"long": name, "short": name}, "annotationState": {"present": True, "annotated": how}}
    for value, name, how in classes
]
place = dict(voxel_size=(8, 4, 4), offset=(800, 400, 0), unit="nm")
# Of an array on disk, `voxmask.open_array("crop.zarr/labels/all")` finds all this by itself.
labels = voxmask.from_numpy(voxels, **place, attrs={"labels": annotated})

# %% One channel for each class. There is endoplasmic reticulum in the crop, but nobody labelled it.
groups = [("mito", [3, 4, 5]), ("vesicle", [8]), ("er", [16, 17])]
truth = voxmask.MaskAndTarget(labels, groups)
for channel in truth.decisions:
    print(f"{channel.name:8}", "trained" if channel.kept else f"masked: {channel.why}")

# %% Patches. The image is made up as well: dark where something is, and noise.
grey = np.random.default_rng(0).normal(0.8, 0.1, voxels.shape)
grey -= 0.3 * (voxels == 8) + 0.6 * np.isin(voxels, [3, 4]) + 0.45 * (voxels == 5)
image = voxmask.from_numpy(grey.astype(np.float32), **place)
rois = [roi for roi in truth.mask.roi.blocks((64, 128, 128)) if truth.mask[roi].mean() >= 0.15]

# %% A step of training, with PyTorch if it is there. Voxels that are unknown have no part in the loss.
try:
    import torch
    from voxmask.torch import PatchDataset, masked_mean

    batch = next(iter(torch.utils.data.DataLoader(PatchDataset(truth, rois, image), batch_size=len(rois))))
    torch.manual_seed(0)
    model = torch.nn.Conv3d(1, len(groups), kernel_size=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")

    def current_loss() -> torch.Tensor:
        return masked_mean(loss_of(model(batch["raw"][:, None]), batch["target"].float()), batch["mask"])

    before = current_loss()
    before.backward()
    optimizer.step()
    loss_before, loss_after = before.item(), current_loss().item()
except ModuleNotFoundError:
    raw = np.stack([image[roi] for roi in rois])[:, None]
    mask, target = (np.stack(parts) for parts in zip(*(truth[roi] for roi in rois), strict=True))
    weight, bias = np.zeros((2, len(groups), 1, 1, 1))

    def loss_and_residual() -> tuple[float, np.ndarray]:
        logits = weight * raw + bias
        loss = np.logaddexp(0, logits) - target * logits
        return loss[mask == 1].mean(), np.where(mask, 1 / (1 + np.exp(-logits)) - target, 0) / mask.sum()

    loss_before, residual = loss_and_residual()
    weight -= (residual * raw).sum(axis=(0, 2, 3, 4)).reshape(weight.shape)
    bias -= residual.sum(axis=(0, 2, 3, 4)).reshape(bias.shape)
    loss_after, _ = loss_and_residual()
print(f"loss {loss_before:.4f} before, {loss_after:.4f} after")

# %% The middle of the crop: labels, then mask above target for each channel (white is 1).
mask, target = (part[:, 7] for part in truth.read(truth.mask.roi))
colours = np.array([[n * 97 % 256, n * 57 % 256, n * 151 % 256] for n in range(256)])
binary = [255 * np.stack([part] * 3, axis=-1) for part in (*mask, *target)]
large = (tile.repeat(3, 0).repeat(3, 1) for tile in (colours[voxels[7]], *binary))
tiles = [np.pad(tile, ((4, 4), (4, 4), (0, 0)), constant_values=128) for tile in large]
rows = (tiles[:4], [np.full_like(tiles[0], 128), *tiles[4:]])
picture = np.vstack([np.hstack(row) for row in rows]).astype(np.uint8)


def png_part(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


header = png_part(b"IHDR", struct.pack(">IIBBBBB", picture.shape[1], picture.shape[0], 8, 2, 0, 0, 0))
pixels = png_part(b"IDAT", zlib.compress(b"".join(b"\0" + line.tobytes() for line in picture)))
Path("train_on_a_crop.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + png_part(b"IEND", b""))
