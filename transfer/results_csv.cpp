#include "transfer/results_csv.h"

#include <fmt/format.h>

namespace graft {

std::string results_csv(const std::vector<RunResult>& results) {
  std::string text =
      "run,treatment,split,source,target,n,seed,classes,top1,correct,n_test,epochs,final_train_loss,seconds\n";
  for (const RunResult& r : last_of_each(results)) {
    if (r.status != "ok") continue;
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{:.1f}\n", r.id, label_of(r), r.split, r.source, r.target,
                    r.cut, r.seed, r.classes, r.top1, r.correct, r.n_test, r.epoch, r.train_loss, r.seconds);
  }
  return text;
}

}  // namespace graft
