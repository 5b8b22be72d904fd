// SPDX-License-Identifier: MIT
#include <spdlog/spdlog.h>

#include <sstream>
#include <vector>
#include <xofn/publish/json_lines.hpp>
#include <xofn/publish/log.hpp>
#include <xofn/publish/spdlog_sink.hpp>
#include <xofn/xofn.hpp>

int main() {
  std::ostringstream lines;
  {
    xofn::Log json{xofn::JsonLines{lines}};
    xofn::Log text{xofn::SpdlogSink{spdlog::default_logger()}};
    xofn::BatchProcessor<int> processor;
    log_to(processor, json, "clips");
    log_to(processor, text, "clips");
    processor.run(std::vector{1, 2, 3}, [](int) {});
  }
  return lines.str().find("batch_finished") != std::string::npos ? 0 : 1;
}
