#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "datasets/image.h"
#include "datasets/resize_passes.h"

namespace graft {

/// What one thread needs to read one image.
struct ImageScratch {
  PixelBuffer file;
  Image image;
  ResizeScratch resize;
};

/// Scratch objects of a data set that many threads read: as many as threads read at once, used again from item to item.
class ImageScratchPool {
 public:
  /// Holds a scratch object until it goes out of scope.
  class Lease {
   public:
    explicit Lease(ImageScratchPool& pool) : pool_(pool), scratch_(pool.take()) {}
    ~Lease() { pool_.give_back(std::move(scratch_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ImageScratch& operator*() const { return *scratch_; }
    ImageScratch* operator->() const { return scratch_.get(); }

   private:
    ImageScratchPool& pool_;
    std::unique_ptr<ImageScratch> scratch_;
  };

 private:
  std::unique_ptr<ImageScratch> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<ImageScratch> scratch = std::move(idle_.back());
        idle_.pop_back();
        return scratch;
      }
      idle_.reserve(++made_);  // so that giving back never fails
    }
    return std::make_unique<ImageScratch>();
  }
  void give_back(std::unique_ptr<ImageScratch> scratch) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<ImageScratch>> idle_;
  std::size_t made_ = 0;
};

}  // namespace graft
