#pragma once

#include <filesystem>
#include <string>

#include "datasets/dataset.h"

namespace graft {

/// Images and labels from NumPy's .npz: one file with arrays train_images, train_labels, test_images and test_labels
/// (or x_train, y_train, x_test and y_test), or a folder with train.npz and test.npz (or val.npz) of `images` and
/// `labels` (or x and y) each. Images are u8 [N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 or 3; where both readings
/// of four dimensions fit, the last one is taken for the channels. Labels are integers [N] or [N, 1], of u8, i32 or
/// i64, from 0 to at most 255; the classes are called by their numbers. Mean and deviation are 0.5 a channel.
/// `limits` are those of each file. Throws Error(data) naming the file.
DatasetPair read_npz_images(const std::filesystem::path& path, const CheckpointOptions& limits,
                            const std::string& remedy);

}  // namespace graft
