#include "transfer/study_data.h"

#include "engine/base/error.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

DatasetPair open_one(const Study& study, const std::string& dataset, const std::string& folder) {
  ImageOptions images;
  if (study.images || dataset == "imagefolder") {
    images.transform = image_transform(study.model, study.images.value_or(ImagePreparation{}));
  } else if (study.training.random_crop) {
    fail(ErrorKind::data, "training.random_crop needs `images`: of what are random parts taken?");
  }
  return open_dataset(dataset, folder, images);
}

void check_expected(const Study& study, const DatasetPair& data) {
  if (!study.expects) return;
  const auto compare = [&](const char* part, std::int64_t expected, std::int64_t there) {
    if (expected == there) return;
    fail(ErrorKind::data, "expects.{} is {}, {} has {} images here: it is incomplete, or another data set", part,
         expected, study.dataset, there);
  };
  compare("train", study.expects->train, data.train->size());
  compare("test", study.expects->test, data.test->size());
}

}  // namespace

StudyData open_study_data(const Study& study, const DataFolders& folders) {
  StudyData data = open_one(study, study.dataset, folders.data);
  check_expected(study, data.target);
  if (study.source_dataset.empty()) return data;
  data.source = open_one(study, study.source_dataset, folders.source_data);
  const Shape source = data.source.train->item_shape();
  const Shape target = data.target.train->item_shape();
  if (source != target) {
    fail(ErrorKind::data,
         "split.source.dataset {} has images {}, dataset {} has {}: say with `images: {{size: ...}}` what both become",
         study.source_dataset, source.str(), study.dataset, target.str());
  }
  return data;
}

std::map<std::string, std::string> data_hashes(const Study& study, const StudyData& data) {
  std::map<std::string, std::string> hashes{{"train", data.target.train->content_hash()},
                                            {"test", data.target.test->content_hash()}};
  if (!study.source_dataset.empty()) {
    hashes["source_train"] = data.source.train->content_hash();
    hashes["source_test"] = data.source.test->content_hash();
  }
  return hashes;
}

std::string hash_of(const DatasetPair& data) {
  return sha256_hex(data.train->content_hash() + data.test->content_hash());
}

}  // namespace graft
