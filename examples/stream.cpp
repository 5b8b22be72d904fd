// SPDX-License-Identifier: MIT
// Pages are rendered by several threads and read by one: each as soon as it is there, but never
// before those in front of it.
#include <iostream>
#include <string>
#include <utility>
#include <vector>
#include <xofn/xofn.hpp>

int main() {
  std::vector<std::string> pages{"cover", "preface", "contents", "one", "two", "index"};
  const auto render = [](const std::string& page) { return '<' + page + '>'; };
  std::string book;

  xofn::BatchProcessor<std::string> processor{{.order = xofn::Order::submission}};
  auto batch = processor.start(std::move(pages), render);
  for (auto& done : batch.completions()) {
    book += done.outcome.value();
    std::cout << "completed " << done.progress << ", so far: " << book << '\n';
  }
  return book == "<cover><preface><contents><one><two><index>" ? 0 : 1;
}
